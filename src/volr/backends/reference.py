"""What an artificial model means: a plain NumPy program in float64, which all others must equal.

⟦input⟧       =  the stimuli; with a staircase ⌊x L + ½⌋ of them, of L levels
⟦population⟧  =  σ(z),  z = Σ W ⟦source⟧ + b, one term a projection
⟦population⟧  =  z,     z = max W ⟦source⟧, where the largest of what arrives counts
logits        =  z of the outputs, side by side

A model becomes a ``Program``, one ``Step`` a population, and ``run`` goes through it. ``read_back``
asks the steps what they compute: it calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import ArtificialBackend
from volr.backends.probing import activation_of, affine_of, merge_of, taken_as
from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.checks.batches import check_batch
from volr.models.activations import ACTIVATION_NAMES, activate, input_values
from volr.models.parameters import unit_biases, weight_name
from volr.network import Connector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.backends.base import Forward
    from volr.backends.readback import Ends
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel
    from volr.network import Projection


@dataclass(frozen=True, eq=False)
class Step:
    """How one population comes about: its weighted sums, and what it makes of them.

    ``terms`` are the source of each projection into it and what the projection makes of the
    source's values; they are added up, or the step ``takes_largest``. An output ``shows`` its
    sums; whatever is sent on is the activation.
    """

    name: str
    bias: Floats
    terms: tuple[tuple[str, Callable[[Floats], Floats]], ...]
    takes_largest: bool
    activation: Callable[[Floats], Floats]
    shows: bool
    sends: bool

    def sums(self, values: Mapping[str, Floats]) -> Floats:
        """z, ``[batch, unit]``, of the values of its sources, ``[batch, unit]`` each."""
        if self.takes_largest:
            return np.maximum.reduce([arriving(values[source]) for source, arriving in self.terms])
        batch = len(values[self.terms[0][0]])
        z = np.tile(self.bias, (batch, 1))
        for source, arriving in self.terms:
            z += arriving(values[source])
        return z


@dataclass(frozen=True, eq=False)
class Program:
    """A network, step by step.

    ``inputs`` are names and sizes, side by side in a stimulus; they send what ``taken`` makes of
    it.
    """

    inputs: tuple[tuple[str, int], ...]
    taken: Callable[[Floats], Floats]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    @property
    def input_size(self) -> int:
        """The number of values of a stimulus."""
        return sum(size for _, size in self.inputs)


def program_of(model: ArtificialModel) -> Program:
    """The program of a model."""
    network = model.network
    sources = {projection.source for projection in network.projections}
    return Program(
        inputs=tuple((name, network[name].size) for name in network.inputs),
        taken=partial(input_values, model.activation),
        steps=tuple(
            Step(
                name=population.name,
                bias=unit_biases(population, model.parameters),
                terms=tuple(
                    (p.source, _map_of(model, p)) for p in network.incoming[population.name]
                ),
                takes_largest=population.merge == "max",
                activation=partial(activate, model.activation_of(population.name)),
                shows=population.name in network.outputs,
                sends=population.name in sources,
            )
            for population in network.layers
        ),
        outputs=network.outputs,
    )


def _map_of(model: ArtificialModel, projection: Projection) -> Callable[[Floats], Floats]:
    weights = model.parameters[weight_name(projection)]
    source, target = model.network.ends(projection)
    connector, merge = projection.connector, model.network[projection.target].merge
    meaning = connector.apply if merge == "sum" else connector.largest
    return partial(meaning, weights, source=source, target=target)


def run(program: Program, inputs: Floats) -> dict[str, Floats]:
    """What every population shows for stimuli ``[batch, unit]``; see ``activations``."""
    values = _split(program, np.asarray(inputs, dtype=np.float64))
    shown = dict(values)
    for step in program.steps:
        z = step.sums(values)
        values[step.name] = step.activation(z)
        shown[step.name] = z if step.shows else values[step.name]
    return shown


def logits(program: Program, inputs: Floats) -> Floats:
    """The outputs side by side, ``[batch, unit]``. Raises as ``activations`` does."""
    shown = run(program, inputs)
    return np.concatenate([shown[name] for name in program.outputs], axis=1)


def activations(model: ArtificialModel, inputs: Floats) -> dict[str, Floats]:
    """The activation of every population, ``[batch, unit]``, for stimuli ``[batch, unit]``.

    Inputs are as given, or the whole numbers that a staircase makes of them. Outputs are weighted
    sums; an output with projections of its own sends its activation along them all the same.

    Raises ``DataError`` where the stimuli do not fit.
    """
    return run(program_of(model), inputs)


def forward(model: ArtificialModel, inputs: Floats) -> Floats:
    """The logits ``[batch, unit]``: the outputs side by side. Raises as ``activations`` does."""
    return logits(program_of(model), inputs)


def read_back(model: ArtificialModel) -> ArtificialReadback:
    """What the steps of the model's program compute, found by calling them."""
    return contents(program_of(model))


def contents(program: Program) -> ArtificialReadback:
    """What a program computes: unit vectors give its weights, zeros its biases."""
    sizes = dict(program.inputs) | {step.name: len(step.bias) for step in program.steps}
    weights: dict[Ends, Floats] = {}
    biases: dict[str, Floats] = {}
    merges: dict[str, str] = {}
    for step in program.steps:
        sources = {source: sizes[source] for source, _ in step.terms}
        columns, biases[step.name] = affine_of(step.sums, sources)
        weights |= {(source, step.name): each for source, each in columns.items()}
        likely = "max" if step.takes_largest else "sum"
        merge = merge_of(step.sums, columns, biases[step.name], likely)
        if merge != "sum":
            merges[step.name] = merge
    return ArtificialReadback(
        populations=all_asked(sizes),
        inputs=Asked(tuple(name for name, _ in program.inputs)),
        outputs=Asked(program.outputs),
        weights=all_asked(weights, _PROBED),
        biases=all_asked(biases, _PROBED),
        activations=all_asked(taken_as(dict(program.inputs), program.taken), _PROBED)
        | all_asked(
            {step.name: activation_of(step.activation) for step in program.steps if step.sends},
            _PROBED,
        ),
        merges=all_asked(merges, _PROBED),
        precision=precision_of(each.dtype for each in (*weights.values(), *biases.values())),
    )


_PROBED = "its steps are called with zeros, unit vectors and some numbers"


def _split(program: Program, inputs: Floats) -> dict[str, Floats]:
    """The stimuli, cut into the input populations."""
    check_batch(inputs.shape, program.input_size)
    names, sizes = zip(*program.inputs, strict=True)
    sent = program.taken(inputs)
    return dict(zip(names, np.split(sent, np.cumsum(sizes)[:-1], axis=1), strict=True))


def _build(model: ArtificialModel) -> Forward:
    return partial(logits, program_of(model))


REFERENCE = ArtificialBackend(
    name="reference",
    summary="the meaning of an artificial model, in NumPy and float64",
    activations=ACTIVATION_NAMES,
    build=_build,
    read_back=read_back,
    connectors=(Connector,),
    merges=("sum", "max"),
    several=True,
)
