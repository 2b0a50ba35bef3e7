"""Sums of whole numbers, against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.whole import POOLS, staircase

from volr.backends.reference import activations
from volr.errors import ModelError
from volr.exact.sums import largest_sums, staircase_of, summed_weights, window_size
from volr.models.activations import ReLU, Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name, synapse_matrix, unit_biases


def test_no_stimulus_reaches_more_than_the_largest_sums() -> None:
    ann = staircase(POOLS, 7)
    network = ann.network
    stimuli = np.random.default_rng(1).integers(0, 2, (50, network.input_size)).astype(float)
    shown = activations(ann, stimuli)
    for each in network.layers:
        found = largest_sums(network, ann.parameters, each, 7)
        assert (np.abs(shown[each.name]).max(axis=0) <= found).all()
        if each.merge == "max":
            continue
        # Synapse by synapse.
        wanted = np.abs(unit_biases(each, ann.parameters))
        for projection in network.incoming[each.name]:
            matrix = np.abs(synapse_matrix(network, projection, ann.parameters))
            if window_size(projection) == 1:
                wanted = wanted + 7 * matrix.sum(axis=1)
                summed = synapse_matrix(network, projection, ann.parameters).sum(axis=1)
                weights = ann.parameters[f"{projection.name}.weight"]
                assert (summed_weights(network, projection, weights) == summed).all()
        if all(window_size(p) == 1 for p in network.incoming[each.name]):
            assert (found == wanted).all()


def test_what_is_no_whole_number_is_named() -> None:
    ann = staircase("conv [1 5 5] 2 2 ⦶ avgpool _ 2 ⦶ dense _ 3", 4)
    assert staircase_of(ann) == Staircase(4, 201)
    for name, by, said in (
        ("input->conv_1.weight", 0.5, "a weight of input->conv_1 is"),
        ("conv_1->dense_2.weight", 2.0, "multiples of 4, the neurons of a window"),
        (bias_name(ann.network["dense_2"]), 0.25, "a bias of dense_2 is"),
    ):
        values = {**ann.parameters, name: ann.parameters[name] + by}
        with pytest.raises(ModelError, match=said):
            staircase_of(ArtificialModel(ann.network, values, ann.activation))
    with pytest.raises(ModelError, match="activation relu"):
        staircase_of(ArtificialModel(ann.network, ann.parameters, ReLU()))
