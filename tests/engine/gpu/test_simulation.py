"""Simulation through PyTorch beside the engine's own kernels: on CUDA where there is a GPU, else on
the processor, with the fused kernels in Triton's interpreter where Triton is installed.
"""

from __future__ import annotations

import os
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
torch = pytest.importorskip("torch")

CUDA = torch.cuda.is_available()
if not CUDA:
    os.environ["TRITON_INTERPRET"] = "1"  # read when the kernels are first imported

from random import Random

from tests.exact.networks import random_staircase
from tests.exact.networks import random_stimuli as whole_stimuli

from volr.backends.reference import activations
from volr.engine.gpu import matrices, simulation
from volr.engine.simulation import ready, simulate
from volr.errors import UnsupportedError
from volr.exact.decoding import telling, told
from volr.exact.first_spikes import to_first_spikes
from volr.language import to_network
from volr.models.coding import Poisson
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer.settings import TransferSettings
from volr.verification.examples import random_snn, random_stimuli

DEVICE = "cuda" if CUDA else "cpu"
NETWORK = to_network("dense 6 9 >> (dense 9 4 | dense 9 3) >> dense 7 2")
NEURONS = (
    IFCurrDelta(tau_refrac=2.0),
    IFCurrDelta(reset="subtract"),
    IFCurrExp(tau_syn_E=3.0, tau_syn_I=7.0),
)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("neuron", NEURONS, ids=lambda each: f"{each.name} {each.reset}")
@pytest.mark.parametrize("poisson", [False, True])
def test_spikes_and_membranes_are_the_engines(
    neuron: NeuronModel, poisson: bool, fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fused and find_spec("triton") is None:
        pytest.skip("the fused kernels need Triton, which is optional")
    settings = TransferSettings(neuron=neuron, duration=20.0)
    if poisson:
        settings = TransferSettings(neuron=neuron, duration=20.0, coding=Poisson())
    model = random_snn(NETWORK, settings)
    stimuli = random_stimuli(NETWORK, 5)
    names = tuple(each.name for each in model.network.populations)
    recorded: dict[str, Any] = {"counts": model.network.inputs, "spikes": names}
    recorded |= {"membranes": names, "seed": 3}
    expected = simulate(ready(model), stimuli, **recorded)
    assert sum(int(expected.spikes[name].sum()) for name in names[1:]) > 0

    monkeypatch.setattr(matrices, "respond", partial(matrices.respond, fused=fused))
    monkeypatch.setattr(simulation, "_CHUNK", 2)
    told: list[int] = []
    found = simulation.simulate(model, stimuli, DEVICE, progress=told.append, **recorded)
    assert told == [2, 2, 1]
    for name in names:
        np.testing.assert_array_equal(found.spikes[name], expected.spikes[name])
        np.testing.assert_allclose(found.membranes[name], expected.membranes[name], atol=1e-9)
    assert found.totals.keys() == expected.totals.keys()
    for name, total in expected.totals.items():
        np.testing.assert_allclose(found.totals[name], total, atol=1e-9)
    part = simulation.simulate(model, stimuli[1:], DEVICE, first=1, **recorded)
    for name in names:
        np.testing.assert_array_equal(part.spikes[name], expected.spikes[name][:, 1:])


@pytest.mark.parametrize("fused", [False, True])
def test_first_spikes_of_all_layers_are_the_engines(
    fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fused and find_spec("triton") is None:
        pytest.skip("the fused kernels need Triton, which is optional")
    network = to_network(
        "conv [2 5 6] 3 [2 3] ⦶ (avgpool _ 3 stride:1 ⊕ maxpool _ 3 stride:1) ⦶ "
        "dense _ 4 ⦶ ((dense _ 5 ⦶ dense _ 4) ⊕ id _) ⦶ dense _ 3"
    )
    staircase = random_staircase(network, Random(1))
    model = to_first_spikes(staircase)
    stimuli = whole_stimuli(staircase, 4, 0)
    names = telling(model)
    monkeypatch.setattr(matrices, "respond", partial(matrices.respond, fused=fused))
    recorded: dict[str, Any] = {"counts": model.network.starts, "spikes": names}
    layers = (*model.network.outputs, "conv_1")
    found = simulation.simulate(model, stimuli, DEVICE, layers=layers, **recorded)
    numbers, error = told(
        model, found.spikes, {name: found.totals[name] for name in network.outputs}
    )
    assert error < 1e-6
    for name, expected in activations(staircase, stimuli).items():
        np.testing.assert_array_equal(numbers[name], expected, err_msg=name)
    assert found.totals.keys() == {*layers, *model.network.starts}
    assert (found.totals["clock"] == 1).all()
    assert (found.totals["conv_1"] == 1).all()


def test_conductances_stay_on_the_processor() -> None:
    model = random_snn(NETWORK, TransferSettings(neuron=IFCondExp(), duration=5.0))
    with pytest.raises(UnsupportedError, match="on the processor alone"):
        simulation.simulate(model, random_stimuli(NETWORK, 2), DEVICE)
