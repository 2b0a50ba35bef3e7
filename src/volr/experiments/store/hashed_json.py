"""JSON files with a hash, so that damage is found when they are read again.

"layout"    2; files of Volr 0.1.0 have neither of the two entries
"sha256"    the hash of all the rest as compact JSON with sorted keys
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from volr.checks.json_values import entries_of, read_json
from volr.errors import DataError
from volr.system.incoming import read_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAYOUT = 2
# The most bytes of a run, or of a plan with all earlier commands.
_LONGEST = 1 << 30
_LAYOUT, _HASH = "layout", "sha256"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with layout and hash."""
    whole = {_LAYOUT: LAYOUT, **content}
    return {**whole, _HASH: _digest(whole)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether it has a layout or a hash."""
    return _LAYOUT in content or _HASH in content


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content that was ``sealed``; older content, which has no hash, is unchanged.

    Raises ``ValueError`` if it was changed after it was written.
    """
    if not is_sealed(content):
        return dict(content)
    rest = {key: value for key, value in content.items() if key != _HASH}
    if content.get(_HASH) != _digest(rest) or rest.pop(_LAYOUT, None) != LAYOUT:
        raise ValueError("it is not what was written, as its hash shows")
    return rest


def read_hashed(path: Path, way_out: str) -> tuple[dict[str, Any], bool] | None:
    """The content of a file, and whether a hash showed that it is whole; None without a file.

    Raises ``DataError`` with the help ``way_out`` if it is damaged.
    """
    try:
        content = entries_of(read_json(read_whole(path, _LONGEST)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path} is damaged: it is not JSON", help=way_out) from error
    if content is None:
        raise DataError(f"{path} is damaged: it is no JSON object", help=way_out)
    try:
        return unsealed(content), is_sealed(content)
    except ValueError as error:
        raise DataError(f"{path} is damaged: {error}", help=way_out) from error


def _digest(content: Mapping[str, Any]) -> str:
    # Converted to JSON and back first, since JSON has no tuples, and its keys are all text.
    plain = json.loads(json.dumps(content))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
