"""What JSON can say: it has no NaN and no infinity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def jsonable(value: Any) -> Any:
    """The same, at any depth, with null for numbers that JSON does not have."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            entries = cast("Mapping[str, Any]", value)
            return {key: jsonable(each) for key, each in entries.items()}
        case list() | tuple():
            return [jsonable(each) for each in cast("Sequence[Any]", value)]
        case _:
            return value
