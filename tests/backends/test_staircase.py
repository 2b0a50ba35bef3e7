"""A staircase network is the same whole numbers everywhere: all populations, all stimuli."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.conformance import ARTIFICIAL, TARGETS, need
from tests.backends.staircases import (
    CASES,
    DENSE,
    NETWORKS,
    POOLS,
    TOP,
    all_shown,
    case,
    integers_of,
    logits_of,
    staircase,
    stimuli_of,
    whole_model,
)
from tests.oracles import random_parameters

from volr.backends.expected import expected
from volr.backends.futhark import FUTHARK_PROGRAM, program
from volr.backends.onnx import ONNX_FILE
from volr.backends.probing import ANOTHER, activation_of, input_formula_of
from volr.backends.readback import SINGLE, ArtificialReadback, Asked
from volr.backends.reference import activations
from volr.backends.refusals import check_supported
from volr.errors import ModelFileError, TrainingError, UnsupportedError
from volr.language import to_network
from volr.models.activations import ReLU, Staircase, activate, input_levels, title
from volr.models.model import ArtificialModel
from volr.models.samples import Samples
from volr.training import TrainingSettings, train_ann
from volr.transfer import transfer_ann
from volr.verification import compare, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", ["reference", "torch", "onnx"])
def test_whole_numbers_are_the_same(name: str, network: str) -> None:
    need(ARTIFICIAL[name])
    for levels, step in CASES:
        model, stimuli, wanted = case(network, levels, step)
        run = ARTIFICIAL[name].build(model)
        np.testing.assert_array_equal(run(stimuli), wanted)
        np.testing.assert_array_equal(run(stimuli[5:6]), wanted[5:6])


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", ["reference", "torch", "onnx"])
def test_logits_are_the_same_where_nothing_else_is_shown(name: str, network: str) -> None:
    need(ARTIFICIAL[name])
    model = replace(case(network, 32, 1)[0], network=NETWORKS[network])
    stimuli = case(network, 32, 1)[1]
    found = ARTIFICIAL[name].build(model)(stimuli)
    np.testing.assert_array_equal(found, logits_of(model, stimuli))


def test_sums_are_large_and_levels_differ() -> None:
    """What is compared above is no accident of small or saturated numbers."""
    largest, seen = 0, list[int]()
    for network in NETWORKS:
        model, stimuli, _ = case(network, 255, 2**22)
        assert isinstance(model.activation, Staircase)
        for name, z in integers_of(model, stimuli).items():
            if name in model.network.inputs or model.network[name].merge == "max":
                continue
            largest = max(largest, int(np.abs(z).max()))
            seen.append(len(np.unique(activate(model.activation, z.astype(np.float64)))))
    assert TOP * 0.9 < largest <= TOP
    assert np.median(seen) > 20


def test_hidden_populations_of_the_reference_are_whole_numbers() -> None:
    model, stimuli, _ = case("pools", 7, 41)
    alone = replace(model, network=POOLS)
    found, wanted = activations(alone, stimuli), integers_of(alone, stimuli)
    assert isinstance(model.activation, Staircase)
    for name, values in found.items():
        z = wanted[name]
        if name in POOLS.inputs or name in POOLS.outputs or POOLS[name].merge == "max":
            np.testing.assert_array_equal(values, z)
        else:
            np.testing.assert_array_equal(values, np.clip((2 * z + 41) // 82, 0, 7))


def test_whole_numbers_are_the_same_in_futhark() -> None:
    """One program with most kinds of layers: compiling takes long."""
    need(ARTIFICIAL["futhark"])
    model, stimuli, wanted = case("pools", 255, 2**22)
    found = ARTIFICIAL["futhark"].build(model)(stimuli)
    np.testing.assert_array_equal(found, wanted)
    held = ARTIFICIAL["futhark"].read_back(model)
    assert not compare(expected(model, SINGLE), held).differences


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", ["reference", "torch", "onnx", "onnx file", "futhark file"])
def test_it_is_read_back(name: str, network: str) -> None:
    target = TARGETS[name]
    need(target)
    model, stimuli, _ = case(network, 7, 41)
    found = verify(model, target, stimuli)
    assert found.equal, found.differences


def test_the_activation_of_maps_is_not_shown_in_place_of_their_sums() -> None:
    """Maps that a dense layer reads, and that are an output, have two rows in Futhark."""
    network = all_shown(to_network("conv [1 3 4] 2 2 ⦶ dense _ 3"))
    text = program(network, ReLU(), None)
    assert "with [3:15] = conv_1_logits" in text
    model = ArtificialModel(
        network, random_parameters(network, np.random.default_rng(0), weight=1.0, bias=1.0)
    )
    files = FUTHARK_PROGRAM.write(model)
    assert not compare(expected(model, SINGLE), FUTHARK_PROGRAM.read_back(files)).differences
    wrong = files[".fut"].replace(b"flatten_3d conv_1_sum", b"flatten_3d conv_1")
    found = FUTHARK_PROGRAM.read_back({**files, ".fut": wrong})
    (difference,) = compare(expected(model, SINGLE), found).differences
    assert difference.message == (
        "they are dense_2, the activation of conv_1, expected dense_2, conv_1"
    )


def test_probing_finds_levels_and_step() -> None:
    for levels, step in CASES:
        found = staircase(levels, step)
        assert activation_of(partial(activate, found)) == title(found)
        formula = input_formula_of(partial(input_levels, levels=levels))
        assert formula == f"⌊x · {levels} + ½⌋"


def test_probing_knows_what_is_no_staircase() -> None:
    def of_an_even_step(z: Floats) -> Floats:
        return np.clip(np.floor(z / 4 + 0.5), 0.0, 7.0)

    def without_a_floor(z: Floats) -> Floats:
        return np.clip(z / 5 + 0.5, 0.0, 7.0)

    def below(z: Floats) -> Floats:
        return np.clip(np.floor(z / 5 + 0.5), -1.0, 7.0)

    def a_stair_short(z: Floats) -> Floats:
        return np.where(z == 13, 2.0, activate(Staircase(7, 5), z))

    for each in (of_an_even_step, without_a_floor, below, a_stair_short):
        assert activation_of(each) == ANOTHER
    assert input_formula_of(lambda x: x) == "x"
    assert input_formula_of(lambda x: np.floor(x * 31 + 0.5)) == ANOTHER  # in double precision
    assert input_formula_of(lambda x: 7.0 * x) == ANOTHER
    assert input_formula_of(lambda x: 0.5 * x) == ANOTHER


def test_pytorch_takes_no_way_that_is_not_exact() -> None:
    """With oneDNN off it takes NNPACK's transforms, whose sums are off."""
    torch = pytest.importorskip("torch")
    network = to_network("conv [16 9 9] 4 3")
    model = whole_model(network, staircase(255, 41))
    stimuli = stimuli_of(model)
    backends = torch.backends
    before = backends.mkldnn.enabled, backends.mkldnn.conv.fp32_precision
    backends.mkldnn.enabled, backends.mkldnn.conv.fp32_precision = False, "bf16"
    try:
        found = ARTIFICIAL["torch"].build(model)(stimuli)
        assert backends.mkldnn.conv.fp32_precision == "bf16"
    finally:
        backends.mkldnn.enabled, backends.mkldnn.conv.fp32_precision = before
    np.testing.assert_array_equal(found, logits_of(model, stimuli))


