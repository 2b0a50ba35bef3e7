"""When a kernel can use the network of the last request again, and what copies without stimuli get.

A kernel that keeps a network has to take it back to rest itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from volr.backends.messages import Arrays, Request


def same_network(before: Request, after: Request) -> bool:
    """Whether two requests differ in nothing but stimuli, of which the second has no more.

    What did not come through the pipe again is the same object (``volr.backends.messages.Held``).
    """
    (old, told), (new, settings) = before, after
    drives = {f"{name}.{kind}" for name in told["inputs"] for kind in ("current", "spikes")}
    return (
        settings["copies"] <= told["copies"]
        and {**settings, "copies": told["copies"]} == told
        and new.keys() == old.keys()
        and all(new[name] is old[name] for name in new.keys() - drives)
    )


def padded(arrays: Arrays, inputs: list[str], copies: int) -> Arrays:
    """The ``name.current`` ``[batch, unit]`` and ``name.spikes`` ``[time, batch, unit]`` of the
    inputs for so many copies: those without a stimulus get nothing.
    """
    found: Arrays = {}
    for name in inputs:
        for key, axis in ((f"{name}.current", 0), (f"{name}.spikes", 1)):
            if key in arrays:
                left = [(0, 0)] * arrays[key].ndim
                left[axis] = (0, copies - arrays[key].shape[axis])
                found[key] = np.pad(arrays[key], left)
    return found
