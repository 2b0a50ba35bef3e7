"""NEST's kernel, below its Python layer: the one function that Volr calls there."""

from collections.abc import Mapping, Sequence
from typing import Any

def llapi_set_nc_status(nodes: Any, params: Sequence[Mapping[str, Any]], /) -> None: ...
