"""Weights of 0, bytes, and the figures that energy is estimated from."""

from __future__ import annotations

import numpy as np
import pytest
from tests.oracles import chain

from volr.exact.first_spikes import to_first_spikes
from volr.experiments.costs.figures import FLOATS, WHOLE_NUMBERS, figures_of
from volr.experiments.costs.fixed import connection_sparsity, footprint
from volr.language import to_network
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.parameters import parameter_shapes

SHAPES = {"input->dense_1.weight": (4, 3), "dense_1.bias": (4,)}


def stairs(weights: float, bias: float) -> ArtificialModel:
    values = {
        name: np.full(shape, weights if "weight" in name else bias)
        for name, shape in SHAPES.items()
    }
    return ArtificialModel(chain(3, 4), values, Staircase(4, 3))


def test_a_shared_weight_counts_once_and_fixed_ones_do_not() -> None:
    network = to_network("conv [1 4 5] 2 2 ⦶ maxpool _ [1 2] ⦶ dense _ 3")
    values = {name: np.ones(shape) for name, shape in parameter_shapes(network).items()}
    values["input->conv_1.weight"][0, 0, 1, 1] = 0.0
    values["maxpool_2->dense_3.weight"][2, :5] = 0.0
    kernel, dense = 2 * 4, 3 * 2 * 3 * 2
    assert connection_sparsity(ArtificialModel(network, values)) == (1 + 5) / (kernel + dense)


def test_a_network_without_trained_weights_has_no_sparsity() -> None:
    network = to_network("maxpool [1 4 4] 2")
    values = {name: np.zeros(shape) for name, shape in parameter_shapes(network).items()}
    assert connection_sparsity(ArtificialModel(network, values)) == 0.0


def test_floating_point_takes_4_bytes() -> None:
    values = {name: np.ones(shape) for name, shape in SHAPES.items()}
    network = chain(3, 4)
    assert footprint(ArtificialModel(network, values)) == 4 * (12 + 4)
    assert footprint(SpikingModel(network=network, parameters=values)) == 4 * (12 + 4)


@pytest.mark.parametrize(
    ("weights", "bias", "found"),
    [
        (127, -127, 12 + 4),
        (128, 5, 2 * 12 + 4),
        (-32767, 32768, 2 * 12 + 4 * 4),
    ],
)
def test_whole_numbers_take_what_the_largest_needs(weights: float, bias: float, found: int) -> None:
    assert footprint(stairs(weights, bias)) == found


def test_first_spikes_are_whole_numbers_of_their_grid() -> None:
    model = stairs(7, 3)
    spiking = to_first_spikes(model)
    # Of the clock two spikes reach the outputs: the bias, and −bias − 3 · 7. There is no current.
    assert footprint(spiking) == 12 + 2 * 4 + 4
    assert (figures_of(model), figures_of(spiking)) == (WHOLE_NUMBERS, WHOLE_NUMBERS)
    others = ArtificialModel(model.network, model.parameters)
    assert figures_of(others) == FLOATS


def test_a_multiplication_with_its_addition_is_the_sum_of_both() -> None:
    """Horowitz's table: 3.7 pJ and 0.9 pJ in floating point, 3.1 pJ and 0.1 pJ otherwise."""
    assert (FLOATS.mac, FLOATS.ac) == (pytest.approx(3.7 + 0.9), 0.9)
    assert (WHOLE_NUMBERS.mac, WHOLE_NUMBERS.ac) == (pytest.approx(3.1 + 0.1), 0.1)
