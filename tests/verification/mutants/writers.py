"""Mistakes in what writes a document: one line of a module of ours is another.

A mistake is planted into the source, as a hand would make it, and the module is loaded from that,
so that a reader that shared the line would be mistaken in the same way.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_BEFORE_SELECT = "    sizes = {name: network[name].size for name in network.outputs}\n"


class _Text(importlib.abc.InspectLoader):
    """Loads a module from a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        del fullname
        return self.text


@dataclass(frozen=True)
class Mistake:
    """A place in a text, which is there once, and what stands there instead."""

    right: str
    wrong: str

    def planted(self, text: str) -> str:
        assert text.count(self.right) == 1, self.right
        return text.replace(self.right, self.wrong)

    def loaded(self, module: ModuleType) -> ModuleType:
        """The module with the mistake, under a name of its own; its dataclasses are its own."""
        loader = _Text(self.planted(inspect.getsource(module)))
        spec = importlib.util.spec_from_loader(module.__name__, loader)
        assert spec is not None
        changed = importlib.util.module_from_spec(spec)
        loader.exec_module(changed)
        return changed


RING = {
    "the second clock is not heard": Mistake(
        "recurrent[rows, clocks[1]] = later - second", "recurrent[rows, clocks[1]] = 0.0"
    ),
    "a projection too many, backwards": Mistake(
        _BEFORE_SELECT,
        _BEFORE_SELECT + '    recurrent[first["square"], first["last"]] = 50.0\n',
    ),
    "an input straight onto an output": Mistake(
        _BEFORE_SELECT, _BEFORE_SELECT + '    into[first["last"], 0] = 50.0\n'
    ),
    "nothing pushes the first clock": Mistake("    bias[clocks[:1]] = push\n", ""),
    "nothing pushes the second clock": Mistake(
        "    recurrent[clocks[1:], clocks[:1]] = push\n", ""
    ),
    "relays keep their current": Mistake(
        "            recurrent[after + here, after + here] = back\n", ""
    ),
    "relays of inputs keep their current": Mistake(
        "        recurrent[first[name] + here, first[name] + here] = back\n", ""
    ),
    "nothing reaches the threshold of a relay": Mistake(
        "push = neuron.theta * (", "push = neuron.theta * 0.1 * ("
    ),
    "membranes start where a spike resets them": Mistake(
        "(1.0 - a) * start, a * start", "(1.0 - a) * start, 0.0"
    ),
}
"""Mistakes in ``volr.backends.nir.dialects.ring``, of neurons with currents."""

NODES = {
    "norse": {
        "currents count twice": Mistake("w_in=1.0 / (1.0 - kept),", "w_in=2.0 / (1.0 - kept),"),
        "membranes start elsewhere": Mistake(
            "r=gain,\n        v_leak=0.0,", "r=gain,\n        v_leak=1.0,"
        ),
    },
    "snntorch": {
        "currents count twice": Mistake("w_in=syn / dt,", "w_in=2.0 * syn / dt,"),
        "membranes count twice": Mistake(
            "r=mem / dt,\n        v_leak", "r=2.0 * mem / dt,\n        v_leak"
        ),
    },
    "spikingjelly": {
        "currents count twice": Mistake("w_in=syn / dt,", "w_in=2.0 * syn / dt,"),
    },
    "sinabs": {
        "nothing is given back": Mistake("affine(ring.a * theta * one)", "affine(0.0 * one)"),
        "the first spike is not paid for": Mistake(
            "affine(-ring.a * ring.theta * one)", "affine(0.0 * one)"
        ),
        "gates spike without their cells": Mistake("1.0 - 0.5 / most", "1.0 + 0.5 / most"),
        "gates spike twice": Mistake("one / most[:, None]", "2.0 * one / most[:, None]"),
        "gates keep what they have": Mistake("tau=_steps(0.0)", "tau=_steps(0.9)"),
        "an edge is missing": Mistake(', ("refund", "cells")', ""),
    },
}
"""Mistakes in the file of an importer in ``volr.backends.nir.dialects``, or in ``ring_graph``."""

PROGRAMS = {
    "pynn": {
        "weights are halved": Mistake(
            "values = synapse[receptor] * weights", "values = 0.5 * synapse[receptor] * weights"
        ),
        "delays are three times as long": Mistake(
            '"delay": DELAY_STEPS * DT}', '"delay": 3 * DELAY_STEPS * DT}'
        ),
        "a mask is transposed": Mistake(
            "post, pre = np.nonzero(mask)", "pre, post = np.nonzero(mask)"
        ),
    },
    "brian2.py": {
        "a mask is transposed": Mistake(
            "before, after = np.nonzero(mask.T)", "before, after = np.nonzero(mask)"
        ),
    },
    "futhark.fut": {
        "sums are differences": Mistake("map2 (+) ys xs", "map2 (-) ys xs"),
    },
}
"""Mistakes in the programs of scripts, which are the same for all models."""
