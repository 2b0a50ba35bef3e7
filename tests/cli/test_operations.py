"""`evaluate --operations`: what is counted stands in a table, in a list and in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import solved_xor

from volr.exact.first_spikes import to_first_spikes
from volr.experiments.tasks import task
from volr.model_files.model_file import save_model
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr


def test_an_artificial_model(volr: Volr, model: Path) -> None:
    arguments = ("evaluate", model, "--task", "xor", "--on", "reference")
    plain, result = volr(*arguments), volr(*arguments, "--operations")
    assert (result.code, result.err) == (0, "")
    # What stands above is as without the option, but for the seconds.
    accuracy, table, sums, note = result.out.split("\n\n")
    assert accuracy.split()[:-1] == plain.out.split()[:-1]
    given = task("xor").load(seed=3).test.inputs
    # h = (x + y, x + y − 1) through ReLU: see `solved_xor`.
    hidden = [np.count_nonzero(given.sum(axis=1) > least) for least in (0, 1)]
    sent, count = np.count_nonzero(given), len(given)
    rows = [line.split() for line in table.splitlines()]
    # The inputs are 0 or 1, so nothing is multiplied by them.
    assert rows[1] == [
        *("input", "2", f"{sent / count:.1f}", f"{2 * sent / count:.1f}"),
        *("0.0", f"{2 * sent / count:.1f}", "4"),
    ]
    assert rows[2][:4] == [
        *("dense_1", "2", f"{sum(hidden) / count:.1f}", f"{2 * sum(hidden) / count:.1f}")
    ]
    assert rows[-1][0] == "all"
    assert rows[-1][-1] == "8"
    assert f"mean of {count}" in sums
    assert "time steps" not in sums
    assert "footprint" in sums
    assert "Horowitz" in note
    assert "estimate" in note
    assert "memory, leakage" in note


def test_first_spikes_and_json(volr: Volr, folder: Path) -> None:
    pytest.importorskip("numba")
    values = {name: np.rint(9 * each) for name, each in solved_xor().parameters.items()}
    ann = ArtificialModel(solved_xor().network, values, Staircase(4, 9))
    save_model(to_first_spikes(ann), folder / "exact", {"task": "xor", "seed": 3})
    arguments = ("evaluate", folder / "exact", "--task", "xor", "--samples", "5", "--operations")
    result = volr(*arguments, "--json")
    found = json.loads(result.out)
    costs = found["operations"]
    assert found["samples"] == 5
    assert (costs["clock"], costs["figures"]["ac"]) == ("clock", 0.1)
    assert costs["figures"]["source"] == "Horowitz, ISSCC 2014, 45 nm"
    by_name = {each["population"]: each for each in costs["populations"]}
    # Five spikes of the clock: three for the hidden neurons and two for the outputs, two each.
    assert (by_name["clock"]["active"], by_name["clock"]["synaptic"]) == (5, 10)
    assert (by_name["input"]["active"], by_name["input"]["synaptic"]) == (2, 4)
    assert costs["synaptic"] == 10 + 4 + 4
    assert costs["energy"] == pytest.approx(0.1 * costs["acs"])
    assert costs["updates"] == 4 * costs["steps"]

    _, table, sums, note = volr(*arguments).out.split("\n\n")
    # The clock stands on a line of its own, below the others.
    assert [line.split()[0] for line in table.splitlines()] == [
        *("population", "input", "dense_1", "dense_2", "clock", "all")
    ]
    assert "the decision stays after" in sums
    assert "32-bit whole numbers" in note


def test_without_the_option_nothing_is_counted(volr: Volr, model: Path) -> None:
    result = volr("evaluate", model, "--task", "xor", "--on", "reference", "--json")
    assert "operations" not in json.loads(result.out)