def test_settings_of_pytorch_are_put_back_by_the_last() -> None:
    torch = pytest.importorskip("torch")
    from volr.backends.torch.exact import exact_sums

    conv = torch.backends.mkldnn.conv
    before = conv.fp32_precision
    one, other = exact_sums(), exact_sums()
    # As two threads do.
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert conv.fp32_precision == "ieee"
    with pytest.raises(ValueError, match="inside"), exact_sums():
        raise ValueError("inside")
    other.__exit__(None, None, None)
    assert conv.fp32_precision == before != "ieee"


@pytest.mark.parametrize("name", ["torch", "onnx", "futhark", "onnx file", "futhark file"])
def test_numbers_that_single_precision_does_not_add_up_are_refused(name: str) -> None:
    target = TARGETS[name]
    need(target)
    model = whole_model(POOLS, staircase(7, 41))
    values = dict(model.parameters)
    changes = {
        "conv_1.bias": (0.5, "a bias of conv_1 is"),
        "conv_1->conv_2.weight": (1.0, "all are multiples of 90, the neurons of a window"),
        "input->conv_1.weight": (2.0**22, "a weighted sum of conv_1 can become"),
    }
    for changed, (more, said) in changes.items():
        wrong = replace(model, parameters={**values, changed: values[changed] + more})
        with pytest.raises(UnsupportedError, match="in single precision") as error:
            check_supported(target, wrong)
        assert said in error.value.message


