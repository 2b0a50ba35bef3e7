"""Reading NIR: any graph that a feed-forward network of Volr's can express, whoever wrote it.

A file that Volr wrote says in its metadata what NIR cannot, and reading it returns the same model.
The metadata are checked: the model that they describe, written again, must give the graph in the
file. Otherwise they are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from volr.affine.projections import projected
from volr.backends.foreign_files import SettingInFileError, read_bytes
from volr.backends.nir import NIR
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.import_graph import GraphSkeleton, refuse, skeleton_of
from volr.backends.nir.import_spiking import spiking_model
from volr.backends.nir.metadata import KEY, MalformedError, read_description
from volr.backends.nir.primitives import is_population
from volr.backends.nir.spiking_nodes import Signal, by_unit
from volr.backends.nir.time_unit import TimeUnit, steps_of
from volr.backends.nir.to_graph import canonical
from volr.backends.refusals import require
from volr.errors import BackendError, ModelError, ModelFileError, NetworkError
from volr.models.activations import Identity, ReLU
from volr.models.coding import ConstantCurrent, InputCoding, Poisson
from volr.models.model import ArtificialModel, Model
from volr.models.timing import timing_problems
from volr.neurons import RESETS, Reset

if TYPE_CHECKING:
    from volr.backends.nir.graph import Graph
    from volr.checks.arrays import Floats

Generation: TypeAlias = Literal["ANN", "SNN"]

DEFAULT_STEPS = 100
_EXACT = 1e-12


@dataclass(frozen=True)
class Imported:
    """The model in a NIR file, and ``notes`` on what was assumed, in sentences.

    ``program`` is the text from which the network was made, as the file says it, unchecked; None
    where the file has none.
    """

    model: Model
    notes: tuple[str, ...] = ()
    program: str | None = None


def read_nir(file: str | Path | bytes, **settings: Any) -> Imported:
    """The model in a NIR file, a path or its bytes. ``settings`` are those of ``Reading``.

    Raises ``ModelFileError`` for a file that cannot be read, is damaged, or is no network that Volr
    can express, with everything in the way; ``SettingInFileError`` where a setting is given, and
    Volr wrote the file.
    """
    how = Reading(**settings)
    name, graph = graph_in(file)
    return model_of(graph, name, how)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file that Volr did not write: the settings that NIR leaves open.

    The defaults are as follows, and the ``notes`` on what was read name them.

    ``generation``  SNN where there are neurons. As an ANN, an IF stands for a ReLU, its rate
    ``time_unit``   of the file: inferred from its time constants, see ``time_unit``
    ``dt``          ms: the file's ``dt``, or else 1
    ``duration``    ms: 100 steps
    ``signal``      how a spike acts, see ``spiking_nodes``: as in an explicit Euler step
    ``reset``       hard, to v_reset
    ``coding``      Poisson, a spike in each step for the value 1; where neurons are driven by the
                    input itself, a constant current with 500 Hz for the value 1, or half the most

    Raises ``ModelFileError`` for any other word.
    """

    generation: Generation | None = None
    time_unit: TimeUnit | None = None
    dt: float | None = None
    duration: float | None = None
    signal: Signal | None = None
    reset: Reset | None = None
    coding: InputCoding | None = None

    def __post_init__(self) -> None:
        for what, word, known in (
            ("generation", self.generation, get_args(Generation)),
            ("unit of time", self.time_unit, get_args(TimeUnit)),
            ("signal", self.signal, get_args(Signal)),
            ("reset", self.reset, RESETS),
        ):
            if word is not None and word not in known:
                raise ModelFileError(f"the {what} is {word!r}, not one of {', '.join(known)}")


def model_of(graph: Graph, name: str = "the file", how: Reading = Reading()) -> Imported:
    """The model in a graph; see ``read_nir``. ``name`` is what messages call it."""
    try:
        # What overflows is no finite number, and refused as such.
        with np.errstate(all="ignore"):
            return _model(graph, name, how)
    except (ModelError, NetworkError) as error:
        raise ModelFileError(f"{name}: {error.message}", help=error.help) from error


def _model(graph: Graph, name: str, how: Reading) -> Imported:
    notes: list[str] = []
    if KEY in graph.metadata:
        own = own_model(graph)
        if isinstance(own, Imported):
            if given := [each.name for each in fields(how) if getattr(how, each.name) is not None]:
                raise SettingInFileError(name, given)
            return own
        notes.append(own)
    spiking = any(is_population(node) for node in graph.nodes.values())
    if how.generation == "ANN" or (how.generation is None and not spiking):
        found = skeleton_of(graph, name, artificial=True)
        model, more = _artificial(found, graph, name)
        return Imported(model, (*notes, *found.notes, *more))
    found = skeleton_of(graph, name, artificial=False)
    signal = how.signal or "euler"
    steps, why = steps_of(graph, how.time_unit, how.dt, signal)
    duration = steps.dt if how.duration is None else how.duration
    if wrong := timing_problems(steps.dt, duration, steps.dt):
        raise ModelFileError(f"{name}: " + "; ".join(wrong))
    if how.duration is None:
        duration = DEFAULT_STEPS * steps.dt
        notes.append(f"a stimulus is shown for {DEFAULT_STEPS} steps, {duration:g} ms")
    notes += [*why, *found.notes]
    coding = how.coding
    if coding is None:
        coding, note = _coding(found, steps.dt)
        notes.append(note)
    notes.append(_SIGNALS[signal])
    reset = how.reset or "hard"
    model, more = spiking_model(
        graph, found, name, steps=steps, reset=reset, coding=coding, duration=duration
    )
    return Imported(model, (*notes, *more))


