"""The NumPy reference against explicit loops, closed forms and the laws of the language."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.oracles import chain, fork, random_parameters

from volr.backends.expected import expected
from volr.backends.reference import REFERENCE, activations, forward
from volr.backends.refusals import check_supported
from volr.errors import DataError
from volr.language import to_network
from volr.models.activations import (
    ACTIVATIONS,
    Activation,
    Identity,
    ReLU,
    Sigmoid,
    Staircase,
    Tanh,
)
from volr.models.model import ArtificialModel
from volr.network import Network, Population, Projection
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

# Two inputs, an input that skips a population, an output that also feeds another, and an input
# that is read as it is.
ODD = Network(
    populations=(
        Population("left", (2,)),
        Population("right", (3,)),
        Population("hidden", (4,)),
        Population("early", (2,)),
        Population("late", (3,)),
    ),
    projections=(
        Projection("early", "late"),
        Projection("left", "hidden"),
        Projection("right", "hidden"),
        Projection("hidden", "early"),
        Projection("right", "late"),
    ),
    inputs=("right", "left"),
    outputs=("late", "left", "early"),
)
NETWORKS = {"chain": chain(5, 7, 3), "fork": fork(4, 3, 6, 5), "odd": ODD}


def model_of(network: Network, activation: Activation = ReLU(), seed: int = 0) -> ArtificialModel:
    rng = np.random.default_rng(seed)
    return ArtificialModel(
        network, random_parameters(network, rng, weight=0.7, bias=0.4), activation
    )


def squash(activation: Activation, z: float) -> float:
    match activation:
        case ReLU():
            return z if z > 0 else 0.0
        case Sigmoid():
            return 1 / (1 + math.exp(-z))
        case Tanh():
            return (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z))
        case Identity():
            return z
        case Staircase(levels=levels, step=step):
            return min(max(math.floor(z / step + 0.5), 0), levels)


def neuron_by_neuron(
    model: ArtificialModel, stimulus: list[float]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Weighted sums and activations of one stimulus, in loops over single synapses."""
    network = model.network
    sums: dict[str, list[float]] = {}
    active: dict[str, list[float]] = {}
    rest = iter(stimulus)
    for name in network.inputs:
        active[name] = sums[name] = [next(rest) for _ in range(network[name].size)]
    for population in network.populations:
        if population.name in network.inputs:
            continue
        sums[population.name] = []
        for post in range(population.size):
            z = float(model.parameters[f"{population.name}.bias"][post])
            for projection in network.projections:
                if projection.target == population.name:
                    weight = model.parameters[f"{projection.source}->{projection.target}.weight"]
                    for pre, a in enumerate(active[projection.source]):
                        z += float(weight[post, pre]) * a
            sums[population.name].append(z)
        active[population.name] = [squash(model.activation, z) for z in sums[population.name]]
    return sums, active


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_every_neuron_does_what_a_loop_over_its_synapses_does(
    network: Network, activation: Activation
) -> None:
    model = model_of(network, activation)
    stimuli = np.random.default_rng(1).normal(size=(6, network.input_size))
    shown, logits = activations(model, stimuli), forward(model, stimuli)
    assert list(shown) == [*network.inputs, *(p.name for p in network.layers)]
    for row, stimulus in enumerate(stimuli.tolist()):
        sums, active = neuron_by_neuron(model, stimulus)
        for name, values in shown.items():
            expected = sums[name] if name in network.outputs else active[name]
            np.testing.assert_allclose(values[row], expected, rtol=1e-12, atol=1e-12)
        expected = [z for name in network.outputs for z in sums[name]]
        np.testing.assert_allclose(logits[row], expected, rtol=1e-12, atol=1e-12)


