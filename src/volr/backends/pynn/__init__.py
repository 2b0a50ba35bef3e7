"""PyNN: spiking models on NEST, Brian2 and NEURON, through PyNN's own interface; and its scripts.

    translation.py  our models in PyNN's words, simulator by simulator: what each means by them
    kernel.py       what runs in a process that has PyNN (``volr.backends.processes``)
    mechanisms.py   NEURON's part of PyNN, compiled
    script.py       a model as a script for PyNN; ``script_read_back.py`` parses it

On NEST all neurons are spike for spike the engine's, and so are those with currents on Brian2 and
on NEURON, where PyNN has no ``IFCurrDelta``. ``IFCondExp`` is integrated otherwise than on NEST by
Brian2 and NEURON, and most spike counts agree. This file cuts the stimuli into batches and puts the
answers together.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import Document, Record, Simulator, SpikingBackend
from volr.backends.pooled_simulator import MOST_VALUES, PooledSimulator
from volr.backends.populations import neurons_of
from volr.backends.processes import WorkerPool
from volr.backends.pynn import mechanisms, translation
from volr.backends.pynn.script import write_script
from volr.backends.pynn.script_read_back import read_back_script
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.pynn.translation import CELLS, DIALECTS, UNREACHABLE, Dialect, in_our_words
from volr.backends.refusals import elsewhere, require
from volr.backends.worker import kernel_settings, requests, synapse_arrays, widest
from volr.errors import UnsupportedError
from volr.models.coding import CODING_NAMES, input_drive
from volr.models.model import READOUTS
from volr.models.timing import is_multiple
from volr.network import Connector
from volr.neurons import stays
from volr.system.temporary import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from volr.backends.messages import Arrays, Request, Settings
    from volr.backends.readback import SpikingReadback
    from volr.checks.arrays import Booleans
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import Stimuli
    from volr.network import Projection
    from volr.neurons import NeuronModel

# Neurons of all copies in one batch, for simulators that take copies side by side, and synapses;
# stimuli, for NEURON. Building a neuron through PyNN takes 0.1 ms, however many there are.
BATCH_NEURONS = {"nest": 6_000, "brian2": 40_000}
BATCH_SYNAPSES = 4_000_000
BATCH_STIMULI = 50
# NEST counts time in tics of a microsecond.
TIC = 0.001


class PynnSimulator(PooledSimulator):
    """PyNN on one simulator, started."""

    def __init__(self, dialect: Dialect, processes: int | None = None) -> None:
        self._dialect = dialect
        # PyNN and Brian2 leave folders and logs among the temporary files, and a process that is
        # ended removes nothing.
        self._folder = Workplace("volr-pynn")
        environment = {"TMPDIR": str(self._folder.path)}
        if dialect is translation.NEURON:
            mechanisms.announce()
        backend, kernel = RECORDS[dialect.simulator], "volr.backends.pynn.kernel"
        super().__init__(backend, WorkerPool(kernel, backend.name, processes, environment))

    def close(self) -> None:
        super().close()
        self._folder.close()

    def check_model(self, model: SpikingModel) -> None:
        _check_translatable(self.backend.name, self._dialect, model)

    def check_answer(self, model: SpikingModel, answer: Arrays) -> None:
        _check_awake(self.backend.name, model, answer)

    def given(
        self, model: SpikingModel, stimuli: Stimuli, seed: int, first: int
    ) -> Mapping[str, Booleans]:
        return input_drive(model, stimuli, seed=seed, first=first).spikes

    def size(self, model: SpikingModel, record: Record, stimuli: int, processes: int) -> int:
        return batch_size(self._dialect, model, record, stimuli, processes)

    def synapse_bytes(self, size: int) -> int:
        # NEURON has one copy, and PyNN keeps an object for each of its synapses.
        return 1_000 if self._dialect is translation.NEURON else super().synapse_bytes(size)

    def requests(
        self,
        model: SpikingModel,
        stimuli: Stimuli,
        record: Record,
        seed: int,
        size: int,
        first: int = 0,
    ) -> Iterator[Request]:
        return _requests(self._dialect, model, stimuli, record, seed, size, first)

    def asks(self, model: SpikingModel) -> dict[str, list[str]]:
        return {name: [*neuron.numbers] for name, neuron in neurons_of(model).items()}

    def contents(self, model: SpikingModel, answers: list[Arrays]) -> SpikingReadback:
        return in_our_words(self._dialect, model, answers)


def start(dialect: Dialect, processes: int | None = None) -> AbstractContextManager[Simulator]:
    """PyNN on ``processes`` processes, one a core unless told; ``MissingError`` without it."""
    require(RECORDS[dialect.simulator])
    return PynnSimulator(dialect, processes)


def _backend(
    dialect: Dialect, simulator: str, package: str, programs: Mapping[str, str] | None = None
) -> SpikingBackend:
    return SpikingBackend(
        name=f"pynn.{dialect.simulator}",
        summary=f"PyNN on {simulator}",
        requires=("pyNN", package),
        extra=f"pynn,{package}",
        programs=programs or {},
        neurons=dialect.neurons,
        exact=dialect.exact,
        codings=CODING_NAMES,
        readouts=READOUTS,
        delays=True,
        several=True,
        start=partial(start, dialect),
    )


PYNN_NEST = _backend(translation.NEST, "NEST", "nest")
PYNN_BRIAN2 = _backend(translation.BRIAN2, "Brian2", "brian2")
# NEURON's mechanisms are compiled.
COMPILER = {"c++": "apt install g++", "make": "apt install make"}
PYNN_NEURON = _backend(translation.NEURON, "NEURON", "neuron", COMPILER)
RECORDS = {
    each.simulator: record
    for each, record in zip(DIALECTS, (PYNN_NEST, PYNN_BRIAN2, PYNN_NEURON), strict=True)
}

PYNN = Document(
    name="pynn",
    summary="a script for PyNN, which runs on NEST, Brian2 and NEURON",
    suffix=".py",
    extra="pynn",
    neurons=tuple(CELLS),
    resets=("hard",),
    codings=CODING_NAMES,
    readouts=("count", "final"),
    delays=True,
    connectors=(Connector,),
    several=True,
    write=lambda model: write_script(PYNN, model),
    read_back=read_back_script,
)


def _check_translatable(name: str, dialect: Dialect, model: SpikingModel) -> None:
    """Raise ``UnsupportedError`` for a step that the simulator does not support, and for neurons
    that rest for different times where it has one time for all.
    """
    for population in neurons_of(model) if dialect is translation.BRIAN2 else ():
        rests = {each.refractory_steps(model.dt) for each in model.units_of(population).kinds}
        if len(rests) > 1:
            raise UnsupportedError(
                f"{name} cannot run this model: the neurons of {population} differ in tau_refrac, "
                "and PyNN has one for all neurons of a population there",
                help=elsewhere("engine", "brian2", "pynn.nest"),
            )
    if dialect is translation.NEST and not is_multiple(model.dt, TIC):
        raise UnsupportedError(
            f"{name} cannot run this model: dt is {model.dt:g} ms, and NEST counts time in steps "
            f"of {TIC:g} ms",
            help=elsewhere("engine", "pynn.brian2"),
        )


def _check_awake(name: str, model: SpikingModel, answer: Arrays) -> None:
    """Raise ``UnsupportedError`` where a neuron of NEURON fell silent above the threshold."""
    stuck = [
        each.name
        for each in model.network.populations
        if answer.get(f"{each.name}.stuck", np.zeros(1, dtype=np.bool_)).any()
    ]
    if stuck:
        rests = model.neuron_of(stuck[0]).tau_refrac
        raise UnsupportedError(
            f"{name} cannot run this model: tau_refrac is {rests:g} ms, no step "
            f"of {model.dt:g} ms, and a neuron of {', '.join(stuck)} would spike in two steps on "
            "end; NEURON does not notice the second crossing of the threshold",
            help=elsewhere("engine", "pynn.brian2"),
        )


def batch_size(
    dialect: Dialect, model: SpikingModel, record: Record, stimuli: int, processes: int
) -> int:
    """How many stimuli go together: bounded by memory, and enough batches for everybody."""
    network = model.network
    inputs = model.steps * max(network[name].size for name in network.inputs)
    most = MOST_VALUES // max(widest(model, record), inputs)
    if dialect is translation.NEURON:
        most = min(most, BATCH_STIMULI)
    else:
        most = min(most, BATCH_NEURONS[dialect.simulator] // network.neuron_count)
        most = min(most, BATCH_SYNAPSES // max(network.synapse_count, 1))
    return max(1, min(most, -(-stimuli // processes)))


def _requests(
    dialect: Dialect,
    model: SpikingModel,
    stimuli: Stimuli,
    record: Record,
    seed: int,
    size: int,
    first: int,
) -> Iterator[Request]:
    neurons = neurons_of(model)

    def delay(projection: Projection) -> float:
        told = translation.lines(dialect, neurons[projection.target], model.dt)["delay"]
        return told.there(model.delay_steps_of(projection) * model.dt)

    settings: Settings = {
        **kernel_settings(model, record, delay),
        "simulator": dialect.simulator,
        "dt": model.dt,
        "first": dialect.first,
        "neurons": {name: _neurons(dialect, model, name, each) for name, each in neurons.items()},
        "watch": translation.restless(dialect, model),
    }
    wiring = synapse_arrays(model, partial(translation.told_weights, dialect, model))
    return requests(model, stimuli, seed, size, wiring, settings, first=first)


def _neurons(dialect: Dialect, model: SpikingModel, name: str, neuron: NeuronModel) -> Settings:
    """What PyNN is told about a population's cells."""
    units = model.units_of(name)
    numbers = units.stacked(lambda each: translation.parameters(dialect, each, model.dt))
    if not model.is_spiking(name):
        numbers["v_thresh"] = UNREACHABLE
    parameters = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in numbers.items()}
    return {
        "cell": CELLS[neuron.name],
        "parameters": parameters,
        "solution": SOLUTIONS[neuron.name] if dialect is translation.BRIAN2 else "",
        "stays": dialect is translation.NEURON and any(map(stays, units.kinds)),
    }
