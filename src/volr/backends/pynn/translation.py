"""Our models in PyNN's words, simulator by simulator, and back.

PyNN's names and units are ours, but its simulators do not mean the same by them, and a network
that is to do the same on all of them has to be told to each in its own way. All of this was
measured against ``volr.engine.reference``:

**NEST** counts as we do. A spike of step k has the time (k + 1) · dt.

**Brian2** labels what happens in a step with the time of its beginning: k · dt. ``tau_refrac``
counts from the spike's own step, so a neuron that rests for r steps is told r + 1. The threshold
has to be exceeded, ours reached; it is told ``TIE`` less. Synapses come after the threshold, so
that a jump of the membrane decays for a step before it counts (PyNN's IF_curr_delta then fires
later than ours, or never); for that neuron they are put before it, and a delay is told as one step
less. PyNN leaves the choice of a method to Brian2, which solves equations with currents exactly,
after some 20 s of computer algebra and not where two time constants are equal; those with
conductances it does not, and falls back on Euler's method, which is far off. So the cells
are given their ``SOLUTIONS``: the equations are PyNN's, the step from one dt to the next is that of
``volr.neurons``.

**NEURON** integrates by the Crank–Nicolson method (its ``secondorder = 2``; PyNN leaves it at
implicit Euler), with synapses held for a step as they are at its start. One step of the
former takes a membrane to where it should be if ``tau_m`` is told as dt / (2 tanh(dt / 2τ)), and
``cm`` by the same factor; weights make up for the latter:

    p_x / (R (1 − a)),    with p_x, R, a of ``volr.neurons``

That is exact for currents. For conductances it is an approximation, as any number would be, since
a membrane decays the faster the more of them are open; τ_m / 2 stands for it there, as if they were
the leak's size. A threshold is told ``TIE`` less here too.

A membrane without leak is told ``ENDLESS`` for ``tau_m``; on NEST 2^53 · dt, for the reason that
``volr.backends.nest.translation`` gives. All three are told its threshold as
``NeuronModel.fires_at`` has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.held_synapses import HeldBlocks
from volr.backends.messages import text_of
from volr.backends.populations import neurons_of
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.readback import (
    Asked,
    Cells,
    SpikingReadback,
    Told,
    all_asked,
    distinct,
    shared,
)
from volr.backends.worker import inputs_of, ticks_of
from volr.neurons import ENDLESS, IFCondExp, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.held_synapses import SynapseArrays
    from volr.backends.messages import Arrays
    from volr.backends.readback import Answer, Ends, Names, Number
    from volr.checks.arrays import Floats, Integers
    from volr.models.model import SpikingModel
    from volr.neurons import NeuronModel

CELLS = {
    IFCurrDelta.name: "IF_curr_delta",
    IFCurrExp.name: "IF_curr_exp",
    IFCondExp.name: "IF_cond_exp",
}
"""PyNN's cell types by our names."""

TIE = 1e-8
"""mV by which the threshold of a leaky neuron is lowered that has to be exceeded: far above
rounding, in volts too."""

UNREACHABLE = 1e300
"""The threshold, mV, of neurons that never spike."""


# What the simulators call those cells (``recording.contents``), and how they are reset.
_HELD = {
    "nest": {
        ("iaf_psc_delta", ""): IFCurrDelta.name,
        ("iaf_psc_exp", ""): IFCurrExp.name,
        ("iaf_cond_exp", ""): IFCondExp.name,
    },
    "brian2": {
        (solution, "v > v_thresh; v = v_reset"): name for name, solution in SOLUTIONS.items()
    },
    "neuron": {
        ("current exp", "ResetRefrac"): IFCurrExp.name,
        ("conductance exp", "ResetRefrac"): IFCondExp.name,
    },
}


@dataclass(frozen=True)
class Line:
    """What is told is ``factor`` times ours and ``shift`` more, or ``endless`` for infinite."""

    factor: float = 1.0
    shift: float = 0.0
    endless: float = math.inf

    def there(self, ours: float) -> float:
        return self.endless if ours == math.inf else self.factor * ours + self.shift

    def back(self, told: float) -> float:
        if math.isclose(told, self.endless, rel_tol=1e-9):
            return math.inf
        return (told - self.shift) / self.factor


