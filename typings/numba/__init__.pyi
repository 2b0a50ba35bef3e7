from collections.abc import Callable
from typing import TypeVar

_F = TypeVar("_F", bound=Callable[..., object])

def njit(
    *, nogil: bool = ..., cache: bool = ..., inline: str = ..., error_model: str = ...
) -> Callable[[_F], _F]: ...
