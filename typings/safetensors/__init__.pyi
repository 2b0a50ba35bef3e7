"""What Volr uses of safetensors, whose own stubs leave ``safe_open`` and its methods untyped."""

from os import PathLike
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

class SafetensorError(Exception): ...

class safe_open:
    def __init__(
        self, filename: str | PathLike[str], framework: str, device: str = "cpu"
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
    def keys(self) -> list[str]: ...
    def metadata(self) -> dict[str, str] | None: ...
    def get_tensor(self, name: str) -> NDArray[Any]: ...