@dataclass(frozen=True)
class Dialect:
    """A simulator under PyNN: its module's name, neurons of ours that it has and those that are
    exact, and the time, in steps, of a spike in the first step."""

    simulator: str
    neurons: tuple[str, ...]
    exact: tuple[str, ...]
    first: int


NEST = Dialect("nest", tuple(CELLS), tuple(CELLS), 1)
BRIAN2 = Dialect("brian2", tuple(CELLS), (IFCurrDelta.name, IFCurrExp.name), 0)
NEURON = Dialect("neuron", (IFCurrExp.name, IFCondExp.name), (IFCurrExp.name,), 1)
DIALECTS = (NEST, BRIAN2, NEURON)


def lines(dialect: Dialect, neuron: NeuronModel, dt: float) -> Mapping[str, Line]:
    """How each parameter of the neuron is told; so ``delay``, ``excitatory`` and ``inhibitory``
    weights."""
    told = dict.fromkeys((*neuron.numbers, "delay", "excitatory", "inhibitory"), Line())
    told["v_thresh"] = Line(shift=-tie(neuron, dialect))
    told |= {tau: Line(endless=ENDLESS) for tau in neuron.endless}
    match dialect.simulator:
        case "brian2":
            told["tau_refrac"] = Line(shift=dt)
            if neuron.moves_at_once:
                told["delay"] = Line(shift=-dt)
        case "neuron":
            half = dt / (2.0 * neuron.tau_m)
            factor = half / math.tanh(half) if neuron.leaks else 1.0
            told["cm"] = Line(factor)
            told["tau_m"] = Line(factor, endless=ENDLESS)
            if not neuron.moves_at_once:
                membrane = neuron.tau_m / (2.0 if neuron.has_conductances else 1.0)
                tau_e, tau_i = (neuron.numbers[key] for key in ("tau_syn_E", "tau_syn_I"))
                held = IFCurrExp(tau_m=membrane, tau_syn_E=tau_e, tau_syn_I=tau_i)
                rises = held.synaptic_rises(dt)
                for name, rise in zip(("excitatory", "inhibitory"), rises, strict=True):
                    told[name] = Line(rise / held.rise(dt))
        case _:
            told["tau_m"] = Line(endless=2.0**53 * dt)
    return told


def tie(neuron: NeuronModel, dialect: Dialect | None = None) -> float:
    """mV by which the threshold is lowered on a simulator; where none is told, on those on which it
    has to be exceeded."""
    if not neuron.leaks:
        return neuron.v_thresh - neuron.fires_at()
    return 0.0 if dialect is NEST else TIE


def parameters(dialect: Dialect, neuron: NeuronModel, dt: float) -> dict[str, float]:
    """What the cells are told, ``i_offset`` aside, which is among the currents."""
    ours = {**neuron.numbers, "tau_refrac": neuron.refractory_steps(dt) * dt}
    del ours["i_offset"]
    told = lines(dialect, neuron, dt)
    return {name: told[name].there(value) for name, value in ours.items()}


def told_weights(
    dialect: Dialect, model: SpikingModel, target: str, weights: Floats, post: Integers
) -> Floats:
    """What synapses onto neurons of a population are told: signed weights."""
    return weights * _factors(dialect, model, target, weights, post)


def _factors(
    dialect: Dialect, model: SpikingModel, target: str, weights: Floats, post: Integers
) -> Floats:
    """The factors for the weights of synapses onto neurons of a population, each by its sign."""
    units = model.units_of(target)

    def factor(receptor: str) -> Floats | float:
        each = units.of(lambda neuron: lines(dialect, neuron, model.dt)[receptor].factor)
        return each[post] if isinstance(each, np.ndarray) else each

    return np.where(weights < 0.0, factor("inhibitory"), factor("excitatory"))


