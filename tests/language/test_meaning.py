"""What programs compute: the reference against the equations, and laws of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.language.oracle import meaning
from tests.shaped_programs import ShapedProgram, shaped_programs
from tests.strategies import Program, programs

from volr import ArtificialModel
from volr.backends.reference import activations, forward
from volr.language import check, lower, parse, to_network
from volr.models.activations import Identity, Tanh
from volr.models.parameters import bias_name, parameter_shapes, weight_name
from volr.network.connectors import AveragePool, Convolution, Pooled

if TYPE_CHECKING:
    from volr.models.parameters import Parameters
    from volr.network import Network


def drawn(network: Network) -> Parameters:
    """Parameters as the oracle draws them: by population, and those of untrained maps are 1."""
    shapes = parameter_shapes(network)
    found: dict[str, np.ndarray] = {}
    count = 0
    for population in network.layers:
        incoming = network.incoming[population.name]
        count += any(each.connector.trained for each in incoming)
        rng = np.random.default_rng(count)
        for each in incoming:
            name = weight_name(each)
            trained = each.connector.trained
            found[name] = rng.normal(size=shapes[name]) if trained else np.ones(shapes[name])
        if (name := bias_name(population)) in shapes:
            found[name] = rng.normal(size=shapes[name])
    return found


def computed(program: Program | ShapedProgram, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What the reference and the oracle make of one random stimulus."""
    checked = check(program.source)
    network = lower(checked.term)
    x = np.random.default_rng(seed).normal(size=checked.type.inputs)
    model = ArtificialModel(network, drawn(network), Tanh())
    return forward(model, x.reshape(1, -1))[0], meaning(program.expression, x)


@given(programs(), st.integers(0, 1000))
def test_a_program_of_dense_layers_means_what_the_equations_say(
    program: Program, seed: int
) -> None:
    np.testing.assert_allclose(*computed(program, seed), atol=1e-12)


@given(shaped_programs(loops=False), st.integers(0, 1000))
def test_a_program_means_what_the_equations_say(program: ShapedProgram, seed: int) -> None:
    np.testing.assert_allclose(*computed(program, seed), atol=1e-9)


@given(st.data())
def test_a_dense_layer_after_several_is_one_on_all_of_them(data: st.DataObject) -> None:
    """(a ⊖ b) ⦶ dense: the weights of its projections, side by side, are one matrix."""
    a = data.draw(shaped_programs(loops=False, depth=2))
    channels = data.draw(st.integers(1, 3))
    b = data.draw(shaped_programs(a.inputs, (channels, *a.outputs[1:]), loops=False, depth=2))
    network = to_network(f"(({a.text}) ⊖ ({b.text})) ⦶ dense _ [2 3]")
    model = ArtificialModel(network, drawn(network), Tanh())
    x = np.random.default_rng(0).normal(size=(4, network.input_size))
    values = activations(model, x)
    last = network.layers[-1]
    read: list[np.ndarray] = []
    for each in network.incoming[last.name]:
        given_ = values[each.source]
        if isinstance(each.connector, Pooled):
            given_ = given_[:, each.connector.members(network[each.source].shape)].mean(axis=2)
        read.append(given_)
    weights = [model.parameters[weight_name(each)] for each in network.incoming[last.name]]
    expected = np.hstack(read) @ np.hstack(weights).T + model.parameters[bias_name(last)]
    assert sum(each.shape[1] for each in read) == math.prod(a.outputs) + math.prod(b.outputs)
    np.testing.assert_allclose(forward(model, x), expected, atol=1e-12)


WINDOWS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.data())
def test_a_kernel_as_large_as_its_input_is_dense(
    channels: int, height: int, width: int, outputs: int, data: st.DataObject
) -> None:
    one = to_network(f"conv [{channels} {height} {width}] {outputs} [{height} {width}]")
    other = to_network(f"dense [{channels} {height} {width}] [{outputs} 1 1]")
    assert [each.shape for each in one.populations] == [each.shape for each in other.populations]
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    kernel = rng.normal(size=(outputs, channels, height, width))
    bias, x = rng.normal(size=outputs), rng.normal(size=(3, one.input_size))
    found = [
        forward(_model(network, weights, bias), x)
        for network, weights in ((one, kernel), (other, kernel.reshape(outputs, -1)))
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)


