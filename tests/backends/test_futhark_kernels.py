"""Kernels, pools and identities in Futhark: how the program reads, its gradient, what it says."""

from __future__ import annotations

import itertools
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends import kernels
from tests.needs import skip_without
from tests.oracles import random_parameters

pytest.importorskip("futhark_ffi")
skip_without("futhark", "cc")

from volr.backends.expected import expected
from volr.backends.futhark import FUTHARK_PROGRAM, library_of, program
from volr.backends.futhark.expressions import NotOursError, parsed
from volr.backends.futhark.parameter_vector import flattened, unflattened
from volr.backends.readback import SINGLE, ArtificialReadback, Asked
from volr.backends.reference import forward
from volr.backends.terms import WINDOWS
from volr.errors import BackendError
from volr.language import to_network
from volr.models.activations import Tanh
from volr.models.model import ArtificialModel
from volr.models.parameters import fixed_weights
from volr.network import Network, Population
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from pathlib import Path

    from volr.checks.arrays import Floats, Integers

LENET = to_network(
    "conv [1 12 12] 2 5 pad:[1 0] ⦶ maxpool _ 2 ⦶ conv _ 3 3 ⦶ avgpool _ 2 ⦶ dense _ 4"
)
LEARNING = kernels.LEARNING


def model_of(network: Network) -> ArtificialModel:
    values = random_parameters(network, np.random.default_rng(1), weight=0.4, bias=0.3)
    return ArtificialModel(network, values, Tanh())


@pytest.mark.parametrize("name", kernels.NETWORKS)
def test_the_compiler_accepts_the_program_without_a_warning(name: str, tmp_path: Path) -> None:
    text = program(kernels.NETWORKS[name], Tanh())
    (tmp_path / "network.fut").write_text(text, encoding="utf-8")
    subprocess.run(["futhark", "check", "--Werror", tmp_path / "network.fut"], check=True)
    assert max(map(len, text.splitlines())) <= 100


def test_lenet_reads_like_one() -> None:
    assert """\
  let input = x :> [144]f32
  let input_maps = unflatten_3d (input :> [1 * 12 * 12]f32)
  let conv_1 =
    convolved 10 8 {stride = (1, 1), pad = (1, 0), groups = 1} p.input_conv_1_weight input_maps
    |> add_channels p.conv_1_bias
    |> map_maps relu
  let maxpool_2 =
    largest 5 4 {window = (2, 2), stride = (2, 2)} (scaled_maps p.conv_1_maxpool_2_weight conv_1)
  let conv_3 =
    convolved 3 2 {stride = (1, 1), pad = (0, 0), groups = 1} p.maxpool_2_conv_3_weight maxpool_2
    |> add_channels p.conv_3_bias
    |> map_maps relu
  let conv_3_dense_4_pool_1 = means 1 1 {window = (2, 2), stride = (2, 2)} conv_3
  let conv_3_dense_4_row = flatten_3d conv_3_dense_4_pool_1 :> [3]f32
  let dense_4 =
    weighted p.conv_3_dense_4_weight conv_3_dense_4_row
    |> add p.dense_4_bias
  in dense_4 :> [output_size]f32
""" in program(LENET)


def test_a_program_has_the_definitions_that_it_needs() -> None:
    dense = program(to_network("dense 3 4 ⦶ dense _ 2"))
    assert not any(name in dense for name in ("convolved", "means", "map_maps", "held"))
    assert "def largest" in program(LENET)
    assert "def sums" not in program(LENET)


def test_no_population_takes_the_name_of_a_definition() -> None:
    names = ("convolved", "means", "held", "before")
    maps = tuple(Population(name, (1, 3, 3)) for name in names)
    network = Network(
        maps,
        tuple(
            type(each)(a.name, b.name, each.connector)
            for a, b in itertools.pairwise(maps)
            for each in to_network("id [1 3 3]").projections
        ),
        names[:1],
        names[-1:],
    )
    found = FUTHARK_PROGRAM.read_back(FUTHARK_PROGRAM.write(model_of(network)))
    assert not compare(expected(model_of(network), SINGLE), found).differences
    assert "let means =" not in program(network)


def loss(model: ArtificialModel, x: Floats, labels: Integers) -> float:
    z = forward(model, x)
    top = z.max(axis=1)
    right = z[np.arange(len(z)), labels]
    return float(np.mean(np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - right))


