"""What is wrong with the spikes of a clock, and what mistake would explain it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.readback import SEVERAL
from volr.network.text import counted

if TYPE_CHECKING:
    from volr.checks.arrays import Integers


def tick_difference(wanted: Integers, has: Integers) -> tuple[str, str | None] | None:
    """The first difference between the steps of a clock's spikes, and its cause; None without one.

    Both are ``[unit]``, as ``SpikingReadback`` has them.
    """
    if has.shape != wanted.shape:
        return f"it has {counted(has.size, 'neuron')}, expected {wanted.size}", None
    off = has - wanted
    if not off.any():
        return None
    unit = int((off != 0).argmax())
    message = f"neuron {unit} {_told(int(has[unit]))}, expected {_told(int(wanted[unit]))}"
    return message, _cause(wanted, has)


def _told(step: int) -> str:
    if step == SEVERAL:
        return "spikes more than once"
    return "never spikes" if step < 0 else f"spikes in step {step}"


def _cause(wanted: Integers, has: Integers) -> str | None:
    """All spikes that differ are too late, or too early, by the same number of steps."""
    differ = has != wanted
    if (has[differ] < 0).any() or (wanted[differ] < 0).any():
        return None
    off = (has - wanted)[differ]
    steps = int(off[0])
    if (off != steps).any():
        return None
    which = "all its spikes are" if off.size == wanted.size else f"{off.size} of its spikes are"
    if off.size == 1:
        which = "the spike is"
    return f"{which} {counted(abs(steps), 'step')} too {'late' if steps > 0 else 'early'}"
