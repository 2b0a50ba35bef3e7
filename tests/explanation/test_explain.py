"""What is planted is named, the parts add up, and the model of counts has the real two ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.explanation.planted import (
    BIAS,
    HIDDEN,
    INPUT,
    TEST,
    accuracy,
    artificial,
    changed,
    explained,
    labelled,
    sound,
    transferred,
)
from tests.needs import needs_nest, needs_numba
from tests.oracles import chain, random_parameters

from volr.backends import ENGINE
from volr.backends.base import Record
from volr.backends.nest import NEST
from volr.backends.reference import activations
from volr.errors import DataError, ModelError, UnsupportedError
from volr.explanation import Explanation, explain
from volr.explanation.causes import TITLES, Cause
from volr.explanation.measure import measure
from volr.explanation.variants import mechanisms
from volr.models.activations import Tanh
from volr.models.coding import ConstantCurrent, Poisson, decode_counts
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Samples
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp
from volr.transfer import TransferSettings, transfer_ann
from volr.transfer.balance import balanced, rescaled
from volr.transfer.scaling import scales

pytestmark = needs_numba

EVERYTHING = frozenset(TITLES)
# Nothing that a spike brings is lost in these.
DELTA = IFCurrDelta(reset="subtract", tau_refrac=0.0)
CURRENTS = IFCurrExp(reset="subtract", tau_refrac=0.0)


def points(found: Explanation, *causes: Cause) -> float:
    return sum(part.points for part in found.parts if part.cause in causes)


def check_sums(found: Explanation) -> None:
    assert found.gap == pytest.approx(found.ann - found.snn)
    assert sum(part.points for part in found.parts) == pytest.approx(found.gap)
    assert sum(stage.points for stage in found.stages) == pytest.approx(found.gap)


@pytest.mark.parametrize(
    "settings",
    [
        TransferSettings(),
        TransferSettings(coding=Poisson(400.0), dt=1.0),
        TransferSettings(neuron=IFCurrExp(reset="subtract"), duration=20.0),
        TransferSettings(neuron=IFCurrDelta(tau_refrac=2.0), dt=1.0, delay=3.0),
        TransferSettings(neuron=IFCondExp(), dt=1.0, duration=20.0, rounds=0),
    ],
    ids=["delta", "poisson", "subtract", "refractory", "conductances"],
)
@pytest.mark.parametrize("fault", [False, True])
def test_the_model_of_counts_begins_at_the_ann_and_ends_at_what_was_recorded(
    settings: TransferSettings, fault: bool
) -> None:
    snn, samples = transferred(settings), labelled(30, 4)
    if fault:
        rng = np.random.default_rng(7)
        others = rng.permutation(snn.parameters[HIDDEN], axis=1)
        snn = changed(
            snn,
            input_dense_1_weight=np.maximum(snn.parameters[INPUT], 0.0),
            dense_1_dense_2_weight=others,
            dense_1_bias=np.where(np.arange(40) < 4, -50.0, snn.parameters[BIAS]),
        )
    with ENGINE.start() as engine:
        measured = measure(artificial(), snn, samples, engine, engine, mechanisms(snn), seed=0)
        found = measured.model
        real = engine.run(snn, samples.inputs, record=Record(counts=("dense_1", "dense_2")))
    _, counts = found.counts(dict.fromkeys(found.populations, EVERYTHING))
    for name, recorded in real.counts.items():
        np.testing.assert_array_equal(counts[name], recorded)
    labels, _ = decode_counts(real.output_values(snn))
    right = found.correct(dict.fromkeys(found.populations, EVERYTHING))
    np.testing.assert_array_equal(right, labels == samples.labels)
    # Without causes, counts are the ANN's activations, in its units' scales there: the outputs', on
    # a line.
    _, counts = found.counts(dict.fromkeys(found.populations, frozenset[Cause]()))
    shown = activations(measured.units.ann, samples.inputs)
    logits = activations(artificial(), samples.inputs)["dense_2"]
    np.testing.assert_allclose(shown["dense_2"], logits, atol=1e-12)
    layers = {layer.name: layer for layer in found.layers}
    np.testing.assert_allclose(counts["dense_1"], layers["dense_1"].slope * shown["dense_1"])
    output = layers["dense_2"]
    expected = output.gain * shown["dense_2"] + output.offset
    np.testing.assert_allclose(counts["dense_2"], expected, atol=1e-9)


def test_a_sound_model_has_no_faults_and_parts_that_add_up() -> None:
    found = explained(sound())
    check_sums(found)
    assert found.ann == 1.0
    assert found.faults == found.foreign == found.trials == ()
    assert {part.cause for part in found.parts}.isdisjoint({"sign", "weights", "bias", "dead"})


def test_a_saturated_scale() -> None:
    # What is called full is a tenth of what most neurons that are active at all show.
    settings = TransferSettings(percentile=60.0)
    found = explained(transferred(settings), train=True)
    check_sums(found)
    assert found.summary.startswith("The largest cause is saturation")
    assert points(found, "saturation") > 0.05
    assert found.remedy is not None
    assert found.remedy.change == "volr transfer again"
    assert found.remedy.gained > 0.5 * found.gap


@pytest.mark.parametrize(
    "settings",
    [
        TransferSettings(neuron=IFCurrDelta(), duration=4.0),
        TransferSettings(coding=ConstantCurrent(40.0), dt=1.0),
    ],
    ids=["short", "slow"],
)
def test_too_few_spikes(settings: TransferSettings) -> None:
    found = explained(transferred(settings), train=True)
    check_sums(found)
    assert points(found, "quantisation", "ties") > 0.5 * found.gap > 0.05
    head = found.summary.split(",", maxsplit=1)[0]
    assert any(said in head for said in ("too few spikes", "quantisation", "ties"))
    assert found.remedy is not None
    assert found.remedy.change.split()[0] in {"--duration", "--rate-max"}


def test_dead_neurons() -> None:
    weights, bias = sound().parameters[INPUT], sound().parameters[BIAS]
    for dead in (
        changed(sound(), dense_1_bias=np.full_like(bias, -1e3)),
        changed(sound(), input_dense_1_weight=0.0 * weights, dense_1_bias=0.0 * bias),
    ):
        found = explained(dead)
        check_sums(found)
        assert found.parts[0].cause == "dead"
        assert found.parts[0].where == "dense_1"
        assert found.summary.startswith("The largest cause is dead neurons")
        assert found.parts[0].points > 0.5 * found.gap > 0.2


def test_signs() -> None:
    weights = sound().parameters[HIDDEN]
    for planted, said in (
        (np.maximum(weights, 0.0), "negative weights are missing"),
        (np.abs(weights), "negative weights act as positive ones"),
    ):
        found = explained(changed(sound(), dense_1_dense_2_weight=planted))
        check_sums(found)
        assert (found.parts[0].cause, found.parts[0].where) == ("sign", "dense_2")
        assert said in found.summary
        assert found.faults[0].startswith(f"dense_1->dense_2: {said}")
        assert found.parts[0].change == ("volr transfer again",)


def test_equal_units_for_excitation_and_inhibition() -> None:
    # As if a µS of inhibition moved as much charge as one of excitation.
    neuron = IFCondExp()
    excitation, inhibition = neuron.synapse_units
    rate = ConstantCurrent(500.0)
    settings = TransferSettings(neuron=neuron, coding=rate, population_rate=500.0, dt=1.0, rounds=0)
    snn = transferred(settings)
    ratio = excitation / inhibition
    planted = {
        name: np.where(value < 0, ratio * value, value) if "weight" in name else value
        for name, value in snn.parameters.items()
    }
    found = explained(replace(snn, parameters=planted))
    check_sums(found)
    assert found.parts[0].cause == "sign"
    assert f"negative weights have {ratio:.2g} times the effect" in found.summary


def test_weights_of_another_network() -> None:
    weights = sound().parameters[INPUT]
    other = np.random.default_rng(0).permuted(weights, axis=1)
    found = explained(changed(sound(), input_dense_1_weight=other))
    check_sums(found)
    assert found.summary.startswith("The weights are not the ANN's: input->dense_1.")
    assert found.foreign == ("input->dense_1",)
    assert (found.parts[0].cause, found.parts[0].where) == ("weights", "dense_1")


def test_biases_that_are_missing() -> None:
    found = explained(changed(sound(), dense_1_bias=np.full(40, 0.375)))
    check_sums(found)
    assert (found.parts[0].cause, found.parts[0].where) == ("bias", "dense_1")


def test_a_population_on_another_scale() -> None:
    weights, bias = sound().parameters[INPUT], sound().parameters[BIAS]
    found = explained(changed(sound(), input_dense_1_weight=0.2 * weights, dense_1_bias=0.2 * bias))
    check_sums(found)
    assert (found.parts[0].cause, found.parts[0].where) == ("scale", "dense_1")
    assert "times as much as its targets take it for" in found.summary


NEURONS = {
    "delta": TransferSettings(dt=0.5, rounds=1),
    "currents": TransferSettings(neuron=IFCurrExp(), rounds=1),
    "conductances": TransferSettings(neuron=IFCondExp(), rounds=1),
}


@pytest.mark.parametrize("factor", [10.0, 3.0, 0.1])
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("neuron", NEURONS)
def test_weights_on_another_scale(neuron: str, layer: int, factor: float) -> None:
    snn = transferred(NEURONS[neuron])
    projection = (INPUT, HIDDEN)[layer]
    weights = {**snn.parameters, projection: factor * snn.parameters[projection]}
    planted = replace(snn, parameters=weights)
    found = explained(planted)
    check_sums(found)
    # Also where neurons are driven further than they can go.
    assert found.snn == accuracy(planted)
    assert [each for each in found.faults if "times" in each]
    if found.gap > 2 * found.error:
        assert found.summary.startswith("The largest cause is scale of a population")
        assert "in dense_1: " in found.summary


@pytest.mark.parametrize("neuron", NEURONS)
def test_a_unit_whose_weights_are_on_another_scale(neuron: str) -> None:
    snn = transferred(NEURONS[neuron])
    unit = int(activations(artificial(), labelled(TEST, 3).inputs)["dense_1"].mean(axis=0).argmax())
    weights = np.array(snn.parameters[INPUT])
    weights[unit] *= 20.0
    planted = replace(snn, parameters={**snn.parameters, INPUT: weights})
    found = explained(planted, train=True)
    check_sums(found)
    assert found.snn == accuracy(planted) < 0.75
    assert (found.parts[0].cause, found.parts[0].where) == ("units", "dense_1")
    assert found.roots == ("units",)
    assert found.summary.startswith("The largest cause is badly scaled units")
    assert f"in dense_1: unit {unit} has 20 times the spikes" in found.summary
    assert [fault for fault in found.faults if "unit" in fault] == list(found.faults)
    assert found.parts[0].change == ("volr transfer again",)
    assert found.remedy is not None
    assert found.remedy.change == "volr transfer again"
    assert found.remedy.gained > 0.8 * found.gap


@pytest.mark.parametrize("kind", ["one", "all"])
@pytest.mark.parametrize("neuron", NEURONS)
def test_unequal_units_that_got_one_scale(neuron: str, kind: str) -> None:
    settings, train = NEURONS[neuron], labelled(150, 2)
    strong = activations(artificial(), train.inputs)["dense_1"].mean(axis=0)
    if kind == "one":
        factors = np.where(np.arange(40) == strong.argmax(), 50.0, 1.0)
    else:
        factors = 10.0 ** np.random.default_rng(1).uniform(-3.0, 3.0, 40)
    unequal = rescaled(artificial(), {"dense_1": factors})
    scale = scales(unequal.network, activations(unequal, train.inputs), settings)
    with ENGINE.start() as engine:
        # As transfers were made before they knew of units: what is given is taken as it is.
        snn = transfer_ann(unequal, train, engine, settings, scale=scale).model
        found = explain(unequal, snn, labelled(TEST, 3), engine, train=train)
    check_sums(found)
    assert found.gap > 0.4
    assert "units" in found.roots
    assert found.summary.startswith("The largest cause is badly scaled units")
    if kind == "one":
        assert f"in dense_1: unit {strong.argmax()} has 50 times the spikes" in found.summary
    else:
        assert "of 40 units are badly scaled: " in found.summary
    assert found.remedy is not None
    assert found.remedy.change == "volr transfer again"
    assert found.remedy.accuracy > 0.9


def test_equal_units_with_one_scale_are_no_fault() -> None:
    # Models that were transferred before have their units a little out of balance.
    settings, train, rng = (
        TransferSettings(dt=0.25, rounds=1),
        labelled(150, 2),
        np.random.default_rng(2),
    )
    unequal = rescaled(balanced(artificial()), {"dense_1": 1.4 ** rng.uniform(-1.0, 1.0, 40)})
    scale = scales(unequal.network, activations(unequal, train.inputs), settings)
    with ENGINE.start() as engine:
        snn = transfer_ann(unequal, train, engine, settings, scale=scale).model
        found = explain(artificial(), snn, labelled(TEST, 3), engine)
    check_sums(found)
    assert found.faults == found.foreign == found.roots == ()


def test_a_badly_scaled_unit_that_nobody_would_miss() -> None:
    # Too short a time is what costs the points; one weak unit is listed, and is not blamed.
    snn = transferred(TransferSettings(duration=4.0))
    out = np.linalg.norm(artificial().parameters[HIDDEN], axis=0)
    weights = np.array(snn.parameters[INPUT])
    weights[out.argmin()] *= 0.1
    found = explained(replace(snn, parameters={**snn.parameters, INPUT: weights}))
    check_sums(found)
    assert found.roots == ()
    assert "badly scaled" not in found.summary
    assert f"dense_1: unit {out.argmin()} has 0.1 times the spikes" in found.faults[0]


# Each pair of two of them.
@pytest.mark.parametrize(
    ("neuron", "rounds", "hidden"),
    [
        ("delta", 0, (40,)),
        ("delta", 1, (24, 12)),
        ("currents", 0, (24, 12)),
        ("currents", 1, (40,)),
        ("conductances", 0, (40,)),
        ("conductances", 1, (24, 12)),
    ],
)
def test_a_saturated_scale_with_and_without_calibration(
    neuron: str, rounds: int, hidden: tuple[int, ...]
) -> None:
    settings = replace(NEURONS[neuron], percentile=60.0, rounds=rounds)
    found = explained(transferred(settings, hidden))
    check_sums(found)
    assert found.summary.startswith("The largest cause is saturation")
    # What a calibration has learned from counts that go no higher is no fault of the weights.
    assert found.faults == ()


@pytest.mark.parametrize("neuron", NEURONS)
def test_lost_signs_of_which_ties_come(neuron: str) -> None:
    snn = transferred(NEURONS[neuron], (24, 12))
    name = "dense_1->dense_2.weight"
    planted = {**snn.parameters, name: np.maximum(snn.parameters[name], 0.0)}
    found = explained(replace(snn, parameters=planted))
    check_sums(found)
    assert found.gap > 0.1
    assert found.summary.startswith("The largest cause is sign of weights")
    assert "in dense_2: negative weights are missing" in found.summary


@pytest.mark.parametrize("neuron", NEURONS)
def test_a_time_in_which_nothing_comes_to_the_end(neuron: str) -> None:
    found = explained(replace(transferred(NEURONS[neuron], (24, 12)), duration=4.0))
    check_sums(found)
    assert found.gap > 0.1
    # Neither is a neuron dead that fires a little later, nor a population on another scale.
    assert found.summary.split(",")[0].removeprefix("The largest cause is ") in {
        "transient delay",
        "too few spikes",
    }
    assert "What may help: --duration 8." in found.summary
    assert found.faults == ()


def test_a_spiking_network_that_is_better() -> None:
    ann, samples = artificial(), labelled(TEST, 3)
    # An ANN that has its labels wrong for a third of the stimuli, which its network has right.
    labels = samples.labels.copy()
    with ENGINE.start() as engine:
        counts = engine.run(sound(), samples.inputs).counts["dense_2"]
        logits = activations(ann, samples.inputs)["dense_2"]
        differ = counts.argmax(axis=1) != logits.argmax(axis=1)
        assert differ.any()
        labels[differ] = counts.argmax(axis=1)[differ]
        kept = np.flatnonzero(differ)
        rest = np.flatnonzero(~differ)[: len(kept)]
        chosen = np.concatenate([kept, rest])
        found = explain(ann, sound(), Samples(samples.inputs[chosen], labels[chosen]), engine)
    assert found.gap < -2 * found.error
    assert found.summary == (
        f"Nothing is lost: the spiking network is better by {-100 * found.gap:.1f} points."
    )


def test_a_long_refractoriness() -> None:
    planted = replace(sound(), neuron=replace(sound().neuron, tau_refrac=6.0))
    found = explained(planted)
    check_sums(found)
    assert found.parts[0].cause == "refractory"
    assert "τ_refrac 6 ms leaves room for 8 spikes" in found.parts[0].evidence
    assert found.parts[0].change[0] == "-p tau_refrac=0"
    assert "What may help: -p tau_refrac=0." in found.summary


def test_input_coding() -> None:
    settings = TransferSettings(neuron=IFCurrDelta(), coding=Poisson(500.0), duration=25.0)
    found = explained(transferred(settings))
    check_sums(found)
    assert (found.parts[0].cause, found.parts[0].where) == ("coding", "input")
    assert found.parts[0].change[0] == "--coding current"


def test_charge_that_a_hard_reset_throws_away() -> None:
    # In steps of 1 ms a good part of a threshold arrives at a time.
    whole = transferred(TransferSettings(neuron=DELTA, dt=1.0, duration=200.0, rounds=1))
    planted = replace(whole, neuron=replace(DELTA, reset="hard"))
    assert accuracy(whole) > 0.97
    found = explained(planted, train=True)
    check_sums(found)
    assert found.snn == accuracy(planted) < 0.8
    assert (found.parts[0].cause, found.parts[0].where) == ("reset", "dense_2")
    assert found.summary.startswith("The largest cause is surplus charge at reset")
    assert found.parts[0].points > 0.7 * found.gap
    assert found.parts[0].change == ("--reset subtract", "--dt 0.5")
    assert found.remedy is not None
    assert found.remedy.change == "--reset subtract"
    assert found.remedy.accuracy > 0.97


@pytest.mark.parametrize(
    ("hidden", "delay"), [((30, 30), 10.0), ((30, 30, 30), 7.5)], ids=["deep", "deeper"]
)
def test_deep_layers_that_come_late(hidden: tuple[int, ...], delay: float) -> None:
    # A third layer has the first spikes, by way of two others, when most of the 50 ms are over.
    prompt = transferred(TransferSettings(neuron=DELTA, rounds=1), hidden)
    planted = replace(prompt, delay=delay)
    assert accuracy(prompt) > 0.9
    found = explained(planted, train=True)
    check_sums(found)
    assert found.snn == accuracy(planted) < 0.6
    assert found.parts[0].cause == "transient"
    assert found.parts[0].where != "dense_1"
    assert found.summary.startswith("The largest cause is transient delay")
    assert found.parts[0].points > 0.75 * found.gap
    assert found.parts[0].change == ("--delay 0.5", "--duration 100")
    assert found.remedy is not None
    assert found.remedy.change == "--delay 0.5"


def test_conductances_in_the_place_of_currents() -> None:
    settings = TransferSettings(
        neuron=CURRENTS, coding=ConstantCurrent(250.0), dt=1.0, duration=50.0, rounds=1
    )
    steady = transferred(settings)
    # The same at the threshold, 20 mV from either reversal potential; at rest excitation is nearly
    # twice as strong, and inhibition a quarter.
    neuron = IFCondExp(**CURRENTS.numbers, reset=CURRENTS.reset, e_rev_E=-30.0)
    planted = {
        name: value / 20.0 if "weight" in name else value
        for name, value in steady.parameters.items()
    }
    snn = replace(steady, neuron=neuron, parameters=planted)
    assert accuracy(steady) > 0.95
    found = explained(snn, train=True, calibrating=20)
    check_sums(found)
    assert found.snn == accuracy(snn) < 0.8
    assert found.faults == ()
    assert (found.parts[0].cause, found.parts[0].where) == ("driving", "dense_2")
    assert found.summary.startswith("The largest cause is driving force")
    assert found.parts[0].points > 0.65 * found.gap
    assert found.parts[0].change == ("volr transfer again", "--neuron if_curr_exp")
    # Either helps: gains of their own for both signs, or what was there before.
    assert found.remedy is not None
    assert found.remedy.change in found.parts[0].change
    [currents] = [trial for trial in found.trials if trial.change == "--neuron if_curr_exp"]
    assert currents.accuracy > 0.95


def test_a_leak_between_spikes_that_are_far_apart() -> None:
    # An input of 1 has a spike in 5 ms, of which 37 % are left when the next one comes.
    def made(tau_m: float) -> SpikingModel:
        neuron, coding = replace(DELTA, tau_m=tau_m), ConstantCurrent(200.0)
        return transferred(TransferSettings(neuron=neuron, coding=coding, duration=100.0, rounds=1))

    leaky = made(5.0)
    assert accuracy(made(100.0)) > 0.95
    found = explained(leaky, train=True)
    check_sums(found)
    assert found.snn == accuracy(leaky) < 0.7
    assert found.parts[0].cause == "integration"
    assert found.summary.startswith("The largest cause is leak and irregular arrival")
    assert found.parts[0].points > 0.5 * found.gap
    assert found.remedy is not None
    assert found.remedy.change == "--rate-max 400"
    assert found.remedy.gained > 0.5 * found.gap


def test_progress_is_told_in_order() -> None:
    told: list[tuple[str, int, int]] = []
    with ENGINE.start() as engine:
        explain(
            artificial(),
            sound(),
            labelled(20, 8),
            engine,
            progress=lambda stage, done, total: told.append((stage, done, total)),
        )
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["simulating", "splitting the gap"]
    for stage in stages:
        done = [(count, total) for each, count, total in told if each == stage]
        assert [count for count, _ in done] == sorted(count for count, _ in done)
        assert done[-1][0] == done[-1][1]


@needs_nest
def test_it_is_the_back_end_that_is_explained() -> None:
    samples = labelled(40, 9)
    found: list[Explanation] = []
    for backend in (ENGINE, NEST):
        with backend.start() as simulator:
            found.append(explain(artificial(), sound(), samples, simulator))
    assert [each.backend for each in found] == ["engine", "nest"]
    # Spike for spike the same network.
    assert found[0] == replace(found[1], backend="engine")


@pytest.mark.parametrize("kind", ["ANN", "SNN"])
def test_weights_whose_squares_are_no_numbers(kind: str) -> None:
    ann, snn = artificial(), sound()
    (name, values), *_ = (ann if kind == "ANN" else snn).parameters.items()
    huge = {name: 1e200 * np.ones_like(values)}
    if kind == "ANN":
        ann = replace(ann, parameters={**ann.parameters, **huge})
    else:
        snn = replace(snn, parameters={**snn.parameters, **huge})
    with ENGINE.start() as engine, pytest.raises(ModelError, match=r"of size 1e\+200") as caught:
        explain(ann, snn, labelled(20, 8), engine)
    assert f"the {kind}'s {name}" in caught.value.message


def test_refusals() -> None:
    samples = labelled(20, 8)
    tanh = ArtificialModel(artificial().network, artificial().parameters, Tanh())
    network = chain(12, 5)
    values = random_parameters(network, np.random.default_rng(0), weight=1.0, bias=1.0)
    shallow = SpikingModel(network=network, parameters=values)
    with ENGINE.start() as engine:
        with pytest.raises(UnsupportedError, match="'tanh'"):
            explain(tanh, sound(), samples, engine)
        with pytest.raises(ModelError, match="not of the same network"):
            explain(artificial(), shallow, samples, engine)
        with pytest.raises(DataError, match="no samples"):
            explain(artificial(), sound(), samples.first(0), engine)
        other = Samples(np.zeros((3, 4)), np.zeros(3, dtype=int))
        with pytest.raises(DataError, match="takes"):
            explain(artificial(), sound(), other, engine)
        strange = Samples(samples.inputs, np.full(len(samples), 7))
        with pytest.raises(DataError, match="there is a label 7, and the network has"):
            explain(artificial(), sound(), strange, engine)
