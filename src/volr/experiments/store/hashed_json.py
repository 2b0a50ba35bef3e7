"""JSON that is written here and read here again, with a hash, so that no damage is believed.

"layout"    2; what Volr 0.1.0 wrote has neither of the two
"sha256"    of all the rest as compact JSON with sorted keys
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LAYOUT = 2
_LAYOUT, _HASH = "layout", "sha256"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its layout and hash."""
    whole = {_LAYOUT: LAYOUT, **content}
    return {**whole, _HASH: _digest(whole)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether it has what shows that it is whole, or once had."""
    return _LAYOUT in content or _HASH in content


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content that was ``sealed``, or as it is where it says that it is older.

    Raises ``ValueError`` where it is not what was written.
    """
    if not is_sealed(content):
        return dict(content)
    rest = {key: value for key, value in content.items() if key != _HASH}
    if content.get(_HASH) != _digest(rest) or rest.pop(_LAYOUT, None) != LAYOUT:
        raise ValueError("it is not what was written, as its hash shows")
    return rest


def _digest(content: Mapping[str, Any]) -> str:
    # There and back first: JSON has no tuples, and texts alone as keys.
    told = json.loads(json.dumps(content))
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