def in_our_words(dialect: Dialect, model: SpikingModel, answers: list[Arrays]) -> SpikingReadback:
    """What a kernel says that the simulator holds, in our words: its answers to
    ``volr.backends.worker.probing``, which are those of ``recording.contents``."""
    network, answer = model.network, answers[0]
    names = [p.name for p in network.populations]
    held: dict[Ends, list[SynapseArrays]] = {}
    delays: dict[Ends, Number] = {}
    for ends in ((source, target) for source in names for target in names):
        key = "->".join(ends)
        if f"{key}.weight" in answer:
            pre, post, each = (answer[f"{key}.{part}"] for part in ("pre", "post", "weight"))
            held[ends] = [(post, pre, each / _factors(dialect, model, ends[1], each, post))]
            told = lines(dialect, model.neuron_of(ends[1]), model.dt)
            late = np.unique(answer[f"{key}.delay"]).tolist()
            delays[ends] = distinct([told["delay"].back(each) for each in late])
    sizes = {name: int(answer[f"{name}.cells"][0]) for name in names if f"{name}.cells" in answer}
    return SpikingReadback(
        populations=all_asked(sizes),
        inputs=inputs_of(names, answers),
        outputs=_read(dialect, model, answer),
        weights=HeldBlocks(held, sizes),
        biases=all_asked(
            {
                p.name: answer[f"{p.name}.i_offset"]
                for p in network.layers
                if f"{p.name}.i_offset" in answer
            }
        ),
        cells={
            name: _cells(dialect, model, name, answer)
            for name in names
            if f"{name}.model" in answer
        },
        delays=all_asked(delays),
        ticks=ticks_of(network, answers),
        dt=Asked(float(answer["dt"][0])),
        precision=Told("PyNN returns every number as float64, whatever its simulator holds"),
    )


def _cells(dialect: Dialect, model: SpikingModel, name: str, answer: Arrays) -> Cells:
    """The neurons of a population. What they are told depends on their model, by ``lines``."""
    neuron = model.neuron_of(name)
    held, reset = (text_of(answer[f"{name}.{key}"]) for key in ("model", "reset"))
    kinds = _HELD[dialect.simulator]
    kind = kinds.get((held, reset))
    if kind is None or kind != neuron.name:
        # It may differ in its reset alone.
        same = next((each for (text, _), each in kinds.items() if text == held), "another")
        return Cells(Asked(kind or same), Asked("hard" if kind else "another"), {})
    size = len(answer[f"{name}.v_thresh"])
    numbers: dict[str, Number] = {}
    for key in neuron.numbers:
        if f"{name}.{key}" not in answer or key == "i_offset":
            continue
        held, found = answer[f"{name}.{key}"], np.empty(size)
        units = model.units_of(name)
        for unit, which in units.units(size):
            line = lines(dialect, unit, model.dt)[key]
            values, each = np.unique(held[which], return_inverse=True)
            found[which] = np.array([line.back(float(value)) for value in values])[each]
        if key == "v_thresh":
            found[found >= UNREACHABLE] = math.inf
        numbers[key] = shared(found)
    return Cells(Asked(kind), Asked("hard"), all_asked(numbers))


def restless(dialect: Dialect, model: SpikingModel) -> list[str]:
    """The populations that are watched: NEURON's neurons may fall silent if they never rest."""
    return [
        name
        for name in neurons_of(model)
        if dialect is NEURON
        and model.is_spiking(name)
        and any(each.refractory_steps(model.dt) == 0 for each in model.units_of(name).kinds)
    ]


def _read(dialect: Dialect, model: SpikingModel, answer: Arrays) -> Answer[Names]:
    """The populations that are recorded. One that is given as spikes need not be."""
    names = [p.name for p in model.network.populations if f"{p.name}.cells" in answer]
    if any(f"{name}.model" not in answer for name in model.network.outputs if name in names):
        return Told("an output is an input given as spikes, which is not recorded")
    if restless(dialect, model):
        return Told("all populations are recorded, to notice a neuron that falls silent")
    read = frozenset(name for name in names if f"{name}.read" in answer)
    return Asked(read, "which populations are recorded")