def test_gradients_are_those_of_the_reference_and_fixed_weights_stay() -> None:
    model = model_of(LEARNING)
    library = library_of(LEARNING, Tanh(), "cross_entropy")
    random = np.random.default_rng(2)
    x = random.random((6, LEARNING.input_size), dtype=np.float32)
    labels = random.integers(0, 3, len(x))
    vector = flattened(LEARNING, model.parameters)
    exact = x.astype(np.float64)
    assert library.number("loss", vector, x, labels) == pytest.approx(
        loss(model, exact, labels), rel=1e-5
    )
    slopes = unflattened(LEARNING, library.array(library.call("gradient", vector, x, labels)))
    fixed, step = fixed_weights(LEARNING), 1e-6
    for name, value in model.parameters.items():
        # Some of each: the oracle is slow.
        for index in list(np.ndindex(value.shape))[:: max(1, value.size // 12)]:
            ends: list[float] = []
            for change in (-step, step):
                moved = value.copy()
                moved[index] += change
                changed = ArtificialModel(LEARNING, {**model.parameters, name: moved}, Tanh())
                ends.append(loss(changed, exact, labels))
            wanted = (ends[1] - ends[0]) / (2 * step)
            assert slopes[name][index] == pytest.approx(wanted, abs=3e-6)
    order, rates = np.arange(len(x)), np.array([0.1], dtype=np.float32)
    given = (x, labels, order, len(x), rates)
    plain = library.array(library.call("train", vector, *given))
    count = len(vector)
    momentum = np.concatenate([vector, np.zeros(count + 1, dtype=np.float32)])
    moved = library.array(library.call("train_momentum", momentum, *given, 0.9, 0.01))[:count]
    adam = np.concatenate([vector, np.zeros(2 * count + 2, dtype=np.float32)])
    adapted = library.array(library.call("train_adam", adam, *given, 0.01))[:count]
    for values in (plain, moved, adapted):
        after = unflattened(LEARNING, values)
        before = unflattened(LEARNING, vector)
        for name in after:
            assert np.array_equal(after[name], before[name]) == (name in fixed)
    for name, value in unflattened(LEARNING, plain).items():
        if name not in fixed:
            start = model.parameters[name]
            np.testing.assert_allclose(value, start - 0.1 * slopes[name], atol=1e-6)


def read(network: Network, before: str, after: str) -> ArtificialReadback:
    files = FUTHARK_PROGRAM.write(model_of(network))
    text = files[".fut"].decode()
    assert text.count(before) == 1
    changed = text.replace(before, after).encode()
    found = FUTHARK_PROGRAM.read_back({**files, ".fut": changed})
    assert isinstance(found, ArtificialReadback)
    return found


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        (
            "10 8 {stride = (1, 1), pad = (1, 0)",
            "10 8 {stride = (1, 1), pad = (0, 1)",
            "the padding is 0x1 instead of 1x0",
        ),
        (
            "convolved 3 2 {stride = (1, 1)",
            "convolved 3 2 {stride = (1, 2)",
            "the stride is 1x2 instead of 1x1",
        ),
        ("means 1 1", "largest 1 1", "a pool takes the largest in place of the mean"),
        ("largest 5 4", "means 5 4", "the mean, or the sum, in place of the largest"),
        ("largest 5 4", "sums 5 4", "the mean, or the sum, in place of the largest"),
        ("add_channels p.conv_3_bias\n    |> map_maps tanh", "add_channels p.conv_3_bias", None),
    ],
)
def test_another_program_says_something_else(before: str, after: str, cause: str | None) -> None:
    found = compare(expected(model_of(LENET), SINGLE), read(LENET, before, after)).differences
    assert cause in {each.cause for each in found}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("means 1 1 {window = (2, 2)", "means 1 1 {window = (4, 1)"),
        ("means 1 1 {window = (2, 2)", "means 1 2 {window = (2, 2)"),
        ("p.maxpool_2_conv_3_weight maxpool_2", "p.maxpool_2_conv_3_weight input_maps"),
        ("groups = 1} p.maxpool_2_conv_3_weight", "groups = 2} p.maxpool_2_conv_3_weight"),
    ],
)
def test_a_program_that_does_not_fit_is_refused(before: str, after: str) -> None:
    with pytest.raises(BackendError, match="not a Futhark program of Volr's"):
        read(LENET, before, after)


def test_a_parameter_of_another_size_is_refused() -> None:
    with pytest.raises(BackendError, match="cuts input_conv_1_weight out in another shape"):
        read(LENET, "unflatten_4d (v[0:50]", "unflatten_4d (v[0:49]")


def test_the_largest_in_place_of_the_mean_is_named() -> None:
    found = read(LENET, "means 1 1", "largest 1 1")
    assert found.merges["dense_4"] == Asked(WINDOWS)


@pytest.mark.parametrize(
    "text", ["", "a +", "(a, b)", "f (1", "{a = }", "f |> (1, 2)", "a :> [x]f32", "(f a) b", "'"]
)
def test_what_is_no_expression_of_ours_is_refused(text: str) -> None:
    with pytest.raises(NotOursError):
        parsed(text)
