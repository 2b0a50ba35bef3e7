"""One suite for all back ends and documents: whatever is listed in ``volr.backends`` is run here.

What it expects comes from the two specifications, ``volr.backends.reference`` for artificial models
and ``volr.engine.reference`` for spiking ones. A back end may refuse a model by name, with a way
out; it may not compute something else.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends import kernels
from tests.backends.conformance import (
    ARTIFICIAL,
    AXES,
    CASES,
    EVERY_CONNECTOR,
    MIXED,
    PROGRAM,
    SEED,
    STEPS,
    TARGETS,
    Case,
    Started,
    Target,
    Timing,
    artificial,
    artificial_models,
    assert_agrees,
    differences,
    every_simulator,
    lacking,
    lacks,
    leniently,
    need,
    recorded,
    skip_unless_claimed,
    specified,
    spiking,
    stimuli_for,
    unless_refused,
)

from volr.backends import DOCUMENTS
from volr.backends.base import ArtificialBackend, Document, Record, Recordings, SpikingBackend
from volr.backends.expected import expected
from volr.backends.reference import forward
from volr.backends.refusals import check_supported, takes
from volr.engine.reference import simulate
from volr.errors import DataError, ModelError, UnsupportedError, VolrError
from volr.models.activations import activation
from volr.models.coding import Poisson
from volr.models.parameters import weight_name
from volr.network import AllToAll, OneToOne
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from volr.models.model import Model

# --- artificial back ends


@pytest.fixture(params=ARTIFICIAL.values(), ids=list(ARTIFICIAL))
def runner(request: pytest.FixtureRequest) -> ArtificialBackend:
    record: ArtificialBackend = request.param
    need(record)
    return record


def test_logits_are_the_references_and_stimuli_that_do_not_fit_are_refused(
    runner: ArtificialBackend,
) -> None:
    for model in artificial_models(runner):
        check_supported(runner, model)
        run, size = runner.build(model), model.network.input_size
        stimuli = np.random.default_rng(1).normal(size=(5, size))
        for batch in (stimuli, stimuli[:1], stimuli[:0]):
            found, wanted = run(batch), forward(model, batch)
            assert found.dtype == np.float64
            assert found.shape == wanted.shape
            scale = float(np.abs(wanted).max(initial=1.0))
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * scale)
        for shape in ((2, size - 1), (size,), (1, 2, size)):
            with pytest.raises(DataError, match=rf"\[batch, {size}\]"):
                run(np.zeros(shape))


def test_what_runs_is_the_model(runner: ArtificialBackend) -> None:
    for model in artificial_models(runner):
        assert not differences(runner, model, runner.read_back(model))


@pytest.mark.parametrize("name", EVERY_CONNECTOR)
def test_every_connector_runs_or_is_refused_by_name(runner: ArtificialBackend, name: str) -> None:
    network = EVERY_CONNECTOR[name]
    model = artificial(network)
    if lacks(runner, network):
        with pytest.raises(UnsupportedError, match=f"{runner.name} lacks"):
            runner.build(model)
        return
    stimuli = np.random.default_rng(1).normal(size=(4, network.input_size))
    wanted = forward(model, stimuli)
    scale = float(np.abs(wanted).max())
    np.testing.assert_allclose(runner.build(model)(stimuli), wanted, rtol=0, atol=1e-5 * scale)
    found = compare(expected(model, runner.precision), runner.read_back(model))
    assert not found.differences
    assert found.told == 0


# --- spiking back ends


@pytest.mark.parametrize("case", CASES, ids=str)
@every_simulator
def test_spikes_are_the_specified_ones(started: Started, case: Case) -> None:
    record, simulator = started
    skip_unless_claimed(record, case)
    ran = leniently(record, case, functools.partial(recorded, simulator))
    if ran is None:
        pytest.skip(f"{record.name} refuses {case.neuron} with the reset {case.reset!r}")
    held, found = ran
    assert_agrees(record, spiking(held), specified(held), found)


@pytest.mark.parametrize("case", [*CASES[0::4], *CASES[1::4]], ids=str)
@every_simulator
def test_a_simulator_holds_the_model(started: Started, case: Case) -> None:
    record, simulator = started
    skip_unless_claimed(record, case)
    said = leniently(record, case, simulator.read_back)
    if said is None:
        pytest.skip(f"{record.name} refuses {case.neuron} with the reset {case.reset!r}")
    held, found = said
    assert not differences(record, spiking(held), found)


@every_simulator
def test_all_that_is_claimed_runs_and_no_stimuli_give_empty_recordings(started: Started) -> None:
    record, simulator = started
    ran: set[tuple[str, str]] = set()
    for neuron, reset in itertools.product(record.neurons, record.resets):
        model = spiking(Case(neuron, reset))
        nothing = np.empty((0, model.network.input_size))
        kept = Record(spikes=("def", "λ'"))
        found = unless_refused(record, simulator.run, model, nothing, record=kept)
        if isinstance(found, Recordings):
            ran.add((neuron, reset))
            assert found.output_values(model).shape == (0, 13)
            assert found.spikes["def"].shape == (STEPS, 0, 5)
            assert found.spikes["λ'"].shape == (STEPS, 0, 4)
    assert {neuron for neuron, _ in ran} == set(record.neurons)
    assert {reset for _, reset in ran} == set(record.resets)


@pytest.mark.parametrize("name", ["axes", *EVERY_CONNECTOR])
@every_simulator
def test_every_connector_is_simulated_or_refused_by_name(started: Started, name: str) -> None:
    record, simulator = started
    network = {"axes": AXES, **EVERY_CONNECTOR}[name]
    model = spiking(Case((*record.exact, *record.neurons)[0]), network)
    if lacks(record, network):
        for act in (simulator.read_back, functools.partial(recorded, simulator)):
            with pytest.raises(UnsupportedError, match=f"{record.name} lacks") as caught:
                act(model)
            assert caught.value.help
        return
    trace = simulate(model, stimuli_for(network), seed=SEED)
    assert all(trace.spikes[each.name].any() for each in network.layers)
    assert_agrees(record, model, trace, recorded(simulator, model))
    assert not differences(record, model, simulator.read_back(model))


@pytest.mark.parametrize("neuron", ["if_curr_exp", "if_cond_exp"])
@every_simulator
def test_the_sign_of_a_synapse_is_that_of_its_sum(started: Started, neuron: str) -> None:
    """Entries of a projection that lead from one neuron to another are a synapse with their sum.

    Those of another projection are another synapse, which may have the other sign.
    """
    record, simulator = started
    case = Case(neuron, timing=Timing(3, 4, 0.2))
    skip_unless_claimed(record, case)
    model = spiking(case, kernels.SIGNS)
    excites = model.parameters["input->map.weight"]
    values = {
        **model.parameters,
        "input->map.weight": np.abs(excites) * np.array([4.0, -1.5]),
        "input->map#2.weight": -0.4 * np.abs(model.parameters["input->map#2.weight"]),
    }
    model = replace(model, parameters=values)
    trace = simulate(model, stimuli_for(model.network), seed=SEED)
    for name in ("map", "out"):
        assert trace.spikes[name].any()
        assert not trace.spikes[name].all(axis=0).any()
    assert_agrees(record, model, trace, recorded(simulator, model))
    assert not differences(record, model, simulator.read_back(model))


@every_simulator
def test_a_missing_and_an_extra_synapse_are_found(started: Started) -> None:
    """Where one population reaches another one to one, all to all is something else."""
    record, simulator = started
    neuron = (*record.exact, *record.neurons)[0]
    sparse = spiking(Case(neuron), MIXED)
    [between] = [each for each in MIXED.projections if isinstance(each.connector, OneToOne)]
    dense_network = replace(
        MIXED, projections=tuple(replace(each, connector=AllToAll()) for each in MIXED.projections)
    )
    values = {**sparse.parameters, weight_name(between): np.full((6, 6), 0.3)}
    dense = replace(sparse, network=dense_network, parameters=values)
    more, fewer = (
        {each.message for each in differences(record, wanted, simulator.read_back(held))}
        for wanted, held in ((sparse, dense), (dense, sparse))
    )
    assert "30 synapses are there that should not be" in more
    # The engine has weights of 0 where there is no synapse.
    assert "30 of 36 synapses are missing" in fewer or record.name == "engine"
    assert fewer


@every_simulator
def test_no_stimulus_leaves_anything_to_the_next(started: Started) -> None:
    # Long delays and rests, so that there is something in flight and at rest at the end.
    record, simulator = started
    neuron = (*record.exact, *record.neurons)[0]
    model = spiking(Case(neuron, timing=Timing(7, 6, 0.2)))
    stimuli = stimuli_for(model.network, 5)
    names = tuple(model.network.by_name)
    told: list[int] = []

    def spikes(batch: Any) -> dict[str, Any]:
        kept = Record(spikes=names)
        return dict(simulator.run(model, batch, record=kept, progress=told.append).spikes)

    together, alone, backwards = spikes(stimuli), spikes(stimuli[2:3]), spikes(stimuli[::-1])
    assert sum(told) == 11
    for name in names:
        assert together[name].any()
        np.testing.assert_array_equal(alone[name], together[name][:, 2:3])
        np.testing.assert_array_equal(backwards[name], together[name][:, ::-1])


@every_simulator
def test_random_spikes_come_from_the_number_of_a_stimulus(started: Started) -> None:
    record, simulator = started
    if Poisson.name not in record.codings:
        pytest.skip(f"{record.name} has no random spikes")
    model = spiking(Case((*record.exact, *record.neurons)[0], coding=Poisson))
    stimuli, names = stimuli_for(model.network, 5), tuple(model.network.by_name)
    run = functools.partial(simulator.run, model, record=Record(spikes=names), seed=SEED)
    whole, part, again = run(stimuli), run(stimuli[2:4], first=2), run(stimuli[2:4])
    for name in names:
        np.testing.assert_array_equal(part.spikes[name], whole.spikes[name][:, 2:4])
    assert any((again.spikes[name] != part.spikes[name]).any() for name in model.network.inputs)


@every_simulator
def test_what_does_not_fit_a_simulator_is_refused(started: Started) -> None:
    record, simulator = started
    model = spiking(Case(record.neurons[0]))
    size = model.network.input_size
    with pytest.raises(DataError, match=rf"\[2, {size + 1}\].*\[batch, {size}\]"):
        simulator.run(model, np.zeros((2, size + 1)))
    for value in (-0.1, 1.1, np.nan):
        stimuli = np.full((2, size), 0.5)
        stimuli[1, 3] = value
        with pytest.raises(DataError, match=f"value 3 of stimulus 1 is {value}"):
            simulator.run(model, stimuli)
    with pytest.raises(DataError, match="the number of the first stimulus is -1"):
        simulator.run(model, np.zeros((1, size)), first=-1)
    for kept in (Record(counts=("no",)), Record(spikes=("no",)), Record(membranes=("no",))):
        with pytest.raises(ModelError, match="'no': no such population"):
            simulator.run(model, np.zeros((1, size)), record=kept)
    for each in lacking(record):
        ran = unless_refused(record, simulator.run, each, np.zeros((1, 3)))
        held = unless_refused(record, simulator.read_back, each)
        assert isinstance(ran, UnsupportedError)
        assert isinstance(held, UnsupportedError)


# --- documents


@pytest.fixture(params=DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def document(request: pytest.FixtureRequest) -> Document:
    found: Document = request.param
    need(found)
    return found


def test_a_document_of_an_artificial_model_says_what_the_model_is(document: Document) -> None:
    for model in artificial_models(document):
        check_supported(document, model)
        files = document.write(model)
        assert document.suffix in files
        assert not differences(document, model, document.read_back(files))


def test_a_document_of_a_spiking_model_says_what_the_model_is(document: Document) -> None:
    written: set[tuple[str, str]] = set()
    for case in CASES:
        if not case.is_claimed(document):
            continue
        check_supported(document, spiking(case))
        wrote = leniently(document, case, document.write)
        if wrote is not None:
            held, files = wrote
            assert document.suffix in files
            assert not differences(document, spiking(held), document.read_back(files))
            written.add((case.neuron, case.reset))
    assert {neuron for neuron, _ in written} == set(document.neurons)
    assert {reset for _, reset in written} == set(document.resets)


@pytest.mark.parametrize("name", EVERY_CONNECTOR)
def test_a_document_has_every_connector_or_refuses_it_by_name(
    document: Document, name: str
) -> None:
    network = EVERY_CONNECTOR[name]
    neurons = [spiking(Case(each, document.resets[0]), network) for each in document.neurons]
    for model in [*neurons, *(artificial(network) for _ in document.activations[:1])]:
        if lacks(document, network):
            with pytest.raises(UnsupportedError, match=f"{document.name} lacks"):
                check_supported(document, model)
            continue
        found = unless_refused(document, document.write, model)
        if not isinstance(found, UnsupportedError):
            assert not differences(document, model, document.read_back(found))


def test_what_is_no_such_document_is_refused(document: Document) -> None:
    if document.activations:
        files = document.write(artificial(PROGRAM))
    else:
        case = Case(document.neurons[0], document.resets[0])
        wrote = leniently(document, case, document.write)
        assert wrote is not None
        _, files = wrote
    for garbage in (b"", b"\xff\x00" * 50, files[document.suffix][:-9]):
        with pytest.raises(VolrError):
            document.read_back(dict.fromkeys(files, garbage))
    with pytest.raises(VolrError):
        document.read_back({})


# --- all of them


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_what_is_lacking_is_refused_by_name_and_where_it_stands(target: Target) -> None:
    said: dict[str, tuple[Model, str]] = {}
    if not isinstance(target, SpikingBackend):
        for name in target.activations[:1]:
            said["activations"] = artificial(PROGRAM, activation(name)), name
    if not isinstance(target, ArtificialBackend):
        for name in target.neurons[:1]:
            model = spiking(Case(name, target.resets[0]), PROGRAM)
            said["neurons"], said["resets"] = (model, name), (model, model.neuron.reset)
            said["codings"], said["readouts"] = (model, model.coding.name), (model, model.readout)
    assert said
    for what, (model, name) in said.items():
        with pytest.raises(UnsupportedError, match=f"{target.name} lacks .*'{name}'") as caught:
            check_supported(replace(target, **{what: ("nothing",)}), model)
        shown = str(caught.value)
        assert "1 | dense 3 4" in shown
        assert "^^^^^^^^^" in shown
        assert re.search(
            rf"{target.name} has the [\w ]+ nothing; that makes another network", shown
        )


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_the_other_generation_is_refused_with_a_way_out(target: Target) -> None:
    models = (artificial(PROGRAM), spiking(Case("if_curr_delta"), PROGRAM))
    refused = [model for model in models if not takes(target, model)]
    if not isinstance(target, Document):
        assert len(refused) == 1
    for model in refused:
        refusal = unless_refused(target, check_supported, target, model)
        assert isinstance(refusal, UnsupportedError)
