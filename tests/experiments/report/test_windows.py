"""One stimulus in the windows of a network with first spikes, and what else a report says of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import made
from tests.experiments.report.conftest import ROW, SPIKING, write_runs
from tests.oracles import PlainSimulator

pytest.importorskip("matplotlib")

from volr.exact.first_spikes import to_first_spikes
from volr.exact.proof import prove
from volr.experiments.report.contents import page_of
from volr.experiments.report.groups import by_task
from volr.experiments.report.parts import Table, Words
from volr.experiments.report.stimuli import activities
from volr.experiments.report.whole_numbers import agreement, quantisation_table
from volr.experiments.report.windows import windows_figure
from volr.experiments.results import Run
from volr.language import to_network
from volr.model_files.model_file import save_model
from volr.models.activations import Staircase
from volr.models.model import ArtificialModel
from volr.models.parameters import parameter_shapes
from volr.models.samples import Samples
from volr.quantisation import PopulationCost, QuantisationReport

if TYPE_CHECKING:
    from pathlib import Path

    from volr.models.model import SpikingModel

LEVELS = 4
PROGRAM = "dense 2 4 ⦶ dense 4 2"
# Channels of maps in windows of 2, whose largest counts.
POOLED = "conv [1 6] 2 3 ⦶ maxpool _ 2 ⦶ dense _ 3"
REPORT = QuantisationReport(
    populations=(PopulationCost("dense_1", 4, 0.5, 0.25, 99, 0.125),),
    levels=LEVELS,
    step=7,
    percentile=99.9,
    samples=100,
    accuracy_before=1.0,
    accuracy_after=0.98,
    agreement=0.97,
)


def spiking(program: str) -> SpikingModel:
    """First spikes of whole numbers drawn at random."""
    network, rng = to_network(program), np.random.default_rng(4)
    values = {
        name: rng.integers(-9, 10, shape).astype(np.float64)
        for name, shape in parameter_shapes(network).items()
    }
    values = {
        name: np.ones_like(each) if "->maxpool" in name else each for name, each in values.items()
    }
    return to_first_spikes(ArtificialModel(network, values, Staircase(LEVELS, 7)))


def strokes(svg: str, color: str) -> list[int]:
    """How many strokes each path of this colour has."""
    paths = re.findall(
        rf'<path d="([^"]*)"[^>]*stroke: var\(--volr-{color}, [^>]*stroke-width', svg
    )
    return [each.count("M") for each in paths]


def test_every_neuron_has_its_stroke_in_the_window_of_its_population() -> None:
    model = spiking(POOLED)
    stimulus = np.array([[1.0, 0.0, 0.5, 0.0, 0.3, 0.9]])
    [shown] = activities(model, Samples(stimulus, np.array([1])), PlainSimulator(), most=1)
    figure = windows_figure("windows", "a network", model, shown)
    # Two inputs are 0, and they spike at the end of the window.
    assert max(strokes(figure.svg, "blue")) == 4
    assert max(strokes(figure.svg, "muted")) >= 2
    orange, green = (max(strokes(figure.svg, color)) for color in ("orange", "green"))
    last = LEVELS + 1 + LEVELS  # of the kernel's window
    at = {name: np.argmax(each, axis=0) for name, each in shown.spikes.items()}
    assert orange == (at["conv_1"] < last).sum()
    assert green == (at["maxpool_2"] < last + 2).sum()
    assert "Each of 18 neurons spikes once, in a window of 5 steps" in figure.description
    assert "input 0, conv_1 5, maxpool_2 7" in figure.description
    assert "the answer is" in figure.caption
    assert figure.svg.count(">clock<") == 1
    flat = made(PROGRAM)
    with pytest.raises(TypeError, match="the coding current has no windows"):
        windows_figure("windows", "rates", flat, shown)


def test_labels_that_differ_and_what_quantisation_changes() -> None:
    runs = [
        *(Run(row=replace(SPIKING, condition="snn-exact", seed=k), differing=k) for k in (0, 2)),
        *(
            Run(
                row=replace(ROW, condition="ann-quantised", seed=k),
                quantisation=replace(REPORT, percentile=percentile),
            )
            for k, percentile in enumerate((99.9, 99.0, 99.9))
        ),
        Run(row=ROW),
    ]
    groups = {g.first.condition: g for each in by_task(runs) for g in each.groups}
    assert [name for name, each in groups.items() if each.is_exact] == ["snn-exact"]
    assert agreement(groups["snn-exact"]) == (
        "snn-exact, if_curr_exp: of 204 test samples in 2 runs, 2 have another label than in the "
        "quantised network."
    )
    [row] = quantisation_table([*groups.values()]).rows
    cells = [each.text for each in row]
    assert cells == ["ann-quantised", "dense_1", "4", "4", "99, 99.9", "0.2500", "0.1250"]


def test_a_report_shows_them(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    key = "xor-0-snn-exact-if_curr_exp"
    runs = {
        key: Run(row=replace(SPIKING, condition="snn-exact"), differing=0),
        "xor-0-ann-quantised": Run(
            row=replace(ROW, condition="ann-quantised"), quantisation=REPORT
        ),
    }
    folder = write_runs(tmp_path, runs)
    without = page_of(folder)
    assert not [each for each in without.drawings if each.name.startswith("windows")]
    parts = [part for section in without.sections for part in section.parts]
    assert Words("No windows to look at: no model with first spikes is there.") in parts
    model = spiking(PROGRAM)
    prove(model)
    save_model(model, folder / "models" / f"{key}.safetensors")
    page = page_of(folder)
    [windows] = [each for each in page.drawings if each.name.startswith("windows")]
    assert "Each of 6 neurons spikes once" in windows.caption
    parts = [part for section in page.sections for part in section.parts]
    said = "\n".join(part.text for part in parts if isinstance(part, Words))
    assert "of 102 test samples in 1 run, 0 have another label" in said
    # Its windows are its spikes, and no network with rates is there.
    assert "No spikes to look at" not in said
    assert "No windows to look at" not in said
    assert any(isinstance(p, Table) and p.folded == "What quantisation changes" for p in parts)
    (folder / "models" / f"{key}.safetensors").write_bytes(b"no")
    [said] = [
        part.text
        for section in page_of(folder).sections
        for part in section.parts
        if isinstance(part, Words) and part.text.startswith("No windows")
    ]
    assert key in said
