from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

def njit(
    *, nogil: bool = ..., cache: bool = ..., inline: str = ..., error_model: str = ...
) -> Callable[[F], F]: ...