def test_kernels_pools_and_sums_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    program = (
        "conv [2 7 9] 4 [3 2] stride:[1 2] pad:[0 1] ⦶ maxpool _ [2 3] stride:[2 1] ⦶ "
        "(conv _ 4 3 pad:1 groups:2 ⊕ id _) ⦶ avgpool _ [1 2] stride:1 ⦶ (dense _ 3 ⊕ dense _ 3)"
    )
    model = model_of(to_network(program), Tanh())
    x = np.random.default_rng(1).normal(size=(5, 2 * 7 * 9))
    values = {name: torch.tensor(np.array(each)) for name, each in model.parameters.items()}
    act, run = torch.tanh, torch.nn.functional
    first = act(
        run.conv2d(
            torch.tensor(x).reshape(5, 2, 7, 9),
            values["input->conv_1.weight"],
            values["conv_1.bias"],
            stride=(1, 2),
            padding=(0, 1),
        )
    )
    pooled = run.max_pool2d(values["conv_1->maxpool_2.weight"] * first, (2, 3), (2, 1))
    assert "maxpool_2.bias" not in values
    second = run.conv2d(
        pooled, values["maxpool_2->conv_3.weight"], values["conv_3.bias"], padding=1, groups=2
    )
    block = act(second + values["maxpool_2->conv_3#2.weight"] * pooled)
    flat = run.avg_pool2d(block, (1, 2), 1).flatten(1)
    logits = values["dense_4.bias"] + sum(
        flat @ values[f"conv_3->dense_4{which}.weight"].T for which in ("", "#2")
    )
    assert REFERENCE.several
    np.testing.assert_allclose(forward(model, x), logits.numpy(), rtol=1e-12, atol=1e-12)
    shown = activations(model, x)
    assert set(shown) == set(model.network.by_name)
    np.testing.assert_allclose(shown["maxpool_2"], pooled.flatten(1).numpy(), rtol=1e-12)
    check_supported(REFERENCE, model)
    assert not compare(expected(model), REFERENCE.read_back(model)).differences


def test_a_pool_that_adds_up_is_not_one_that_takes_the_largest() -> None:
    largest = model_of(to_network("maxpool [2 4 6] [2 3] ⦶ dense _ 3"))
    populations = tuple(replace(each, merge="sum") for each in largest.network.populations)
    summed = replace(largest, network=replace(largest.network, populations=populations))
    [found] = compare(expected(largest), REFERENCE.read_back(summed)).differences[:1]
    assert "the sum of what arrives counts, expected the largest" in found.message
    said = {
        each.message for each in compare(expected(summed), REFERENCE.read_back(largest)).differences
    }
    assert "the largest of what arrives counts, expected the sum" in said


def test_xor_by_hand() -> None:
    # |a − b| as the sum of two ReLUs, against a constant half.
    parameters = {
        "input->dense_1.weight": [[1.0, -1.0], [-1.0, 1.0]],
        "dense_1->dense_2.weight": [[0.0, 0.0], [1.0, 1.0]],
        "dense_1.bias": [0.0, 0.0],
        "dense_2.bias": [0.5, 0.0],
    }
    model = ArtificialModel(chain(2, 2, 2), parameters)  # type: ignore[arg-type]
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    expected = [[0.5, 0.0], [0.5, 1.0], [0.5, 1.0], [0.5, 0.0]]
    np.testing.assert_array_equal(forward(model, corners), expected)


def test_parallel_populations_equal_one_dense_layer_on_their_concatenation() -> None:
    # (a ⊖ b) ⦶ c  =  [a; b] ⦶ c
    parallel = model_of(fork(4, 3, 6, 5), Tanh())
    p = parallel.parameters
    joined: dict[str, Floats] = {
        "input->dense_1.weight": np.vstack(
            [p["input->dense_1.weight"], p["input->dense_2.weight"]]
        ),
        "dense_1.bias": np.concatenate([p["dense_1.bias"], p["dense_2.bias"]]),
        "dense_1->dense_2.weight": np.hstack(
            [p["dense_1->dense_3.weight"], p["dense_2->dense_3.weight"]]
        ),
        "dense_2.bias": p["dense_3.bias"],
    }
    sequential = ArtificialModel(chain(4, 9, 5), joined, Tanh())
    stimuli = np.random.default_rng(2).normal(size=(7, 4))
    np.testing.assert_allclose(
        forward(parallel, stimuli), forward(sequential, stimuli), rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize(
    ("shape", "found"), [((5,), r"\[5\]"), ((3, 4), r"\[3, 4\]"), ((2, 3, 5), r"\[2, 3, 5\]")]
)
def test_stimuli_of_another_shape_are_refused(shape: tuple[int, ...], found: str) -> None:
    with pytest.raises(DataError, match=rf"shape {found}, the network takes \[batch, 5\]"):
        forward(model_of(chain(5, 7, 3)), np.zeros(shape))


def test_no_stimuli_give_no_logits() -> None:
    assert forward(model_of(ODD), np.zeros((0, 5))).shape == (0, 7)


def test_the_record_builds_the_reference() -> None:
    model = model_of(fork(4, 3, 6, 5), Sigmoid())
    check_supported(REFERENCE, model)
    stimuli = np.random.default_rng(3).random((4, 4))
    np.testing.assert_array_equal(REFERENCE.build(model)(stimuli), forward(model, stimuli))
