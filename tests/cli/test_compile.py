"""`compile`: documents that are written, what goes beside them, and what is refused."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import made

from volr.backends import DOCUMENTS, document
from volr.backends.readback import Asked
from volr.backends.refusals import is_ready, takes
from volr.model_files.model_file import read_model_file, save_model
from volr.neurons import IFCurrDelta

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr


@pytest.mark.parametrize("to", [each.name for each in DOCUMENTS])
@pytest.mark.parametrize("kind", ["ann", "snn"])
def test_every_document_is_written_and_read_back(
    volr: Volr, folder: Path, model: Path, to: str, kind: str
) -> None:
    chosen, path = document(to), model
    if kind == "snn":
        path = folder / "snn"
        reset = (*chosen.resets, "hard")[0]
        save_model(made("dense 2 4 ⦶ dense 4 2", neuron=IFCurrDelta(reset=reset)), path)
    if not is_ready(chosen):
        pytest.skip(f"needs {chosen.extra}")
    out = folder / f"net{chosen.suffix}"
    result = volr("compile", path, "--to", to, "--out", out)
    loaded = read_model_file(path).model
    if not takes(chosen, loaded):
        assert result.code == 1
        assert f"{to} has no" in result.err
        assert not out.exists()
        return
    assert result.code == 0
    assert f"wrote {out}" in result.err
    files = {each.suffix: each.read_bytes() for each in folder.glob("net.*")}
    read = chosen.read_back(files)
    said = {name: each for name, each in read.populations.items() if isinstance(each, Asked)}
    sizes = {name: each.value for name, each in said.items()}
    assert sizes == {p.name: p.size for p in loaded.network.populations}


def test_the_name_is_that_of_what_is_compiled(volr: Volr, folder: Path, model: Path) -> None:
    assert volr("compile", model, "--to", "futhark").code == 0
    assert sorted(each.name for each in folder.glob("ann.*")) == [
        *("ann.data", "ann.fut", "ann.safetensors")
    ]


def test_a_program_becomes_a_futhark_program(volr: Volr, folder: Path) -> None:
    result = volr("compile", "xor.volr", "--to", "futhark", "--out", "-", "--activation", "tanh")
    assert result.code == 0
    assert "entry forward" in result.out
    assert "f32.tanh" in result.out
    assert "vjp" in result.out
    assert list(folder.glob("*.fut")) == []


@pytest.mark.parametrize("out", ["xor.fut", "net.v1", "sub folder/net.fut"])
def test_of_a_program_only_what_is_there_is_named(volr: Volr, out: str) -> None:
    result = volr("compile", "xor.volr", "--to", "futhark", "--out", out)
    assert result.code == 0
    wrote, compiled, parameters = result.err.splitlines()
    assert wrote == f"wrote {out}"
    assert ".data" not in compiled + parameters
    command = compiled.removeprefix("compile it: ")
    named = [each for part in command.split(" && ") for each in shlex.split(part)]
    # Futhark takes no other suffix.
    assert named[-1].endswith(".fut")
    assert out in named
    assert (named[0] == "mv") == (out == "net.v1")
    assert "`volr compile MODEL --to futhark`" in parameters
    assert volr("compile", "xor.volr", "--to", "futhark", "--out", "-").err == ""


def test_of_a_model_the_files_are_named_where_they_are(
    volr: Volr, folder: Path, model: Path
) -> None:
    result = volr("compile", model, "--to", "futhark", "--out", "made/net.fut")
    assert result.err.splitlines()[2:] == [
        "compile it: futhark c made/net.fut",
        "run it: cat made/net.data stimuli.data | made/net --entry-point=forward",
    ]
    assert (folder / "made" / "net.data").exists()
    result = volr("compile", model, "--to", "futhark", "--out", "net.fut")
    assert "| ./net --entry-point=forward" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("xor.volr", "--to", "onnx"), "onnx writes numbers too, and a program has none"),
        (("xor.volr", "--to", "onyx"), "did you mean 'onnx'?"),
        (("xor.volr", "--to", "nir", "--for", "nordic"), "there is no importer 'nordic'"),
        (("missing.volr", "--to", "futhark"), "missing.volr"),
        (("ann.safetensors", "--to", "futhark", "--out", "-"), "there is a second file, .data"),
        (("xor.volr", "--to", "futhark", "--out", "xor.volr"), "that is the file to read from"),
    ],
)
def test_what_cannot_be_written_is_refused(
    volr: Volr, folder: Path, model: Path, arguments: tuple[str, ...], said: str
) -> None:
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    assert model.exists()
    result = volr("compile", *arguments)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


def test_documents_compute_what_the_model_does(volr: Volr, folder: Path, model: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    assert volr("compile", model, "--to", "onnx").code == 0
    session = runtime.InferenceSession(folder / "ann.onnx")
    corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    (logits,) = session.run(["logits"], {"stimuli": np.array(corners, dtype=np.float32)})
    assert logits.argmax(axis=1).tolist() == [0, 1, 1, 0]


def test_a_model_has_its_own_activation(volr: Volr, model: Path, folder: Path) -> None:
    out = folder / "net.fut"
    result = volr("compile", model, "--to", "futhark", "--activation", "tanh", "--out", out)
    assert result.code == 2
    assert "--activation: the model has its own" in result.err
    assert not out.exists()


def test_a_program_that_a_document_lacks_is_refused(volr: Volr, folder: Path) -> None:
    (folder / "loop.volr").write_text("dense 2 4 ↺ dense 4 4 ⦶ dense 4 2", encoding="utf-8")
    result = volr("compile", "loop.volr", "--to", "futhark")
    assert result.code == 1
    assert "loop.volr:1:13: error: futhark lacks loops" in result.err
    assert not (folder / "loop.fut").exists()


def test_numbers_beside_a_program_belong_to_it_alone(volr: Volr, folder: Path, model: Path) -> None:
    result = volr("compile", model, "--to", "futhark", "--out", "net.v1")
    assert "net.v1 does not end in .fut, and net.data would be beside other files" in result.err
    assert "name it net.v1.fut" in result.err
    assert not (folder / "net.data").exists()
    assert volr("compile", model, "--to", "futhark", "--out", "net.v1.fut").code == 0
    assert (folder / "net.v1.data").exists()
