"""``benchmarks/converters.py``: what is carried into PyTorch, what is counted, and a small run."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.importers.harness import PEERS, ROOT, missing

torch = pytest.importorskip("torch")

from benchmarks.conversion.base import FanOut
from benchmarks.conversion.carried import carried

import volr
from volr.backends.reference import activations
from volr.models.parameters import parameter_shapes

if TYPE_CHECKING:
    from pathlib import Path

MEANS = (
    "conv [2 9 8] 4 [3 2] stride:[2 1] pad:[1 0] groups:2 ⦶ avgpool _ [2 3] ⦶ dense _ 5 ⦶ dense _ 3"
)
LARGEST = "conv [2 9 8] 4 [3 2] pad:[0 1] ⦶ maxpool _ [3 2] ⦶ conv _ 3 2 stride:[1 2] ⦶ dense _ 3"


def random_model(program: str, seed: int = 0, spread: float = 1.0) -> volr.ArtificialModel:
    rng, network = np.random.default_rng(seed), volr.to_network(program)
    values = {
        name: np.ones(shape) if shape == (1,) else rng.normal(0.0, spread, shape)
        for name, shape in parameter_shapes(network).items()
    }
    return volr.ArtificialModel(network, values)


@pytest.mark.parametrize("program", [MEANS, LARGEST])
def test_modules_compute_what_the_network_does(program: str):
    model = random_model(program)
    images = np.random.default_rng(1).random((7, 144))
    found = carried(model)
    (output,) = model.network.outputs
    wanted = activations(model, images)[output]
    with torch.no_grad():
        logits = found.modules(found.given(images)).numpy()
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-4)
    assert np.array_equal(found.labels(images), wanted.argmax(axis=1))
    assert found.shape == (2, 9, 8)


def test_neurons_are_those_that_send_through_weights():
    assert carried(random_model(MEANS)).neurons == ("conv_1", "dense_2")
    found = carried(random_model(LARGEST))
    assert found.neurons == ("maxpool_2", "conv_3")
    assert found.largest


@pytest.mark.parametrize(
    ("program", "activation", "told"),
    [
        ("dense 4 3 ⦶ (dense _ 2 ⊖ dense _ 2) ⦶ dense _ 2", volr.ReLU(), "a chain of layers"),
        ("dense 4 3 ⦶ dense _ 2", volr.Sigmoid(), "networks with ReLU"),
    ],
)
def test_other_networks_are_refused(program: str, activation: volr.Sigmoid, told: str):
    model = random_model(program)
    model = volr.ArtificialModel(model.network, model.parameters, activation=activation)
    with pytest.raises(volr.VolrError, match=told):
        carried(model)


def test_synapses_behind_a_pool_are_the_derivatives_of_sums():
    # Where all weights are 1 and no sum is cut off, the derivative of a layer's sum by a neuron is
    # its number of synapses, divided by the size of the window where there are means.
    model = random_model(MEANS)
    fan_out, modules = FanOut(model).of, carried(model).modules
    for each in modules.parameters():
        each.data.fill_(1.0)
    convolution, relu, pool, flatten, first, _, second = modules
    assert isinstance(relu, torch.nn.ReLU)
    image = torch.ones((1, 2, 9, 8), requires_grad=True)
    maps = convolution(image)
    maps.sum().backward()
    assert fan_out["input"].tolist() == image.grad.flatten().tolist()
    again = torch.ones(maps.shape, requires_grad=True)
    values = first(flatten(pool(again)))
    (6 * values.sum()).backward()
    np.testing.assert_allclose(fan_out["conv_1"], again.grad.flatten().numpy(), rtol=1e-6)
    assert 0 in fan_out["conv_1"]
    units = torch.ones(values.shape, requires_grad=True)
    second(units).sum().backward()
    assert fan_out["dense_2"].tolist() == units.grad.flatten().tolist()
    assert fan_out["dense_3"].tolist() == [0, 0, 0]


def test_operations_are_spikes_times_synapses():
    whole = random_model("dense 3 2 ⦶ dense _ 4")
    values = {name: np.array(each) for name, each in whole.parameters.items()}
    values["input->dense_1.weight"][0, 1] = 0.0
    model = volr.ArtificialModel(whole.network, values)
    sent = {"input": np.array([1.0, 10.0, 100.0]), "dense_1": np.array([1000.0, 0.0])}
    assert FanOut(model).operations(sent) == 1 * 2 + 10 * 1 + 100 * 2 + 1000 * 4


@pytest.fixture(scope="module")
def small_run(
    tmp_path_factory: pytest.TempPathFactory, mnist_dir: Path
) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """The tables of small networks with random weights, on 50 images, and what was printed."""
    pytest.importorskip("numba")
    folder = tmp_path_factory.mktemp("converters")
    report = folder / "report.json"
    for pool in ("avgpool", "maxpool"):
        model = random_model(f"conv [1 28 28] 2 5 stride:2 ⦶ {pool} _ 3 ⦶ dense _ 10", spread=0.3)
        volr.save_model(model, folder / f"{pool}.safetensors")
    size = ["--images", "50", "--training", "100", "--batch", "30", "--threads", "1"]
    done = subprocess.run(
        [
            *(PEERS / "bin" / "python", ROOT / "benchmarks" / "converters.py", *size),
            *("--model", folder / "avgpool.safetensors", folder / "maxpool.safetensors"),
            *("--json", report, "--data", mnist_dir),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(report.read_text(encoding="utf-8")), done.stdout


@pytest.mark.skipif(missing() is not None, reason="needs .venv-peers")
def test_each_network_is_converted_by_all_that_take_it(
    small_run: tuple[dict[str, list[dict[str, Any]]], str],
):
    report, _ = small_run
    exact = {f"first spikes, {levels} levels" for levels in (8, 32)}

    def options(pool: str, family: str) -> set[str]:
        return {row["options"] for row in report[pool] if row["converter"] == family}

    assert options("avgpool", "SpikingJelly") == {"max", "99.9%", "1/2", "1/3", "balanced"}
    assert len(options("avgpool", "sinabs")) == 2
    assert options("avgpool", "Volr") == {"rates", *exact}
    assert options("maxpool", "SpikingJelly") == {"99.9%, by channel", "balanced"}
    assert options("maxpool", "sinabs") == set()
    assert options("maxpool", "Volr") == exact


@pytest.mark.skipif(missing() is not None, reason="needs .venv-peers")
@pytest.mark.parametrize("pool", ["avgpool", "maxpool"])
def test_first_spikes_lose_what_their_ann_does_and_rates_less_with_time(
    small_run: tuple[dict[str, list[dict[str, Any]]], str], pool: str
):
    report, printed = small_run
    rows = report[pool]
    for levels in (8, 32):
        (ann,) = (row for row in rows if row["options"] == f"{levels} levels")
        (row,) = (row for row in rows if row["options"] == f"first spikes, {levels} levels")
        assert (row["lost"], row["others"]) == (ann["lost"], ann["others"])
        assert printed.count(f"first spikes, {levels} levels: 0 of 50 labels and 0 of ") == 2
    peers = [row for row in rows if row["converter"] in {"SpikingJelly", "sinabs"}]
    for name in {row["options"] for row in peers}:
        each = [row for row in peers if row["options"] == name]
        assert [row["steps"] for row in each] == [8, 16, 32, 64, 128]
        assert sorted(row["spikes"] for row in each) == [row["spikes"] for row in each]
    assert min(row["others"] for row in peers if row["steps"] == 128) <= 2
