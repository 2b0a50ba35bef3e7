"""Of Dask's distributed, what `volr.experiments.execution.cluster` and its tests use."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Self

class Future:
    key: str
    def result(self) -> Any: ...
    def exception(self) -> BaseException | None: ...
    def cancel(self) -> None: ...

class Client:
    def __init__(
        self, address: str, *, timeout: float = ..., set_as_default: bool = ...
    ) -> None: ...
    def submit(
        self, function: Callable[..., object], *args: object, key: str, pure: bool
    ) -> Future: ...
    def as_current(self) -> AbstractContextManager[Self]: ...
    def close(self) -> None: ...

class _State:
    nthreads: int

class Worker:
    state: _State

class LocalCluster:
    scheduler_address: str
    workers: dict[object, Any]
    def __init__(self, **settings: object) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

class _DoneAndNot:
    done: set[Future]
    not_done: set[Future]

def get_worker() -> Worker: ...
def wait(
    futures: Sequence[Future],
    *,
    return_when: Literal["ALL_COMPLETED", "FIRST_COMPLETED"] = ...,
) -> _DoneAndNot: ...
