"""Networks and models for tests, and oracles that share no code with what they check."""

from __future__ import annotations

import itertools
import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
from tests import readbacks

from volr.backends.base import Record, Recordings, SpikingBackend
from volr.backends.expected import expected
from volr.engine.reference import simulate
from volr.network import Network, Population, Projection
from volr.neurons import NEURON_MODELS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from volr.backends.base import Progress
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Booleans, Floats
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import SpikeTrains


def chain(*sizes: int) -> Network:
    """The network of `dense a b ⦶ dense b c …`, built by hand."""
    populations = [Population("input", (sizes[0],))]
    populations += [Population(f"dense_{i}", (n,)) for i, n in enumerate(sizes[1:], 1)]
    names = [population.name for population in populations]
    projections = [Projection(a, b) for a, b in itertools.pairwise(names)]
    return Network(tuple(populations), tuple(projections), ("input",), (names[-1],))


def fork(inputs: int, left: int, right: int, outputs: int) -> Network:
    """The network of `(dense i l ⊖ dense i r) ⦶ dense (l + r) o`, built by hand."""
    sizes = {"input": inputs, "dense_1": left, "dense_2": right, "dense_3": outputs}
    ends = [("input", "dense_1"), ("input", "dense_2"), ("dense_1", "dense_3")]
    ends.append(("dense_2", "dense_3"))
    return Network(
        tuple(Population(name, (size,)) for name, size in sizes.items()),
        tuple(Projection(source, target) for source, target in ends),
        ("input",),
        ("dense_3",),
    )


def random_parameters(
    network: Network, rng: np.random.Generator, *, weight: float, bias: float
) -> dict[str, Floats]:
    """Signed weights whose mean and deviation are both ``weight``, but for its sign; so biases."""
    values: dict[str, Floats] = {}
    for p in network.projections:
        shape = p.connector.weight_shape(network[p.source].shape, network[p.target].shape)
        values[f"{p.name}.weight"] = rng.normal(weight, abs(weight), shape)
    for p in network.layers:
        if count := network.biases(p):
            values[f"{p.name}.bias"] = rng.normal(bias, abs(bias), count)
    return values


def simulate_delta(
    model: SpikingModel,
    *,
    currents: Floats | None = None,
    given: Booleans | None = None,
) -> tuple[dict[str, Booleans], dict[str, Floats]]:
    """`IF_curr_delta`, step by step: spikes and membranes, ``[time, batch, unit]`` each.

    The input is driven by ``currents`` (nA, ``[batch, unit]``), or is the ``given`` spikes.
    Written from the equations in the documentation of NEST's `iaf_psc_delta`.
    """
    n, network = model.neuron, model.network
    decay = math.exp(-model.dt / n.tau_m)
    resistance = n.tau_m / n.cm
    steps, delay = round(model.duration / model.dt), round(model.delay / model.dt)
    rest_of = math.floor(n.tau_refrac / model.dt + 0.5)
    spikes: dict[str, Booleans] = {}
    membranes: dict[str, Floats] = {}
    drive = currents if currents is not None else given
    assert drive is not None
    batch = drive.shape[-2]
    for population in network.populations:
        shape = (steps, batch, population.size)
        if population.name in network.inputs:
            if given is not None:
                spikes[population.name] = given
                continue
            constant = currents
        else:
            constant = model.parameters[f"{population.name}.bias"][None, :]
        assert constant is not None
        fired, potential = np.zeros(shape, dtype=np.bool_), np.zeros(shape)
        v = np.full(shape[1:], n.v_rest)
        left = np.zeros(shape[1:], dtype=int)
        for k in range(steps):
            arriving = np.zeros(shape[1:])
            if k >= delay:
                for projection in network.projections:
                    if projection.target == population.name:
                        name = f"{projection.source}->{projection.target}.weight"
                        before = spikes[projection.source][k - delay].astype(float)
                        arriving += before @ model.parameters[name].T
            active = left == 0
            pull = resistance * (1 - decay) * (n.i_offset + constant)
            v = np.where(active, n.v_rest + (v - n.v_rest) * decay + pull + arriving, v)
            left = np.maximum(left - 1, 0)
            now = active & (v >= n.v_thresh)
            v = np.where(now, n.v_reset, v)
            left = np.where(now, rest_of, left)
            fired[k], potential[k] = now, v
        spikes[population.name], membranes[population.name] = fired, potential
    return spikes, membranes


class PlainSimulator:
    """A ``Simulator`` made of the engine's reference: slow, and in need of nothing."""

    backend = SpikingBackend(
        name="plain",
        summary="the equations",
        neurons=tuple(each.name for each in NEURON_MODELS),
        resets=("hard", "subtract"),
        codings=("current", "poisson"),
        readouts=("count", "membrane"),
        start=lambda: nullcontext(PlainSimulator()),
    )

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike | SpikeTrains,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        rows = np.asarray(stimuli, dtype=np.float64)
        trace = simulate(model, rows, seed=seed, first=first)
        if progress is not None:
            progress(len(rows))
        silent = [name for name in model.network.outputs if not model.is_spiking(name)]
        return Recordings(
            counts={n: trace.spikes[n].sum(axis=0) for n in record.counted(model.network)},
            spikes={n: trace.spikes[n] for n in record.spikes},
            membranes={n: trace.membranes[n] for n in record.membranes},
            means={n: trace.membranes[n].mean(axis=0) - model.neuron.v_rest for n in silent},
            finals={n: trace.membranes[n][-1] - model.neuron.v_rest for n in silent},
        )

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        return readbacks.spiking(expected(model))
