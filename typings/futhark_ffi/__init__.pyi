"""What Volr uses of futhark-ffi, which ships no types."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

class Futhark:
    """A compiled program; its entry points are attributes."""

    ctx: Any
    ffi: Any
    lib: Any
    types: dict[Any, Any]
    def __init__(self, mod: Any) -> None: ...
    def to_futhark(self, fut_type: Any, data: NDArray[Any]) -> Any: ...
    def from_futhark(self, *dargs: Any) -> NDArray[np.generic]: ...
