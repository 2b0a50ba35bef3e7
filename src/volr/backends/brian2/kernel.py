"""What runs inside a Brian2 process: many copies of one network side by side, each its stimulus.

Everything is built anew for every batch, so nothing can leak from one stimulus to the next. Neuron
j of copy c is number ``c · size + j`` of its group. Numbers are in SI units, which is what Brian2
holds. Its objects are called by numbers: what it compiles depends on their names, and so need not
be compiled again for the next model of that shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.backends.brian2.quiet_import import brian2
from volr.backends.messages import spike_list, text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.messages import Arrays, Settings


def handle(arrays: Arrays, settings: Settings) -> Arrays:
    """Build one batch and simulate it, or say what was built; all in Brian2's language.

    ``settings``: ``target``, the language that code is generated in, and a ``folder`` for it;
    ``copies``, ``dt`` (s) and ``steps``; ``neurons`` by population, each the texts ``model``,
    ``step``, ``threshold``, ``reset`` and ``refractory`` and the ``parameters``; of synapses onto
    them the unit of a ``weight``, what a spike does, for positive weights and for negative ones, in
    ``pathways``, and in what ``slot`` of a step; ``populations`` with their sizes, ``inputs``,
    ``projections`` with their ends, and their ``delays`` (s); what to record: ``spiking`` (counts),
    ``spikes``, ``membranes``, ``means``, ``finals``. ``arrays``: ``source->target.pre``, ``.post``
    and ``.weight`` ``[synapse]``; ``name.current`` ``[unit]``; for an input ``name.current``
    ``[batch, unit]`` or ``name.spikes`` ``[time, batch, unit]``. The answer has ``name.counts``,
    ``name.means`` and ``name.finals`` ``[batch, unit]``, ``name.spikes`` and ``name.membranes``
    ``[time, batch, unit]``.

    With ``ask``, the parameters wanted of each population's neurons, nothing is simulated: see
    ``_contents``.
    """
    # What its objects say does not depend on the language.
    _generate("numpy" if "ask" in settings else settings["target"], settings["folder"])
    brian2.defaultclock.dt = settings["dt"] * brian2.second
    built = _build(arrays, settings)
    monitors = _monitors(built, settings)
    if "ask" in settings:
        return _contents(built, monitors, settings["ask"])
    answer = _simulate(built, monitors, settings)
    if settings["target"] == "cpp_standalone":
        brian2.get_device().delete(force=True)
    return answer


def _generate(target: str, folder: str) -> None:
    # Brian2's own choice, -ffast-math, adds in any order; and it starts all compilers at once.
    brian2.prefs["codegen.cpp.extra_compile_args"] = ["-w", "-O2", "-std=c++11"]
    brian2.prefs["devices.cpp_standalone.extra_make_args_unix"] = ["-j2"]
    if target == "cpp_standalone":
        brian2.set_device(target, directory=folder)
        brian2.get_device().reinit()
        brian2.get_device().activate(directory=folder)
    else:
        brian2.prefs["codegen.target"] = target
        brian2.prefs["codegen.runtime.cython.cache_dir"] = folder


@dataclass(frozen=True)
class _Built:
    """``groups`` by population; ``synapses`` by ends, one for each pathway of each projection."""

    groups: dict[str, Any]
    synapses: dict[tuple[str, str], list[Any]]

    @property
    def objects(self) -> list[Any]:
        return [*self.groups.values(), *(one for each in self.synapses.values() for one in each)]


def _build(arrays: Arrays, settings: Settings) -> _Built:
    copies: int = settings["copies"]
    neurons: dict[str, Settings] = settings["neurons"]
    groups: dict[str, Any] = {}
    for number, name in enumerate(settings["populations"]):
        if name not in neurons:
            groups[name] = _sources(arrays[f"{name}.spikes"], number)
            continue
        # Those of an input are given for each copy.
        currents = arrays[f"{name}.current"]
        every = currents.ravel() if currents.ndim == 2 else np.tile(currents, copies)
        groups[name] = _neurons(every, number, neurons[name])
    synapses: dict[tuple[str, str], list[Any]] = {}
    for number, (name, source, target) in enumerate(settings["projections"]):
        those = _Those(*(arrays[f"{name}.{key}"] for key in ("pre", "post", "weight")))
        ends = groups[source], groups[target]
        delay: float = settings["delays"][name]
        pathways = _synapses(*ends, those, number, copies, neurons[target], delay)
        synapses.setdefault((source, target), []).extend(pathways)
    return _Built(groups, synapses)


def _neurons(currents: NDArray[np.float64], number: int, neurons: Settings) -> Any:
    step: str = neurons["step"]

    def solution(*_: object) -> str:
        return step

    group = brian2.NeuronGroup(
        currents.size,
        neurons["model"],
        method=solution,
        threshold=neurons["threshold"],
        reset=neurons["reset"],
        refractory=neurons["refractory"],
        namespace={},
        name=f"population_{number}",
    )
    parameters: dict[str, Any] = neurons["parameters"]
    for parameter, value in parameters.items():
        each = np.atleast_1d(value)
        # Those that differ by unit, of every copy. The underscore is Brian2's sign for a value
        # without its unit.
        every = value if each.size == 1 else np.tile(each, currents.size // each.size)
        setattr(group, f"{parameter}_", every)
    group.I_ = currents
    return group


def _sources(spikes: NDArray[np.bool_], number: int) -> Any:
    steps, neurons = np.nonzero(spikes.reshape(len(spikes), -1))
    return brian2.SpikeGeneratorGroup(
        spikes[0].size,
        neurons,
        steps * brian2.defaultclock.dt,
        sorted=True,
        name=f"population_{number}",
    )


@dataclass(frozen=True)
class _Those:
    """The synapses of one copy, by source and then by target: what one spike sets off lies side by
    side."""

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    weight: NDArray[np.float64]


def _synapses(
    source: Any,
    target: Any,
    those: _Those,
    number: int,
    copies: int,
    neurons: Settings,
    delay: float,
) -> list[Any]:
    codes: list[str] = neurons["pathways"]
    negative = those.weight < 0.0
    masks = [~negative, negative] if len(codes) == 2 else [np.ones_like(negative)]
    found: list[Any] = []
    for sign, (code, mask) in enumerate(zip(codes, masks, strict=True)):
        if not mask.any():
            continue
        blocks = np.arange(copies)[:, None]
        pathway = brian2.Synapses(
            source,
            target,
            f"w : {neurons['weight']} (constant)",
            on_pre=code,
            delay=delay * brian2.second,
            namespace={},
            name=f"projection_{number}_{sign}",
        )
        pathway.pre.when = neurons["slot"]
        pathway.connect(
            i=(blocks * (source.N // copies) + those.pre[mask]).ravel(),
            j=(blocks * (target.N // copies) + those.post[mask]).ravel(),
        )
        pathway.w_ = np.tile(those.weight[mask], copies)
        found.append(pathway)
    return found


@dataclass(frozen=True)
class _Monitors:
    """Monitors by population: of spikes, and of membranes."""

    counters: dict[str, Any]
    meters: dict[str, Any]

    @property
    def objects(self) -> list[Any]:
        return [*self.counters.values(), *self.meters.values()]


def _monitors(built: _Built, settings: Settings) -> _Monitors:
    found = _Monitors({}, {})
    for number, (name, group) in enumerate(built.groups.items()):
        if name in settings["spiking"]:
            whole = name in settings["spikes"]
            found.counters[name] = brian2.SpikeMonitor(group, record=whole, name=f"spikes_{number}")
        seen = ["V"] if name in settings["membranes"] else []
        seen += ["v"] if name in (*settings["means"], *settings["finals"]) else []
        if seen:
            found.meters[name] = brian2.StateMonitor(
                group, seen, record=True, when="end", name=f"membranes_{number}"
            )
    return found


def _simulate(built: _Built, monitors: _Monitors, settings: Settings) -> Arrays:
    copies: int = settings["copies"]
    steps: int = settings["steps"]
    everything = [*built.objects, *monitors.objects]
    brian2.Network(*everything).run(steps * brian2.defaultclock.dt, namespace={})

    answer: Arrays = {}
    for name, counter in monitors.counters.items():
        size: int = settings["populations"][name]
        answer[f"{name}.counts"] = np.array(counter.count_[:], np.int64).reshape(copies, size)
        if name in settings["spikes"]:
            spikes = np.zeros((steps, copies * size), dtype=np.bool_)
            when = np.rint(np.asarray(counter.t_[:]) / settings["dt"]).astype(np.int64)
            spikes[when, np.asarray(counter.i[:])] = True
            answer[f"{name}.spikes"] = spikes.reshape(steps, copies, size)
    for name, meter in monitors.meters.items():
        shape = (steps, copies, settings["populations"][name])
        if name in settings["membranes"]:
            # A copy: Brian2 from 2.10 on gives a view of memory that goes with its monitor.
            answer[f"{name}.membranes"] = np.array(meter.V_).T.reshape(shape)
        if name in settings["means"]:
            answer[f"{name}.means"] = np.asarray(meter.v_).T.reshape(shape).mean(axis=0)
        if name in settings["finals"]:
            answer[f"{name}.finals"] = np.array(meter.v_)[:, -1].reshape(shape[1:])
    return answer


def _contents(built: _Built, monitors: _Monitors, ask: dict[str, list[str]]) -> Arrays:
    """What Brian2's objects are, ready to run: texts as bytes, numbers in SI units.

    ``dt``; ``name.size``; ``name.drive``, the current that drives each neuron, or the
    ``spike_list`` of what is given; ``name.read`` of groups that a monitor reads; of neurons
    ``name.equations``, ``step`` (what the state updater does, the check of the refractory period
    included), ``threshold``, ``reset``, ``current`` ``[unit]`` and each parameter; of pathway n,
    counted from 0, ``n.ends`` (the numbers of its populations), ``i``, ``j``, ``w``, ``delay``,
    ``code`` and ``slot``.
    """
    network: Any = brian2.Network(*built.objects, *monitors.objects)
    network.run(0 * brian2.second, namespace={})
    read = _read_by_monitors(network.objects)
    answer: Arrays = {"dt": np.array([_step_of(network)])}
    numbers = {group.name: number for number, group in enumerate(built.groups.values())}
    for name, group in built.groups.items():
        answer[f"{name}.size"] = np.array([group.N])
        if group.name in read:
            answer[f"{name}.read"] = np.array([True])
        if not isinstance(group, brian2.NeuronGroup):
            given = (group.variables[each].get_value() for each in ("neuron_index", "spike_time"))
            spiking, times = (np.asarray(each) for each in given)
            answer[f"{name}.drive"] = spike_list(spiking, np.rint(times / answer["dt"]))
            continue
        texts = {
            "equations": str(group.equations),
            "step": group.state_updater.abstract_code,
            "threshold": group.events["spike"],
            "reset": group.event_codes["spike"],
        }
        answer |= {f"{name}.{key}": text_array(text) for key, text in texts.items()}
        answer[f"{name}.current"] = answer[f"{name}.drive"] = np.array(group.I_[:])
        for parameter in ask[name]:
            answer[f"{name}.{parameter}"] = np.atleast_1d(getattr(group, f"{parameter}_"))
    pathways = [one for each in built.synapses.values() for one in each]
    for number, pathway in enumerate(pathways):
        ends = [numbers[pathway.source.name], numbers[pathway.target.name]]
        answer[f"{number}.ends"] = np.array(ends)
        answer[f"{number}.i"] = np.array(pathway.i[:], np.int64)
        answer[f"{number}.j"] = np.array(pathway.j[:], np.int64)
        answer[f"{number}.w"] = np.array(pathway.w_[:])
        answer[f"{number}.delay"] = np.atleast_1d(pathway.pre.delay_[:])
        answer[f"{number}.code"] = text_array(pathway.pre.code)
        answer[f"{number}.slot"] = text_array(pathway.pre.when)
    return answer


def _read_by_monitors(objects: Any) -> set[str]:
    kinds: Any = (brian2.SpikeMonitor, brian2.StateMonitor)
    return {one.source.name for one in objects if isinstance(one, kinds)}


def _step_of(network: Any) -> float:
    """The step, s, of all objects' clocks; NaN where they differ."""
    steps = {float(one.clock.dt_) for one in network.objects}
    return steps.pop() if len(steps) == 1 else float("nan")
