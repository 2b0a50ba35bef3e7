"""What Volr uses of Triton, which is not installed everywhere that Volr is checked."""

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from triton import language as language

_P = ParamSpec("_P")
_R = TypeVar("_R")

class JITFunction(Generic[_P, _R]):
    """Called from another kernel as the function that it was, launched as ``kernel[grid](…)``."""

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., Any]: ...

def jit(fn: Callable[_P, _R], /) -> JITFunction[_P, _R]: ...