HOSTILE: dict[str, Callable[[Any], object]] = {
    "a clip without numbers": lambda nodes: nodes["conv_1"].input.pop(),
    "a quotient of sums": lambda nodes: swap(nodes["conv_1_quotient"], 1, "conv_1_sum"),
    "two results": lambda nodes: nodes["conv_1_floor"].output.append("more"),
    "no input": lambda nodes: nodes["conv_1_floor"].ClearField("input"),
    "another type": lambda nodes: nodes["input"].attribute[0].__setattr__("i", 7),
    "no type": lambda nodes: nodes["input"].ClearField("attribute"),
    "double precision": lambda nodes: nodes["input"].attribute[0].__setattr__("i", 11),
    "single precision": lambda nodes: nodes["stimuli_double"].attribute[0].__setattr__("i", 1),
    "rounded means": lambda nodes: swap(
        nodes["conv_1_conv_2_pool_1_sum"], 0, "conv_1_conv_2_pool_1"
    ),
    "half an activation goes on": lambda nodes: swap(
        nodes["conv_1_conv_2_pool_1"], 0, "conv_1_quotient"
    ),
}


def swap(node: Any, place: int, name: str) -> None:
    node.input[place] = name


@pytest.mark.parametrize("name", HOSTILE)
def test_files_that_are_none_of_ours_are_refused(name: str) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_model_from_string(ONNX_FILE.write(case("pools", 7, 41)[0])[".onnx"])
    HOSTILE[name]({each.name: each for each in model.graph.node})
    with pytest.raises(ModelFileError, match="not one that Volr writes"):
        ONNX_FILE.read_back({".onnx": model.SerializeToString()})


def test_a_division_by_zero_in_a_file_is_another_function() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_model_from_string(ONNX_FILE.write(case("pools", 7, 41)[0])[".onnx"])
    (step,) = (each for each in model.graph.initializer if each.name == "staircase_step")
    step.raw_data = np.zeros(1, dtype=np.float32).tobytes()
    found = ONNX_FILE.read_back({".onnx": model.SerializeToString()})
    assert isinstance(found, ArtificialReadback)
    assert found.activations["conv_1"] == Asked(ANOTHER, "")


def test_windows_that_onnx_cannot_add_up_are_refused() -> None:
    network = to_network("avgpool [1 32 32] 32 ⦶ dense _ 2")
    large = whole_model(network, Staircase(4095, 1))
    with pytest.raises(UnsupportedError, match="one of input->dense_1 can be 4,193,280") as error:
        ONNX_FILE.write(large)
    assert "avgpool [1 32 32] 32 ⦶ dense _ 2\n" in str(error.value)
    ONNX_FILE.write(whole_model(network, Staircase(2047, 1)))


def test_what_has_no_whole_numbers_refuses_it() -> None:
    model = whole_model(DENSE, staircase(7, 41))
    with pytest.raises(UnsupportedError, match="lacks the activation 'staircase'"):
        check_supported(TARGETS["nir file"], model)
    samples = Samples(np.random.default_rng(0).random((8, 3)), np.arange(8) % 3)
    settings = TrainingSettings(activation=model.activation, epochs=1)
    with pytest.raises(TrainingError, match="the slope of a staircase is 0"):
        train_ann(DENSE, samples, settings)
    with pytest.raises(UnsupportedError, match="one of whole numbers"):
        transfer_ann(model, samples)