_SIGNALS: dict[Signal, str] = {
    "euler": "nodes are read as Euler steps with r · dt/τ for each spike, which is how Norse, "
    "snnTorch and SpikingJelly mean them; signal='jump', 'step' or 'impulse' read them otherwise",
    "jump": "nodes are read as exact decays to which each spike adds its weight, which is how "
    "sinabs means them",
    "step": "nodes are read as exact steps with an input that is held for a step",
    "impulse": "nodes are read as equations in which a spike is an impulse of area 1",
}


def own_model(graph: Graph) -> Imported | str:
    """The model that the graph's metadata describe, or why the two do not belong together.

    Raises ``ModelError`` where there is not the memory for it.
    """
    try:
        described = read_description(graph.metadata[KEY])
        model = described.model(graph)
        difference = _difference(canonical(model), graph)
    except MalformedError as error:
        difference = f"the metadata {error}"
    except (ModelError, NetworkError, BackendError) as error:
        difference = error.message
    else:
        if difference is None:
            return Imported(model, (), described.program)
    return f"Volr's metadata are ignored, because the graph differs from them: {difference}"


def _difference(ours: Graph, theirs: Graph) -> str | None:
    """The first node or edge in which two graphs differ."""
    if set(ours.nodes) != set(theirs.nodes):
        name = min(set(ours.nodes) ^ set(theirs.nodes))
        return f"node {name!r} is in only one of them"
    if set(ours.edges) != set(theirs.edges):
        a, b = min(set(ours.edges) ^ set(theirs.edges))
        return f"the edge from {a!r} to {b!r} is in only one of them"
    for name, node in ours.nodes.items():
        other = theirs.nodes[name]
        if node.kind != other.kind:
            return f"node {name!r} is a {node.kind} in one and a {other.kind} in the other"
        for key, value in node.values.items():
            there = other.values[key]
            if value.shape != there.shape or not np.allclose(value, there, rtol=_EXACT, atol=0.0):
                return f"node {name!r} has another {key!r}"
    return None


def _artificial(found: GraphSkeleton, graph: Graph, name: str) -> tuple[ArtificialModel, list[str]]:
    """An IF under a constant input z spikes at the rate max(r z, 0) / (v_threshold − v_reset)."""
    problems: list[str] = []
    factors: dict[str, Floats] = {}
    biases: dict[str, Floats] = {}
    hidden = False
    for population, form in found.forms.items():
        node = graph.nodes[found.nodes[population]]
        factor = np.ones(form.size)
        if is_population(node):
            hidden, v, wrong = True, node.values, ""
            if node.kind != "IF":
                wrong = f"{node.kind} is not a ReLU; only the rate of an IF is one"
            elif not ((v["v_threshold"] > v["v_reset"]).all() and (v["r"] > 0).all()):
                wrong = "its rate is not that of a ReLU"
            if wrong:
                problems.append(f"node {found.nodes[population]!r}: {wrong}")
                continue
            rate = v["r"] / (v["v_threshold"] - v["v_reset"])
            factor = by_unit("rate", rate, found.shapes[population])
        factors[population] = factor
        biases[population] = factor * form.offset()
    if problems:
        raise refuse(name, problems)
    made = projected(found, factors, biases, spiking=False)
    model = ArtificialModel(made.network, made.parameters, ReLU() if hidden else Identity())
    how = "integrate-and-fire neurons are read as ReLUs, which their rates are"
    if not hidden:
        how = "there are no neurons: it is read as an artificial network without activations"
    return model, [*made.notes, how]


def _coding(found: GraphSkeleton, dt: float) -> tuple[InputCoding, str]:
    if found.driven:
        rate = min(500.0, 500.0 / dt)
        return ConstantCurrent(rate), (
            f"the inputs' neurons are driven by a constant current, {rate:g} Hz for the value 1"
        )
    # 1000 / dt is the most there can be; a hair less than that after rounding is as good.
    rate = 1000.0 / dt
    why = "an input spikes in each step with the probability that is its value"
    return Poisson(rate), f"{why}, {rate:g} Hz for the value 1"


def graph_in(file: str | Path | bytes) -> tuple[str, Graph]:
    """What messages call a file, a path or its bytes, and the graph in it.

    Raises ``ModelFileError`` for a file that cannot be read, or is damaged, and ``MissingError``
    without h5py.
    """
    require(NIR)
    if isinstance(file, bytes):
        return "the file", read_graph(file)
    path = Path(file)
    return str(path), read_graph(read_bytes(path), str(path))
