"""Populations with neurons of their own: no back end takes one's neurons for another's."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.conformance import (
    AWKWARD,
    ODD,
    SPIKING,
    Started,
    every_simulator,
    need,
    spiking,
    stimuli_for,
)
from tests.backends.conformance import Case as Conforming
from tests.backends.test_pynn_script import RUN
from tests.engine.examples import SKIP

from volr.backends import DOCUMENTS, ENGINE
from volr.backends.base import Document, Record
from volr.backends.expected import expected
from volr.backends.nest.translation import NEURONS as ON_NEST
from volr.backends.nir import NIR
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.read import Reading, model_of, read_nir
from volr.backends.populations import kinds_of, neurons_of, one_neuron
from volr.backends.pynn import PYNN
from volr.backends.refusals import check_supported
from volr.engine.reference import simulate
from volr.errors import UnsupportedError
from volr.language import to_network
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronsByUnit, by_unit
from volr.neurons.by_unit import units_in
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.checks.arrays import Floats
    from volr.models.model import Model
    from volr.network import Network
    from volr.neurons import NeuronModel, Neurons

ODDITIES: dict[str, Any] = {"v_rest": -64.0, "cm": 0.8, "i_offset": 0.2, "tau_refrac": 1.0}
DELTA = IFCurrDelta(v_reset=-66.0, tau_m=15.0, **ODDITIES)
EXP = IFCurrExp(v_reset=-63.0, tau_m=12.0, tau_syn_E=3.0, tau_syn_I=7.0)
OTHER = IFCurrExp(v_reset=-67.0, tau_m=25.0, cm=1.3, tau_refrac=0.0, i_offset=0.1)
SLOW = IFCurrExp(v_thresh=-52.0, tau_m=18.0, tau_syn_E=4.0, tau_syn_I=4.0, **ODDITIES)
COND = IFCondExp(v_reset=-66.0, tau_syn_E=3.0, e_rev_I=-75.0, tau_refrac=1.5)
# What makes a population spike, in the unit of its neurons.
WEIGHTS = {"if_curr_delta": 4.0, "if_curr_exp": 1.2, "if_cond_exp": 0.03}
MIXTURES: dict[str, Mapping[str, NeuronModel]] = {
    "kinds": {"def": EXP, "v": DELTA, "out": OTHER},
    "currents": {"def": EXP, "v": replace(SLOW, cm=1.4), "out": OTHER},
    "conductances": {"def": COND, "v": DELTA, "out": EXP},
    "resets": {
        "def": replace(DELTA, reset="subtract"),
        "v": DELTA,
        "out": replace(EXP, reset="subtract", tau_refrac=1.5),
    },
}
"""Neurons by population of ``ODD``; its inputs have those that the mixture is asked for with."""


def by_population(model: SpikingModel, own: Mapping[str, Neurons]) -> SpikingModel:
    """The model with other neurons, and weights in their units."""
    values = dict(model.parameters)
    for projection in model.network.projections:
        name, neuron = f"{projection.name}.weight", own.get(projection.target, model.neuron)
        values[name] = values[name] * WEIGHTS[neuron.name] / WEIGHTS[model.neuron.name]
    return replace(model, parameters=values, neurons=own)


def mixed(
    mixture: str,
    coding: Any = ConstantCurrent(400.0),
    inputs: NeuronModel = DELTA,
    network: Network | None = None,
    **settings: Any,
) -> SpikingModel:
    model = replace(spiking(Conforming(inputs.name), network), neuron=inputs, coding=coding)
    return by_population(replace(model, **settings), MIXTURES[mixture])


def spread(neuron: NeuronModel, size: int, *, by: tuple[str, ...]) -> NeuronsByUnit:
    """Neurons some of whose parameters differ by unit; two units are alike."""
    factors = 1.0 + 0.07 * np.minimum(np.arange(size), max(size - 2, 1))
    return by_unit(neuron, **{name: neuron.numbers[name] * factors for name in by})


SYNAPSES = 4.0 + 0.3 * np.arange(6)
BY_UNIT: dict[str, Mapping[str, Neurons]] = {
    "jumps": {
        "def": spread(DELTA, 5, by=("tau_m", "cm")),
        "v": spread(DELTA, 6, by=("tau_m", "v_reset", "tau_refrac", "i_offset")),
    },
    "currents": {
        "def": spread(EXP, 5, by=("tau_m", "tau_syn_E", "tau_syn_I")),
        "v": spread(replace(EXP, i_offset=0.1), 6, by=("cm", "v_rest", "i_offset")),
        "out": spread(OTHER, 4, by=("tau_refrac", "tau_m")),
    },
    # Where both currents of the first unit decay alike, those of others do not.
    "signs": {
        "def": by_unit(SLOW, tau_syn_I=[4.0, 20.0, 1.0, 4.0, 9.0]),
        "v": by_unit(SLOW, tau_syn_E=[4.0, 9.0, 1.5, 4.0, 4.0, 2.0]),
    },
    "conductances": {"def": spread(COND, 5, by=("tau_m", "e_rev_I", "tau_syn_E"))},
    "subtract": {
        "def": spread(replace(DELTA, reset="subtract", tau_refrac=1.5), 5, by=("tau_m", "v_reset")),
        "v": spread(replace(DELTA, reset="subtract", tau_refrac=1.5), 6, by=("v_thresh", "v_rest")),
    },
    # The reset of all is above the usual threshold of a simulator's own.
    "thresholds": {
        "def": by_unit(
            replace(DELTA, v_rest=-45.0, v_reset=-40.0, v_thresh=-30.0),
            v_thresh=[-30.0, -25.0, -28.0, -33.0, -33.0],
        ),
    },
}
"""Neurons by unit of populations of ``ODD``."""
_BASES = {
    "jumps": DELTA,
    "currents": SLOW,
    "signs": SLOW,
    "conductances": COND,
    "subtract": DELTA,
    "thresholds": DELTA,
}


@every_simulator
@pytest.mark.parametrize("which", BY_UNIT)
def test_parameters_by_unit_give_the_engines_spikes_and_are_read_back(
    started: Started, which: str
) -> None:
    need(ENGINE)
    record, simulator = started
    base = _BASES[which]
    inputs = SLOW if record.name == "pynn.neuron" else base
    alike = replace(spiking(Conforming(inputs.name)), neuron=inputs, coding=Poisson(400.0))
    model = by_population(alike, BY_UNIT[which])
    if record.name == "nest" and which == "subtract":
        model = replace(model, delay=2 * model.dt)
    names, stimuli = tuple(ODD.by_name), stimuli_for(ODD)
    layers = tuple(each.name for each in ODD.layers)
    whole = Record(counts=names, spikes=names, membranes=layers)
    try:
        found = simulator.run(model, stimuli, record=whole, seed=3)
    except UnsupportedError:
        # NEURON has no jumps, PyNN no reset by subtraction, and on Brian2 one time of rest.
        assert record.name.startswith("pynn.")
        assert which == "subtract" or record.name != "pynn.nest"
        return
    # In two batches, the second of which NEST runs on the same network.
    halves = [simulator.run(model, stimuli[n:][:3], record=whole, seed=3, first=n) for n in (0, 3)]
    trace = simulate(model, stimuli, seed=3)
    exact = all(each.name in record.exact for each in neurons_of(model).values())
    for name in layers:
        assert trace.spikes[name].any(), f"{name} is silent"
        if exact:
            np.testing.assert_array_equal(found.spikes[name], trace.spikes[name], err_msg=name)
            missed = np.abs(found.membranes[name] - trace.membranes[name])
            assert np.quantile(missed, 0.95) < 1e-6, name
        else:
            same = found.counts[name] == trace.spikes[name].sum(axis=0)
            assert same.mean() > 0.9
        for half, start in zip(halves, (0, 3), strict=True):
            wanted = found.spikes[name][:, start : start + 3]
            np.testing.assert_array_equal(
                half.spikes[name], wanted[:, : half.spikes[name].shape[1]]
            )
    held = simulator.read_back(model)
    assert not compare(expected(model, record.precision), held).differences
    # One unit's number is wrong.
    name, neurons = next(iter(BY_UNIT[which].items()))
    assert isinstance(neurons, NeuronsByUnit)
    kinds = list(neurons.kinds)
    kinds[1] = replace(kinds[1], tau_m=1.3 * kinds[1].tau_m)
    other = replace(model, neurons={**model.neurons, name: replace(neurons, kinds=tuple(kinds))})
    (wrong,) = {
        each.message
        for each in compare(expected(other, record.precision), held).differences
        if "tau_m" in each.message
    }
    assert "tau_m of neuron 1 is" in wrong


@every_simulator
@pytest.mark.parametrize("readout", ["membrane", "final"])
def test_membranes_of_units_with_rests_of_their_own_are_read_above_these(
    started: Started, readout: Any
) -> None:
    record, simulator = started
    inputs = SLOW if record.name == "pynn.neuron" else DELTA
    alike = replace(spiking(Conforming(inputs.name), PROGRAM), neuron=inputs, coding=Poisson(400.0))
    own = {"dense_2": spread(EXP, PROGRAM["dense_2"].size, by=("v_rest", "v_thresh", "tau_m"))}
    model = replace(by_population(alike, own), readout=readout)
    stimuli, whole = stimuli_for(PROGRAM), Record(counts=(), membranes=("dense_2",))
    found = simulator.run(model, stimuli, record=whole, seed=3)
    above = found.membranes["dense_2"] - own["dense_2"].of(lambda each: each.v_rest)
    wanted, read = {
        "membrane": (above.mean(axis=0), found.means),
        "final": (above[-1], found.finals),
    }[readout]
    np.testing.assert_allclose(read["dense_2"], wanted, atol=1e-9)
    trace = simulate(model, stimuli, seed=3)
    exact = all(each.name in record.exact for each in neurons_of(model).values())
    assert not exact or np.abs(found.membranes["dense_2"] - trace.membranes["dense_2"]).max() < 1e-6


@pytest.mark.parametrize("name", ["pynn", "brian2"])
def test_documents_refuse_neurons_that_differ_by_unit(name: str) -> None:
    (document,) = (each for each in DOCUMENTS if each.name == name)
    need(document)
    model = by_population(spiking(Conforming(SLOW.name), PROGRAM), {})
    own = replace(model, neurons={"dense_2": spread(SLOW, 2, by=("tau_m",))})
    with pytest.raises(UnsupportedError, match="those of dense_2 do"):
        document.write(own)


codings = pytest.mark.parametrize(
    "coding", [ConstantCurrent(400.0), Poisson(400.0)], ids=["current", "poisson"]
)


@every_simulator
@codings
@pytest.mark.parametrize("mixture", MIXTURES)
def test_every_spike_is_the_engines_and_neurons_are_read_back(
    started: Started, coding: Any, mixture: str
) -> None:
    need(ENGINE)
    record, simulator = started
    # NEURON has none whose membranes jump.
    model = mixed(mixture, coding, SLOW if record.name == "pynn.neuron" else DELTA)
    neurons = neurons_of(model).values()
    lacking = [each for each in neurons if each.name not in record.neurons]
    lacking += [each for each in neurons if each.reset not in record.resets]
    if lacking:
        with pytest.raises(UnsupportedError, match=rf"{record.name} lacks .* of population "):
            simulator.run(model, stimuli_for(ODD))
        return
    names, stimuli = tuple(ODD.by_name), stimuli_for(ODD)
    membranes = tuple(each.name for each in ODD.layers)
    whole = Record(counts=names, spikes=names, membranes=membranes)
    found = simulator.run(model, stimuli, record=whole, seed=3)
    with ENGINE.start() as engine:
        wanted = engine.run(model, stimuli, record=whole, seed=3)
    if all(each.name in record.exact for each in neurons):
        for name in names:
            assert wanted.spikes[name].any(), f"{name} is silent"
            np.testing.assert_array_equal(found.spikes[name], wanted.spikes[name], err_msg=name)
        for name in membranes:
            missed = np.abs(found.membranes[name] - wanted.membranes[name])
            assert np.quantile(missed, 0.95) < 1e-6, name
    else:
        same = [(found.counts[name] == wanted.counts[name]).mean() for name in names]
        assert np.mean(same) > 0.95
    assert not compare(expected(model, record.precision), simulator.read_back(model)).differences


@every_simulator
def test_membranes_are_read_by_population(started: Started) -> None:
    record, simulator = started
    inputs = SLOW if record.name == "pynn.neuron" else DELTA
    model = mixed("currents", inputs=inputs, network=AWKWARD, readout="membrane")
    stimuli = stimuli_for(AWKWARD)
    trace = simulate(model, stimuli)
    wanted = trace.membranes["out"].mean(axis=0) - OTHER.v_rest
    found = simulator.run(model, stimuli)
    np.testing.assert_allclose(found.means["out"], wanted, rtol=0, atol=1e-6)
    assert not compare(expected(model, record.precision), simulator.read_back(model)).differences


def counts_of(model: SpikingModel, stimuli: Floats) -> list[list[int]]:
    trace = simulate(model, stimuli, seed=5)
    parts = [trace.spikes[name].sum(axis=0) for name in model.network.outputs]
    return np.concatenate(parts, axis=1).tolist()


def run_script(
    folder: Path, document: Document, model: SpikingModel, *arguments: str
) -> list[list[int]]:
    """What a script prints for some stimuli, which it is also read back for."""
    files = document.write(model)
    assert not compare(expected(model), document.read_back(files)).differences
    for suffix, body in files.items():
        (folder / f"net{suffix}").write_bytes(body)
    np.save(folder / "stimuli.npy", stimuli_for(ODD, 2))
    command = [str(folder / "net.py"), *arguments, "--stimuli", "stimuli.npy", "--seed", "5"]
    start = ["-c", RUN] if document is PYNN else []
    done = subprocess.run(
        [sys.executable, *start, *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [
        line.partition(": ")[2].partition("  (")[0] or line for line in done.stdout.splitlines()
    ]
    return [[int(each) for each in line.split()] for line in lines[-2:]]


@pytest.mark.parametrize(
    ("simulator", "mixture", "inputs", "coding"),
    [
        ("nest", "kinds", DELTA, ConstantCurrent(400.0)),
        ("nest", "conductances", DELTA, Poisson(400.0)),
        ("brian2", "kinds", DELTA, Poisson(400.0)),
        ("neuron", "currents", SLOW, ConstantCurrent(400.0)),
    ],
)
def test_a_script_for_pynn_has_neurons_by_population(
    tmp_path: Path, simulator: str, mixture: str, inputs: NeuronModel, coding: Any
) -> None:
    need(SPIKING[f"pynn.{simulator}"])
    model = mixed(mixture, coding, inputs)
    assert run_script(tmp_path, PYNN, model, simulator) == counts_of(model, stimuli_for(ODD, 2))


@pytest.mark.parametrize(
    ("mixture", "coding"), [("kinds", ConstantCurrent(400.0)), ("resets", Poisson(400.0))]
)
def test_a_script_for_brian2_has_neurons_by_population(
    tmp_path: Path, mixture: str, coding: Any
) -> None:
    need(SPIKING["brian2"])
    model = mixed(mixture, coding)
    (script,) = (each for each in DOCUMENTS if each.name == "brian2")
    assert run_script(tmp_path, script, model) == counts_of(model, stimuli_for(ODD, 2))


@pytest.mark.parametrize("name", ["pynn", "brian2"])
def test_inputs_have_currents_of_their_own_in_scripts(tmp_path: Path, name: str) -> None:
    need(SPIKING[name if name == "brian2" else "pynn.nest"])
    (script,) = (each for each in DOCUMENTS if each.name == name)
    own = {**MIXTURES["kinds"], **dict.fromkeys(ODD.inputs, EXP)}
    model = by_population(spiking(Conforming("if_curr_delta")), own)
    arguments = ["nest"] if name == "pynn" else []
    found = run_script(tmp_path, script, model, *arguments)
    assert found == counts_of(model, stimuli_for(ODD, 2))


@codings
def test_nir_has_neurons_by_population(coding: Any, caplog: pytest.LogCaptureFixture) -> None:
    need(NIR)
    own = {
        "def": SLOW,
        "v": replace(SLOW, tau_syn_E=9.0, tau_syn_I=9.0, cm=2.0),
        "out": replace(DELTA, reset="subtract", tau_refrac=0.0),
    }
    model = by_population(replace(spiking(Conforming(DELTA.name)), coding=coding), own)
    files = NIR.write(model)
    assert "no reset by subtraction" in caplog.text
    assert not compare(expected(model), NIR.read_back(files)).differences


NIR_UNITS: dict[str, Mapping[str, Neurons]] = {
    "jumps": {
        "def": spread(DELTA, 5, by=("tau_m", "cm")),
        "v": spread(DELTA, 6, by=("tau_m", "v_reset", "tau_refrac", "i_offset")),
        "out": spread(replace(DELTA, tau_m=math.inf), 4, by=("v_thresh", "cm")),
    },
    "currents": {
        "def": spread(SLOW, 5, by=("tau_m", "v_rest")),
        "v": by_unit(SLOW, tau_syn_E=SYNAPSES, tau_syn_I=SYNAPSES, cm=SYNAPSES),
        "out": spread(DELTA, 4, by=("tau_m",)),
    },
}


@codings
@pytest.mark.parametrize("which", NIR_UNITS)
def test_nir_has_neurons_by_unit(coding: Any, which: str) -> None:
    need(NIR)
    alike = replace(spiking(Conforming(DELTA.name)), neuron=DELTA, coding=coding)
    model = by_population(alike, NIR_UNITS[which])
    files = NIR.write(model)
    assert read_nir(files[".nir"]).model == model
    assert not compare(expected(model), NIR.read_back(files)).differences
    name, neurons = next(iter(NIR_UNITS[which].items()))
    assert isinstance(neurons, NeuronsByUnit)
    kinds = list(neurons.kinds)
    kinds[1] = replace(kinds[1], tau_m=1.3 * kinds[1].tau_m)
    other = replace(model, neurons={**model.neurons, name: replace(neurons, kinds=tuple(kinds))})
    wrong = compare(expected(other), NIR.read_back(files)).differences
    assert any("tau_m of neuron 1 is" in each.message for each in wrong)


@pytest.mark.parametrize("which", NIR_UNITS)
def test_nodes_of_nir_alone_are_neurons_by_unit(which: str) -> None:
    need(NIR)
    settled: Any = {"v_rest": 0.0, "v_thresh": 10.0, "tau_refrac": 0.0, "i_offset": 0.0}
    own = {
        name: units_in(each).changed(lambda one: replace(one, v_reset=0.0, **settled))
        for name, each in zip(("first", "second"), NIR_UNITS[which].values(), strict=False)
    }
    # As many as there are neurons in this network.
    network = replace(SKIP, inputs=("left", "right"))
    own = {
        name: NeuronsByUnit.of_units(
            [each.kinds[k % len(each.kinds)] for k in range(network[name].size)]
        )
        for name, each in own.items()
    }
    plain = IFCurrDelta(v_reset=0.0, **settled)
    alike = replace(spiking(Conforming(plain.name, coding=Poisson), network), neuron=plain)
    model = by_population(replace(alike, delay=alike.dt), own)
    body = NIR.write(model)[".nir"]
    read = model_of(
        replace(read_graph(body), metadata={}),
        how=Reading(signal="impulse", dt=model.dt, duration=model.duration, coding=model.coding),
    )
    assert isinstance(read.model, SpikingModel)
    assert len(read.model.units_of("first").kinds) > 1
    stimuli = stimuli_for(network)
    wanted, found = (simulate(each, stimuli, seed=1) for each in (model, read.model))
    for name in ("first", "second", "last"):
        assert wanted.spikes[name].any()
        np.testing.assert_array_equal(found.spikes[name], wanted.spikes[name])


def test_what_nir_cannot_say_of_units_is_refused() -> None:
    need(NIR)
    program = to_network("conv [1 4 5] 3 [2 2] ⦶\n  dense _ 2")
    model = replace(spiking(Conforming(DELTA.name), program), neuron=DELTA)
    (kernel, dense) = (each.name for each in program.layers)
    some = by_unit(DELTA, tau_m=[10.0, math.inf])
    with pytest.raises(UnsupportedError, match=r"population dense_2: .* some of each") as caught:
        NIR.write(by_population(model, {dense: some}))
    # A script has no neurons by unit either.
    assert "run it on engine" in str(caught.value)
    size = program[kernel].size
    uneven = by_unit(DELTA, cm=1.0 + 0.01 * np.arange(size))
    with pytest.raises(UnsupportedError, match="kernels have one bias for each channel"):
        NIR.write(by_population(model, {kernel: uneven}))
    by_channel = by_unit(DELTA, cm=1.0 + 0.1 * np.repeat(np.arange(3), size // 3))
    files = NIR.write(even := by_population(model, {kernel: by_channel}))
    assert not compare(expected(even), NIR.read_back(files)).differences


def test_a_nir_file_of_several_kinds_is_read_by_its_metadata_and_by_its_nodes() -> None:
    need(NIR)
    at_zero = IFCurrDelta(v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_refrac=0.0)
    own = {"first": replace(at_zero, v_thresh=13.0), "last": replace(at_zero, v_thresh=7.0, cm=0.5)}
    # As nodes stand in the file.
    network = replace(SKIP, inputs=("left", "right"))
    alike = replace(spiking(Conforming("if_curr_delta", coding=Poisson), network), neuron=at_zero)
    model = by_population(replace(alike, delay=alike.dt), own)
    body = NIR.write(model)[".nir"]
    assert read_nir(body).model == model
    read = model_of(
        replace(read_graph(body), metadata={}),
        how=Reading(signal="impulse", dt=model.dt, duration=model.duration, coding=model.coding),
    )
    assert isinstance(read.model, SpikingModel)
    stimuli = stimuli_for(network)
    wanted, found = (simulate(each, stimuli, seed=1) for each in (model, read.model))
    for name in ("first", "second", "last"):
        assert wanted.spikes[name].any()
        np.testing.assert_array_equal(found.spikes[name], wanted.spikes[name])


PROGRAM = to_network("dense 3 4 ⦶\n  dense 4 2")
DIALECTS = [each for each in DOCUMENTS if each.name.startswith("nir.")]


@pytest.mark.parametrize("document", DIALECTS, ids=lambda each: each.name)
def test_a_file_for_one_importer_has_one_kind_of_neuron(document: Document) -> None:
    need(document)
    one = IFCurrDelta(tau_refrac=0.0, reset=document.resets[0])
    settings: Any = {"neuron": one, "coding": Poisson(300.0)}
    model = replace(spiking(Conforming(one.name), PROGRAM), **settings)
    other = {"dense_2": replace(one, v_thresh=-48.0)}
    with pytest.raises(UnsupportedError) as caught:
        document.write(by_population(model, other))
    assert "those of dense_2 are not those of dense_1" in caught.value.message
    assert "<program>:2:3" in str(caught.value)
    # Of inputs such a file holds the spikes alone.
    assert document.write(by_population(model, {"input": replace(one, v_thresh=-48.0)}))


def at(model: Model, target: Any) -> UnsupportedError:
    with pytest.raises(UnsupportedError) as caught:
        check_supported(target, model)
    return caught.value


def test_what_is_lacking_is_named_with_its_population() -> None:
    model = spiking(Conforming("if_curr_exp"), PROGRAM)
    nir, neuron = NIR, SPIKING["pynn.neuron"]
    refusal = at(by_population(model, {"dense_2": COND}), nir)
    assert refusal.message == "nir lacks the neuron model 'if_cond_exp' of population dense_2"
    assert "dense 4 2" in str(refusal)
    assert "dense_2 has it" in str(refusal)
    refusal = at(by_population(model, {"dense_1": replace(EXP, reset="subtract")}), neuron)
    assert refusal.message == "pynn.neuron lacks the reset 'subtract' of population dense_1"
    assert "dense_1 has it" in str(refusal)
    # A spiking input is a population like any other, and one that is given as spikes is not.
    driven = replace(model, coding=ConstantCurrent(400.0))
    assert "of population input" in at(by_population(driven, {"input": DELTA}), neuron).message
    given = replace(model, coding=Poisson(400.0))
    check_supported(neuron, by_population(given, {"input": DELTA}))


def test_what_nest_cannot_translate_is_named_with_its_population() -> None:
    from volr.backends.nest.translation import check_translatable

    model = spiking(Conforming("if_curr_exp"), PROGRAM)
    restless = replace(EXP, reset="subtract", tau_refrac=0.0)
    with pytest.raises(UnsupportedError, match="population dense_1: tau_refrac is 0 ms"):
        check_translatable(by_population(model, {"dense_1": restless}))
    lacking = replace(COND, reset="subtract")
    assert (lacking.name, lacking.reset) not in ON_NEST
    with pytest.raises(UnsupportedError, match="population dense_2: it has no if_cond_exp"):
        check_translatable(by_population(model, {"dense_2": lacking}))


def test_kinds_are_told_apart() -> None:
    model = spiking(Conforming("if_curr_exp"), PROGRAM)
    driven = replace(model, coding=ConstantCurrent(400.0))
    assert one_neuron(driven) == model.neuron
    assert [where for where, _ in kinds_of(driven)] == [""]
    both = by_population(driven, {"dense_1": EXP, "dense_2": EXP})
    assert one_neuron(both) is None
    assert [where for where, _ in kinds_of(both)] == ["population input: ", "population dense_1: "]
    assert one_neuron(replace(both, coding=Poisson(400.0))) == EXP
