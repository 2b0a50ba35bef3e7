"""What ``evaluate --operations --json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from volr.experiments.costs.result import Operations

_SUMS = ("active", "synaptic", "macs", "acs", "dense", "energy", "dense_energy", "update_energy")


def operations_json(found: Operations) -> dict[str, Any]:
    """All numbers, and their sums; the accuracy stands elsewhere."""
    from volr.experiments.costs.figures import SOURCE

    entries = asdict(found)
    del entries["evaluation"]
    entries["figures"]["source"] = SOURCE
    return entries | {name: getattr(found, name) for name in _SUMS}
