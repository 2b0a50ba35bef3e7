"""``benchmarks/own_network.py``: the module, the lines that are counted, and a small run."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.importers.harness import PEERS, ROOT, missing

torch = pytest.importorskip("torch")

from benchmarks.bring import network, ways

import volr

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = 10


def test_the_module_is_one_that_volr_takes():
    torch.manual_seed(0)
    found = volr.import_torch(network.vgg().eval(), network.SHAPE)
    kinds = [type(each.connector).__name__ for each in found.model.network.projections]
    assert kinds.count("Convolution") == 4
    assert sum(each.merge == "max" for each in found.model.network.populations) == 2


def test_it_learns_in_plain_pytorch():
    labels = np.repeat([0, 1], 256)
    pixels = np.random.default_rng(0).random((512, 28, 28)) * 0.3
    pixels[labels == 0, :14] += 0.6
    pixels[labels == 1, 14:] += 0.6
    inputs = pixels.reshape(512, 784)
    module = network.trained(volr.Samples(inputs, labels), 4)
    assert (network.answers(module, inputs) == labels).mean() > 0.9


def test_lines_are_those_that_a_user_writes():
    def way(given: ways.Given, steps: int) -> tuple[int, int]:
        del steps

        first = len(given.test)
        return first, 0

    assert ways.lines(way) == 2
    assert all(3 < ways.lines(each) < 10 for each in ways.WAYS.values())


@pytest.fixture(scope="module")
def small_run(
    tmp_path_factory: pytest.TempPathFactory, fashion_dir: Path
) -> tuple[dict[str, dict[str, Any]], str]:
    """The rows of a network that hardly learned, by way, and what was printed."""
    pytest.importorskip("numba")
    report = tmp_path_factory.mktemp("own") / "report.json"
    done = subprocess.run(
        [
            *(PEERS / "bin" / "python", ROOT / "benchmarks" / "own_network.py"),
            *("--images", str(IMAGES), "--training", "256", "--epochs", "1", "--steps", "4"),
            *("--only", "99.9%", "sinabs", "Norse", "Volr, rates", "engine"),
            *("--threads", "1", "--json", report, "--data", fashion_dir),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))
    return {each["way"]: each for each in rows}, done.stdout


@pytest.mark.skipif(missing() is not None, reason="needs .venv-peers")
def test_each_way_is_gone_or_says_why_not(small_run: tuple[dict[str, dict[str, Any]], str]):
    rows, printed = small_run
    for name in ("SpikingJelly, 99.9%", "sinabs, from_model", "Volr, exact, engine"):
        assert rows[name]["first"] > 0
        assert 0 <= rows[name]["accuracy"] <= 1
        assert name in printed
    for name in ("SpikingJelly, 99.9%", "sinabs, from_model"):
        assert rows[name]["steps"] == 4
    assert rows["Norse, NIR"]["told"]
    assert "first" not in rows["Norse, NIR"]
    assert "lacks `maxpool`" in rows["Volr, rates"]["told"]


@pytest.mark.skipif(missing() is not None, reason="needs .venv-peers")
def test_what_is_lost_is_counted_against_the_module(
    small_run: tuple[dict[str, dict[str, Any]], str],
):
    rows, _ = small_run
    whole = rows["the module itself"]["accuracy"]
    for name in ("SpikingJelly, 99.9%", "sinabs, from_model", "Volr, exact, engine"):
        assert rows[name]["lost"] == round((whole - rows[name]["accuracy"]) * IMAGES)
