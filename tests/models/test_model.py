"""What makes a model, and what does not."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.oracles import chain, fork, random_parameters

from volr.engine.reference import simulate
from volr.errors import ModelError, VolrError
from volr.language import to_network
from volr.models.activations import ACTIVATIONS, ReLU, Sigmoid, activate, activation
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, Model, SpikingModel, check_reach
from volr.models.parameters import incoming_weights, parameter_shapes, parameters
from volr.models.simulation_settings import SimulationSettings
from volr.models.timing import timing_problems
from volr.neurons import (
    NEURON_MODELS,
    IFCondExp,
    IFCurrDelta,
    IFCurrExp,
    NeuronModel,
    neuron_model,
)
from volr.training import SpikingSettings
from volr.transfer import TransferSettings

NETWORK = fork(3, 2, 4, 5)
VALUES = random_parameters(NETWORK, np.random.default_rng(0), weight=1.0, bias=1.0)


def test_parameters_have_a_matrix_for_each_projection_and_a_vector_for_each_population() -> None:
    assert parameter_shapes(NETWORK) == {
        "input->dense_1.weight": (2, 3),
        "input->dense_2.weight": (4, 3),
        "dense_1->dense_3.weight": (5, 2),
        "dense_2->dense_3.weight": (5, 4),
        "dense_1.bias": (2,),
        "dense_2.bias": (4,),
        "dense_3.bias": (5,),
    }


def test_the_matrix_of_a_layer_is_its_blocks_side_by_side() -> None:
    values = parameters(NETWORK, VALUES)
    whole = incoming_weights(NETWORK, values, NETWORK["dense_3"])
    left, right = VALUES["dense_1->dense_3.weight"], VALUES["dense_2->dense_3.weight"]
    np.testing.assert_array_equal(whole, np.hstack([left, right]))


def test_parameters_are_read_only_and_apart_from_what_was_given() -> None:
    given = {name: array.copy() for name, array in VALUES.items()}
    model = ArtificialModel(NETWORK, given)
    given["dense_1.bias"][0] = 99.0
    assert model.parameters["dense_1.bias"][0] == VALUES["dense_1.bias"][0]
    with pytest.raises(ValueError, match="read-only"):
        model.parameters["dense_1.bias"][0] = 1.0


def test_everything_wrong_with_parameters_is_said_at_once() -> None:
    given: dict[str, Any] = dict(VALUES)
    del given["dense_1.bias"]
    given["dense_9.bias"] = np.zeros(3)
    given["input->dense_1.weight"] = np.zeros((3, 2))
    given["dense_3.bias"] = np.array([0.0, np.nan, 0.0, 0.0, 0.0])
    with pytest.raises(ModelError) as caught:
        ArtificialModel(NETWORK, given)
    message = caught.value.message
    assert "dense_1.bias is missing" in message
    assert "dense_9.bias is not a parameter" in message
    assert "input->dense_1.weight has the shape (3, 2), the network needs (2, 3)" in message
    assert "dense_3.bias has values that are not finite" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt": 0.0}, "dt is 0.0 ms"),
        ({"dt": float("nan")}, "dt is nan"),
        ({"duration": -1.0}, "duration is -1.0"),
        ({"delay": 0.25}, "delay 0.25 ms is not a whole number of steps of 0.5 ms"),
        ({"duration": 50.2}, "duration 50.2 ms is not a whole number"),
        ({"delay": float("inf")}, "delay is inf"),
        ({"duration": 1e12}, "duration is 1e.12 ms, more than 1,000,000 steps"),
        ({"duration": 1e308, "dt": 1e-308}, "more than 1,000,000 steps"),
        (
            {"dt": 4.0, "duration": 48.0, "coding": Poisson(500.0)},
            "500 Hz, but a step of 4 ms allows 250",
        ),
    ],
)
def test_times_that_make_no_simulation_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        SpikingModel(network=NETWORK, parameters=VALUES, **change)


@pytest.mark.parametrize("neuron", [kind() for kind in NEURON_MODELS])
@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0, 10.0])
def test_the_defaults_are_those_of_settings(neuron: NeuronModel, dt: float) -> None:
    model = SpikingModel(network=NETWORK, parameters=VALUES, neuron=neuron, dt=dt)
    settings = SimulationSettings(neuron=neuron, dt=dt)
    assert model == settings.model(NETWORK, VALUES)
    assert model.delay_steps == 1
    assert model.coding == ConstantCurrent(min(neuron.input_rate, 1000.0 / dt))
    # They are values of the model from then on.
    assert replace(model, dt=dt / 2).delay_steps == 2
    assert pickle.loads(pickle.dumps(model)) == model


@pytest.mark.parametrize(("dt", "duration"), [(0.1, 50.0), (0.3, 49.8), (0.001, 7.0)])
def test_steps_are_counted_in_spite_of_rounding(dt: float, duration: float) -> None:
    model = SpikingModel(network=NETWORK, parameters=VALUES, dt=dt, duration=duration, delay=3 * dt)
    assert model.steps == round(duration * 1000) // round(dt * 1000)
    assert model.delay_steps == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tau_m": 0.0}, "tau_m is 0.0, not above 0"),
        ({"tau_m": 1e300}, "tau_m is 1e.300"),
        ({"tau_m": 1e-300}, "tau_m is 1e-300, below 1e-06"),
        ({"v_rest": -1e9}, "v_rest is -1000000000.0"),
        ({"cm": -1.0}, "cm is -1.0"),
        ({"tau_refrac": -0.1}, "tau_refrac is -0.1, below 0"),
        ({"v_reset": -50.0}, "v_reset -50.0 is not below v_thresh"),
        ({"v_rest": -40.0}, "v_rest -40.0 is not below v_thresh"),
        ({"i_offset": float("nan")}, "i_offset is nan"),
        ({"reset": "soft"}, "reset is 'soft', not one of hard, subtract"),
    ],
)
@pytest.mark.parametrize("kind", NEURON_MODELS)
def test_membranes_that_cannot_be_are_refused(
    kind: type[NeuronModel], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=f"{kind.name}: .*{message}"):
        kind(**change)


@pytest.mark.parametrize("kind", [IFCurrExp, IFCondExp])
def test_synapses_that_cannot_be_are_refused(kind: type[IFCurrExp | IFCondExp]) -> None:
    with pytest.raises(ModelError, match=r"tau_syn_E is 0\.0, not above 0; tau_syn_I is -1\.0"):
        kind(tau_syn_E=0.0, tau_syn_I=-1.0)
    with pytest.raises(ModelError, match="tau_syn_I is nan"):
        kind(tau_syn_I=float("nan"))
    with pytest.raises(ModelError, match="e_rev_E is inf"):
        IFCondExp(e_rev_E=float("inf"))


def test_propagators_are_the_integrals_that_they_stand_for() -> None:
    # One nA that decays with τ, on a membrane that decays with τ_m, over dt: summed up finely.
    neuron, dt, pieces = IFCurrExp(tau_m=9.0, cm=0.4, tau_syn_E=2.0, tau_syn_I=9.0), 0.5, 200_000
    middles = (np.arange(pieces) + 0.5) * (dt / pieces)
    for found, tau in zip(neuron.synaptic_rises(dt), (2.0, 9.0), strict=True):
        flow = np.exp(-middles / tau) / 0.4 * np.exp(-(dt - middles) / 9.0)
        assert found == pytest.approx(flow.mean() * dt, rel=1e-11)
    assert neuron.rise(dt) == pytest.approx(np.exp(-middles / 9.0).mean() * dt / 0.4, rel=1e-11)
    assert neuron.synaptic_decays(dt) == (np.exp(-dt / 2.0), np.exp(-dt / 9.0))


def test_only_outputs_that_nothing_follows_can_have_their_membranes_read() -> None:
    model = SpikingModel(network=NETWORK, parameters=VALUES, readout="membrane")
    assert [model.is_spiking(name) for name in NETWORK.by_name] == [True, True, True, False]
    assert all(
        SpikingModel(network=NETWORK, parameters=VALUES).is_spiking(name)
        for name in NETWORK.by_name
    )
    both = replace(NETWORK, outputs=("dense_1", "dense_3"))
    with pytest.raises(ModelError, match="membrane of dense_1 is to be read, so it never spikes"):
        SpikingModel(network=both, parameters=VALUES, readout="membrane")
    with pytest.raises(ModelError, match="readout is 'rate', not one of count, membrane"):
        SpikingModel(network=NETWORK, parameters=VALUES, readout="rate")  # type: ignore[arg-type]


def test_refractoriness_is_rounded_to_steps() -> None:
    neuron = IFCurrDelta(tau_refrac=1.5)
    assert [neuron.refractory_steps(dt) for dt in (0.1, 0.5, 1.0, 2.0, 4.0)] == [15, 3, 2, 1, 0]


def test_neuron_models_have_names_and_known_parameters() -> None:
    assert neuron_model("if_curr_delta", {"tau_m": 10.0}) == IFCurrDelta(tau_m=10.0)
    soft = neuron_model("if_curr_exp", {"tau_syn_I": 2.0}, "subtract")
    assert soft == IFCurrExp(tau_syn_I=2.0, reset="subtract")
    assert "reset" not in soft.numbers
    assert soft.numbers["tau_syn_I"] == 2.0
    assert [each.weight_unit for each in NEURON_MODELS] == ["mV", "nA", "µS"]
    with pytest.raises(ModelError, match="no parameter 'tau_syn_E'"):
        neuron_model("if_curr_delta", {"tau_syn_E": 1.0})
    with pytest.raises(ModelError, match="no parameter 'tau'"):
        neuron_model("if_curr_delta", {"tau": 1.0})
    with pytest.raises(ModelError, match="no neuron model 'lif'"):
        neuron_model("lif")


def test_activations_are_their_formulas() -> None:
    z = np.array([[-800.0, -1.5, 0.0, 0.5, 800.0]])
    np.testing.assert_array_equal(activate(ReLU(), z), [[0.0, 0.0, 0.0, 0.5, 800.0]])
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(activate(Sigmoid(), z), 1 / (1 + np.exp(-z)), atol=1e-15)
    for each in ACTIVATIONS:
        assert activation(each.name) == each
        assert activate(each, z).shape == z.shape
    with pytest.raises(ModelError, match="'swish'"):
        activation("swish")


def test_chains_have_no_other_parameters() -> None:
    assert list(parameter_shapes(chain(4, 3))) == ["input->dense_1.weight", "dense_1.bias"]


def test_excitation_must_excite_and_inhibition_must_not() -> None:
    with pytest.raises(ModelError, match=r"e_rev_E -57\.5 is not above v_thresh -50"):
        IFCondExp(e_rev_E=-57.5)
    with pytest.raises(ModelError, match=r"e_rev_I -50\.0 is not below v_thresh -50"):
        IFCondExp(e_rev_I=-50.0)


@pytest.mark.parametrize(
    ("neurons", "said"),
    [
        ({"dense_9": IFCurrExp()}, "neurons of 'dense_9', which is no population"),
        (
            {"dense_1": "if_curr_exp"},
            "the neurons of dense_1 are 'if_curr_exp', no neuron model",
        ),
        (IFCurrExp(), "not neuron models by the name of a population"),
    ],
)
def test_neurons_of_no_population_are_named(neurons: Any, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        replace(SPIKING, neurons=neurons)
    assert said in caught.value.message


def test_neurons_of_populations_are_changed_alike() -> None:
    own = IFCurrExp(tau_m=5.0)
    model = replace(SPIKING, neurons={"dense_1": own, "dense_2": SPIKING.neuron})
    assert dict(model.neurons) == {"dense_1": own}
    assert model.neuron_of("dense_2") == SPIKING.neuron
    changed = model.with_neurons(lambda each: replace(each, tau_refrac=2.0))
    assert changed.neuron_of("dense_1") == replace(own, tau_refrac=2.0)
    assert changed.neuron_of("dense_2") == replace(SPIKING.neuron, tau_refrac=2.0)
    with pytest.raises(ModelError, match="the same neurons, and in this model dense_1 has its own"):
        SimulationSettings.of(model)


SPIKING = SpikingModel(network=NETWORK, parameters=VALUES, neuron=IFCurrExp(tau_m=9.0))
MODELS = [ArtificialModel(NETWORK, VALUES, Sigmoid()), SPIKING]


@pytest.mark.parametrize("model", MODELS, ids=["artificial", "spiking"])
def test_models_compare_by_value(model: Model) -> None:
    again = replace(model, parameters={name: array.copy() for name, array in VALUES.items()})
    assert model == again
    assert hash(model) == hash(again)
    for name, array in VALUES.items():
        moved = array.copy()
        moved.flat[-1] = np.nextafter(moved.flat[-1], 2.0)
        assert model != replace(model, parameters={**VALUES, name: moved})
    assert MODELS[0] != MODELS[1]
    assert model != "a model"
    assert model.parameters != {}
    assert model.parameters == VALUES


class Quick(IFCurrExp):
    tau_m = 3.0


class Named(IFCurrDelta):
    name = "named"


class Regular(Poisson):
    pass


def test_a_subclass_of_a_neuron_or_of_a_coding_is_none_that_volr_has() -> None:
    """No file, no back end and no training would know it from the class that it comes of."""

    for change in ({"neuron": Quick()}, {"neuron": Named()}, {"coding": Regular()}):
        ((field, value),) = change.items()
        said = f"{field} is .*{type(value).__name__}.*, not one of "
        for make in (SimulationSettings, TransferSettings, SpikingSettings):
            with pytest.raises(VolrError, match=said):
                make(**change)  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=said):
            SpikingModel(network=NETWORK, parameters=VALUES, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", MODELS, ids=["artificial", "spiking"])
def test_parameters_stay_read_only(model: Model) -> None:
    for again in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for array in again.parameters.values():
            with pytest.raises(ValueError, match="cannot set WRITEABLE flag to True"):
                array.setflags(write=True)
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 0.0


@pytest.mark.parametrize("model", MODELS, ids=["artificial", "spiking"])
@pytest.mark.parametrize("how", ["copy", "deepcopy", "pickle"])
def test_models_are_copied_and_pickled(model: Model, how: str) -> None:
    _ = model.network.incoming  # a view that is kept
    match how:
        case "copy":
            again = copy.copy(model)
        case "deepcopy":
            again = copy.deepcopy(model)
        case _:
            again = pickle.loads(pickle.dumps(model))
    assert type(again) is type(model)
    assert again == model
    for name, array in again.parameters.items():
        np.testing.assert_array_equal(array, VALUES[name])
        assert not array.flags.writeable
    parts = pickle.loads(pickle.dumps(model.parameters))
    assert parts == model.parameters
    assert not any(each.flags.writeable for each in parts.values())


def test_tensors_and_lists_are_taken_by_value() -> None:
    import torch

    tensors = {
        name: torch.nn.Parameter(torch.tensor(array, dtype=torch.float64))
        for name, array in VALUES.items()
    }
    given: dict[str, Any] = {**tensors, "dense_1.bias": VALUES["dense_1.bias"].tolist()}
    model = ArtificialModel(NETWORK, given)
    assert model.parameters == VALUES
    tensors["dense_2.bias"].data[0] = 99.0
    assert model.parameters == VALUES
    half: Any = {name: each.bfloat16() for name, each in tensors.items()}
    model = ArtificialModel(NETWORK, half)
    name = "input->dense_1.weight"
    np.testing.assert_array_equal(model.parameters[name], half[name].detach().double().numpy())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[1.0, 2.0], [3.0]], "dense_1.bias is a list that is no array"),
        ("12", "dense_1.bias is of the type <U2, not real numbers"),
        (["1", "2"], "dense_1.bias is of the type <U1, not real numbers"),
        (np.array([1j, 2j]), "dense_1.bias is of the type complex128"),
        ([None, None], "dense_1.bias is of the type object"),
        ([10**400, 1], "dense_1.bias is of the type object"),
        ({"a": 1}, "dense_1.bias is of the type object"),
        (np.array(["2020-01-01"] * 2, dtype="M8[D]"), "dense_1.bias is of the type datetime64"),
    ],
    ids=["ragged", "text", "texts", "complex", "none", "huge", "mapping", "dates"],
)
def test_parameters_that_are_no_numbers_are_named(value: Any, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        ArtificialModel(NETWORK, {**VALUES, "dense_1.bias": value})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neuron": "if_curr_exp"}, "neuron is 'if_curr_exp', not one of IFCurrDelta, IFCurrExp"),
        ({"neuron": IFCurrExp}, "neuron is <class"),
        ({"coding": "poisson"}, "coding is 'poisson', not one of ConstantCurrent, Poisson"),
        ({"network": "dense 2 3"}, "network is 'dense 2 3', not a Network"),
        ({"dt": "0.5"}, "dt is '0.5', not a number"),
        ({"dt": None}, "dt is None, not a number"),
        ({"readout": 3}, "readout is 3, not a text"),
        ({"parameters": [1, 2]}, "the parameters are a list, not arrays by name"),
        ({"parameters": None}, "the parameters are a NoneType"),
    ],
)
def test_a_model_of_other_things_is_refused_when_it_is_made(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError) as caught:
        replace(SPIKING, **changes)
    assert said in str(caught.value)
    with pytest.raises(ModelError, match="activation is 'relu', not one of ReLU, Sigmoid"):
        ArtificialModel(NETWORK, VALUES, "relu")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", NEURON_MODELS)
@pytest.mark.parametrize("value", ["20", None, True, 1j, [20.0]], ids=str)
def test_neuron_parameters_of_another_type_are_refused(kind: type[NeuronModel], value: Any) -> None:
    with pytest.raises(ModelError, match=f"{kind.name}: tau_m is .*, not a number"):
        kind(tau_m=value)
    with pytest.raises(ModelError, match="reset is 3, not a text"):
        kind(reset=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("delay_steps", [1, 3, 4, 5, 7, 12])
def test_a_delay_that_lets_nothing_through_is_refused(layers: int, delay_steps: int) -> None:
    dt, steps = 0.1, 12
    network = chain(*(2 + i for i in range(layers + 1)))
    values = {
        name: np.full(shape, 1000.0 if len(shape) == 2 else 0.0)
        for name, shape in parameter_shapes(network).items()
    }
    model = SpikingModel(
        network=network,
        parameters=values,
        neuron=IFCurrDelta(tau_refrac=0.0),
        coding=Poisson(1000.0 / dt),
        dt=dt,
        duration=steps * dt,
        delay=delay_steps * dt,
    )
    # Every input spikes in every step, and every spike makes a spike.
    spikes = simulate(model, np.ones((1, 2))).spikes[network.outputs[0]]
    if spikes.any():
        check_reach(network, model.duration, model.delay)
        return
    with pytest.raises(ModelError, match="no output can depend on the input") as caught:
        check_reach(network, model.duration, model.delay)
    assert f"the delay is {model.delay:g} ms, the duration 1.2 ms" in caught.value.message


def test_the_shortest_way_to_any_output_counts() -> None:
    # One output is two projections away, the other three.
    network = to_network("dense 3 4 ⦶ (dense 4 2 ⊖ (dense 4 5 ⦶ dense 5 1))")
    check_reach(network, 10.0, 4.9)
    with pytest.raises(ModelError, match="2 projections of 5 ms each") as caught:
        check_reach(network, 10.0, 5.0)
    assert caught.value.help == "choose a delay below 5 ms, or a duration above 10 ms"


@pytest.mark.parametrize("dt", [-3.0, 0.0, float("nan"), float("inf")])
def test_a_wrong_step_is_told_once(dt: float) -> None:
    # The delay is one step unless told.
    what = "above 0" if math.isfinite(dt) else "finite"
    assert timing_problems(dt, 50.0, dt) == [f"dt is {dt} ms, not {what}"]
    assert len(timing_problems(dt, -1.0, -2.0)) == 3
