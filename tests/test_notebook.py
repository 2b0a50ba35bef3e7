"""Notebooks are run, and their outputs looked at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from tests.needs import needs_numba

for package in ("IPython", "ipykernel", "nbclient", "nbformat"):
    pytest.importorskip(package)

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from pathlib import Path

COLOUR = re.compile(r"\x1b\[[\d;]*m")
LONGEST = 30_000  # characters of what one result shows


def run(folder: Path, *cells: str) -> list[list[dict[str, Any]]]:
    """Run a notebook of these cells in a kernel of its own: the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return [each["outputs"] for each in notebook["cells"]]


def html_of(outputs: list[dict[str, Any]]) -> ET.Element:
    """The one result of a cell, as an XML parser reads it."""
    errors = ["\n".join(each["traceback"]) for each in outputs if each["output_type"] == "error"]
    assert not errors, COLOUR.sub("", errors[0])
    (result,) = [each for each in outputs if each["output_type"] == "execute_result"]
    html = result["data"]["text/html"]
    assert len(html) < LONGEST
    return ET.fromstring(html)


def text_of(element: ET.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def error_of(outputs: list[dict[str, Any]]) -> str:
    """What is shown of the error that a cell raised, without colours."""
    (error,) = [each for each in outputs if each["output_type"] == "error"]
    return COLOUR.sub("", "\n".join(error["traceback"]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cells_with_programs(tmp_path: Path) -> None:
    loaded, program, bound, wrong, kept, misnamed, error, failing = run(
        tmp_path,
        "%load_ext volr",
        "%%volr network\n// a comment\nlet f n = dense _ n in\ndense 2 4 ⦶ f 3",
        "print(network.input_size, network.output_size)",
        "%%volr network\ndense 2 4 ⦶\n  dense 3 2 ⦶ dense 7 1",
        "print(network.output_size)",
        "%%volr 3x\ndense 2 2",
        "import volr\ndef g():\n    return volr.to_network('dense 2 4 ⦶ dense 3 1')\n\ng()",
        "volr.save_model(None, 'x')",
    )
    assert loaded == []
    found = html_of(program)
    pre = found.find("pre")
    assert pre is not None
    assert text_of(pre) == "// a comment let f n = dense _ n in dense 2 4 ⦶ f 3"
    assert found.findtext("p") == "net 2 3"
    assert found.find("{http://www.w3.org/2000/svg}svg") is not None
    assert program[0]["data"]["text/plain"] == "net 2 3"
    assert bound[0]["text"] == "2 3\n"
    # All mistakes with their places, in colour, and nothing of Volr's own lines.
    assert "\x1b[1;31merror:" in "\n".join(wrong[0]["traceback"])
    assert error_of(wrong).split("\n") == [
        "<cell>:2:3: error: this network takes 3 inputs, but what comes before it gives 4",
        "1 | dense 2 4 ⦶",
        "  | --------- gives 4",
        "2 |   dense 3 2 ⦶ dense 7 1",
        "  |   ^^^^^^^^^ takes 3",
        "  = help: write `dense 4 2`",
        "",
        "<cell>:2:15: error: this network takes 7 inputs, but what comes before it gives 2",
        "2 |   dense 3 2 ⦶ dense 7 1",
        "  |   --------- gives 2",
        "  |               ^^^^^^^^^ takes 7",
        "  = help: write `dense 2 1`",
    ]
    assert kept[0]["text"] == "3\n"
    assert "3x: this is no name of a variable" in misnamed[0]["text"]
    lines = error_of(error).split("\n")
    assert lines[:2] == [
        "line 5 of the cell: g()",
        "line 3 of the cell: return volr.to_network('dense 2 4 ⦶ dense 3 1')",
    ]
    assert lines[2].startswith("<program>:1:13: error: this network takes 3 inputs")
    assert lines[-1] == "  = help: write `dense 4 1`"
    assert error_of(failing).startswith("line 1 of the cell: volr.save_model(None, 'x')\nerror: ")


RESULTS = {
    "trained": (
        "volr.train_ann(network, data.train, volr.TrainingSettings(epochs=2, candidates=1))",
        "dense 2 4 ⦶ dense 4 2 an ANN with the activation relu, 22 parameters",
        "kept epoch",
    ),
    "model": ("trained.model", "dense_1 4 4 8 4 relu", "dense_2 2 2 8 2 logits"),
    "transfer": (
        "volr.transfer_ann(model, data.train, settings=volr.TransferSettings(samples=20))",
        "population size scale exc. inh. nA wanted Hz measured correlation input 2",
        "accuracy on 20 training stimuli",
    ),
    "report": ("transfer.report", "population size scale", "ties"),
    "spiking": (
        "transfer.model",
        "an SNN of if_curr_exp neurons, 100 steps of 0.5 ms, 22 parameters",
        "inputs: current, rate_max 500; outputs: count; delay 0.5 ms",
        "if_curr_exp of reset v_rest v_reset v_thresh tau_m",
    ),
    "quantised": (
        "volr.quantise(model, data.train, volr.QuantisationSettings(levels=4, samples=50))",
        "population size level clipped error largest sum",
        "4 levels of",
    ),
    "exact": ("volr.to_first_spikes(quantised.model)", "first-spike, levels 4", "clock"),
    "proof": (
        "volr.prove(exact)",
        "population largest sum error below margin",
        "proved: for every",
    ),
    "verified": (
        "volr.verify(spiking, on='engine', stimuli=data.test.inputs[:3])",
        "engine SNN equal equal",
        "asked told what was told",
    ),
    "agreement": (
        "volr.verify_against(exact, quantised.model, 'engine', data.test.inputs[:3])",
        "population different on engine input 0 of 6",
        "whole numbers differ on 3 stimuli",
    ),
    "explanation": (
        "volr.explain(model, spiking, data.test.first(20))",
        "cause where points ± share what to change",
        "population points ±",
    ),
    "explained": (
        "volr.explain_exact(exact, data.test.first(5), ann=model)",
        "Nothing was lost",
        "of the logits' change",
    ),
    "evaluation": (
        "volr.evaluate(spiking, data.test.first(5))",
        "backend accuracy samples ties seconds engine",
    ),
    "operations": (
        "volr.operations(spiking, data.test.first(5))",
        "population size spikes synaptic operations MACs ACs dense",
        "energy is an estimate",
    ),
    "recordings": (
        "engine.run(spiking, data.test.inputs[:3], record=volr.Record(spikes=('input',)))",
        "population neurons spikes of a neuron Hz silent input 2",
        "3 stimuli of 100 steps, 50 ms",
    ),
}
"""How each result is made, and what its display says."""


@needs_numba
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_results_show_themselves(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    begin, *outputs = run(
        tmp_path,
        "import volr\n"
        "network = volr.to_network('dense 2 4 ⦶ dense 4 2')\n"
        "data = volr.task('xor').load(seed=0)\n"
        "engine = volr.simulator('engine').__enter__()",
        *(f"{name} = {code[0]}\n{name}" for name, code in RESULTS.items()),
    )
    assert [each for each in begin if each["output_type"] == "error"] == []
    for (name, (_, *said)), output in zip(RESULTS.items(), outputs, strict=True):
        text = text_of(html_of(output))
        for words in said:
            assert words in text, f"{name}: {text}"
