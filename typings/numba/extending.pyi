from collections.abc import Callable
from typing import Any

# The first argument of the decorated function is the compiler's, so its own type says nothing.
def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]: ...