@given(WINDOWS, WINDOWS, WINDOWS, WINDOWS, st.integers(1, 2), st.integers(0, 1000))
def test_a_pool_and_a_convolution_are_a_larger_convolution(
    pool: tuple[int, int],
    step: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    groups: int,
    seed: int,
) -> None:
    """Each weight of the kernel, times 1/n, at all n places of its window of the source."""
    rng = np.random.default_rng(seed)
    inputs, outputs = 2 * groups, 3 * groups
    large = tuple(p + s * (w - 1) for p, s, w in zip(pool, step, window, strict=True))
    kernel = rng.normal(size=(outputs, inputs // groups, *window))
    expanded = np.zeros((outputs, inputs // groups, *large))
    for y, x in np.ndindex(*window):
        at = (slice(step[0] * y, step[0] * y + pool[0]), slice(step[1] * x, step[1] * x + pool[1]))
        expanded[:, :, *at] += kernel[:, :, y, x, None, None] / math.prod(pool)
    source = (inputs, large[0] + 3, large[1] + 2)
    pooled = Pooled((AveragePool(pool, step),), Convolution(window, stride, groups=groups))
    strides = (step[0] * stride[0], step[1] * stride[1])
    plain = Convolution(large, strides, groups=groups)
    means = AveragePool(pool, step).reduced(source)
    sizes = zip(means[1:], window, stride, strict=True)
    target = (outputs, *((n - w) // s + 1 for n, w, s in sizes))
    assert pooled.misfit(source, target) is plain.misfit(source, target) is None
    values = rng.normal(size=(2, math.prod(source)))
    one = pooled.apply(kernel, values, source, target)
    np.testing.assert_allclose(one, plain.apply(expanded, values, source, target), atol=1e-12)


def test_a_residual_block_adds_its_input() -> None:
    """By hand: relu is not needed where all is positive, so the identity is 1 to 1."""
    network = to_network("dense 2 2 ⊕ id 2")
    weights = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    weights["input->dense_1.weight"] = np.array([[1.0, 10.0], [0.0, 0.0]])
    weights["input->dense_1#2.weight"] = np.ones(1)
    found = forward(ArtificialModel(network, weights), np.array([[3.0, 4.0]]))
    np.testing.assert_array_equal(found, [[46.0, 4.0]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("avgpool [1 2 4] [2 3] stride:1", [[3.0, 4.0]]),
        ("maxpool [1 2 4] [2 3] stride:1", [[6.0, 7.0]]),
        ("id [1 2 4]", [list(range(8))]),
        ("id [1 2 4] ⊕ id [1 2 4]", [list(range(0, 16, 2))]),
    ],
)
def test_layers_without_weights(text: str, expected: list[list[float]]) -> None:
    network = to_network(text)
    model = ArtificialModel(network, drawn(network), Identity())
    np.testing.assert_array_equal(forward(model, np.arange(8, dtype=np.float64)[None]), expected)


def test_the_oracle_draws_what_the_program_has() -> None:
    """The oracle would be no oracle if it drew nothing."""
    tree = parse("conv [1 4 5] 2 [2 3] ⦶ (dense _ 3 ⊖ dense _ 2)")
    x = np.random.default_rng(0).normal(size=(1, 4, 5))
    one, other = meaning(tree, x), meaning(tree, 2 * x)
    assert one.shape == (5,)
    assert not np.allclose(2 * one, other)


def _model(network: Network, weights: np.ndarray, bias: np.ndarray) -> ArtificialModel:
    weight, *_ = (name for name in parameter_shapes(network) if name.endswith("weight"))
    name = bias_name(network.layers[-1])
    return ArtificialModel(network, {weight: weights, name: bias}, Tanh())
