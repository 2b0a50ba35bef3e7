"""Pictures of maps and kernels: one for each channel, as dark as what it shows is high."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from tests.oracles import random_parameters

pytest.importorskip("matplotlib")

from matplotlib.image import imread

from volr.experiments.report.maps import kernel_figure, rate_figure
from volr.language import to_network
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

NETWORK = to_network("conv [2 5 4] 3 [3 2] ⦶ avgpool _ [1 3] ⦶ conv _ 2 1 ⦶ dense _ 3")


def model() -> SpikingModel:
    values = random_parameters(NETWORK, np.random.default_rng(0), weight=0.3, bias=0.1)
    return SpikingModel(network=NETWORK, parameters=values, dt=1.0, duration=20.0)


def pictures(svg: str) -> list[Floats]:
    ET.fromstring(svg)  # it is XML
    found = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    return [np.asarray(imread(io.BytesIO(base64.b64decode(each)))) for each in found]


def test_rates_are_maps_by_channel() -> None:
    spikes = {p.name: np.zeros((20, p.size), dtype=np.bool_) for p in NETWORK.populations}
    spikes["conv_1"][:5, :9] = True  # the first of three channels, at 250 Hz
    spikes["conv_1"][0, 9] = True
    spikes["input"][3, 20:] = True
    drawn = rate_figure("maps", "it", model(), spikes)
    assert drawn is not None
    assert "input 50, conv_1 250, conv_2 0" in drawn.caption
    for label in ("2×5×4", "3×3×3", "2×3×1"):
        assert label in drawn.svg
    assert "dense_3" not in drawn.svg
    first, second, *three = pictures(drawn.svg)[:5]
    assert first[..., 3].max() == 0.0
    assert second[..., 3].min() == 1.0
    assert [float(each[..., 3].max()) for each in three] == pytest.approx([1.0, 0.2, 0.0], abs=0.01)
    assert len(pictures(drawn.svg)) == 2 + 3 + 2


def test_kernels_are_blue_and_orange() -> None:
    drawn = kernel_figure("kernels", "it", model())
    assert drawn is not None
    assert "input->conv_1" in drawn.title
    weights = model().parameters["input->conv_1.weight"]
    assert f"{np.abs(weights).max():.3g} nA" in drawn.caption
    found = pictures(drawn.svg)
    assert len(found) == 6
    one = found[0]
    # Where a weight excites, there is more blue than red.
    height, width = one.shape[0] // 3, one.shape[1] // 2
    middles = one[height // 2 :: height, width // 2 :: width]
    seen = middles[..., 3] > 0.02
    blue = middles[..., 2] > middles[..., 0]
    np.testing.assert_array_equal(blue[seen], (weights[0, 0] > 0)[seen])


def test_networks_without_maps_have_no_such_figure() -> None:
    network = to_network("dense 3 4 ⦶ dense 4 2")
    values = random_parameters(network, np.random.default_rng(0), weight=0.3, bias=0.1)
    dense = SpikingModel(network=network, parameters=values)
    spikes = {p.name: np.zeros((100, p.size), dtype=np.bool_) for p in network.populations}
    assert rate_figure("maps", "it", dense, spikes) is None
    assert kernel_figure("kernels", "it", dense) is None
