"""`verify`: what it compares, what it prints, and what it exits with."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.backends.conformance import need
from tests.needs import needs_nest
from tests.verification.planted import Mistaken, late, soft

from volr import backends
from volr.backends import BACKENDS, DOCUMENTS, ENGINE, REFERENCE, target, title
from volr.errors import SimulatorError, UnsupportedError
from volr.model_files.model_file import read_model_file, save_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

    from volr.models.model import SpikingModel

pytest.importorskip("numba")

PROGRAM = "dense 3 5 ⦶ (dense 5 4 ⊖ dense 5 2) ⦶ dense 6 3"


@pytest.fixture
def program(folder: Path) -> Path:
    path = folder / "net.volr"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@pytest.fixture
def mistaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two back ends more: one whose spikes are late, one that hides that its reset is soft."""
    wrong = (
        replace(ENGINE, name="late", start=lambda: nullcontext(Mistaken(late))),
        replace(ENGINE, name="soft", start=lambda: nullcontext(Mistaken(soft, hidden=True))),
    )
    monkeypatch.setattr(backends, "BACKENDS", (REFERENCE, ENGINE, *wrong))
    monkeypatch.setattr(backends, "DOCUMENTS", ())


def rows(shown: str) -> dict[str, list[str]]:
    head, *lines = shown.split("\n\n", maxsplit=1)[0].splitlines()
    assert head.split("  ")[0] == "back end"
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_a_program_on_back_ends_of_both_generations(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--on", "engine", "--on", "reference", "--samples", "7")
    assert result.code == 0
    found = rows(result.out)
    # Some neurons are silent for some of the few stimuli.
    assert found["engine"].pop() == "silent"
    assert int(found["engine"].pop()) < 7 * 17
    found["engine"][-1] = found["engine"][-1].rstrip(",")
    assert found == {
        "engine": ["SNN", "equal", "equal", *f"{7 * 17} of {7 * 17} spike trains equal".split()],
        "reference": ["ANN", "equal", "equal", *["what", "the", "others", "are", "held", "to"]],
    }


@needs_nest
@pytest.mark.parametrize("neuron", ["if_curr_delta", "if_curr_exp", "if_cond_exp"])
def test_nest_is_the_engine(volr: Volr, program: Path, neuron: str) -> None:
    options = ("--on", "nest", "--neuron", neuron, "-p", "tau_refrac=1", "--delay", "1")
    result = volr("verify", program, *options, "--json")
    assert result.code == 0
    (found,) = json.loads(result.out)["backends"]
    assert 0 <= found["behaviour"].pop("silent") < 340 / 2
    assert found["behaviour"].pop("membranes") == 0
    assert found["behaviour"] == {"compared": 340, "equal": 340, "first_difference": None}


@pytest.mark.usefixtures("mistaken")
def test_differences_are_named_and_end_with_exit_code_1(volr: Volr, program: Path) -> None:
    result = volr("verify", program)
    assert result.code == 1
    assert {name: row[1:3] for name, row in rows(result.out).items()} == {
        "reference": ["equal", "equal"],
        "engine": ["equal", "equal"],
        "late": ["equal", "different"],
        "soft": ["equal", "equal"],
    }
    assert "late: parameters: input->dense_1: the delay 1 ms, expected 0.5 ms (1 step more)" in (
        result.out
    )
    assert "soft: first difference: stimulus 0, " in result.out
    assert "\n  reset: 'subtract' instead of 'hard'\n" in result.out


@pytest.mark.usefixtures("mistaken")
def test_json_names_the_first_difference(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--on", "late", "--on", "soft", "--json")
    assert result.code == 1
    found: dict[str, Any] = {each["name"]: each for each in json.loads(result.out)["backends"]}
    assert found["late"]["topology"] == "equal"
    assert found["late"]["parameters"] == "different"
    assert found["late"]["differences"][0]["where"] == "input->dense_1"
    first = found["soft"]["behaviour"]["first_difference"]
    assert set(first) == {
        *("stimulus", "population", "neuron", "step", "membrane", "expected", "found", "cause")
    }
    assert first["cause"] == "reset: 'subtract' instead of 'hard'"
    assert found["soft"]["behaviour"]["equal"] < found["soft"]["behaviour"]["compared"]


def test_a_model_on_test_data(volr: Volr, spiking: Path) -> None:
    result = volr("verify", spiking, "--on", "engine", "--task", "xor", "--samples", "4", "--json")
    assert result.code == 0
    (found,) = json.loads(result.out)["backends"]
    assert found["behaviour"]["compared"] == 4 * 8


def test_a_model_has_its_own_neurons(volr: Volr, spiking: Path) -> None:
    result = volr("verify", spiking, "--neuron", "if_curr_exp")
    assert result.code == 2
    assert "--neuron: the model has its own" in result.err


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("torch", "torch has no spiking neurons, and this model is a spiking one"),
        ("nets", "there is no back end or document 'nets'"),
    ],
)
def test_what_cannot_be_compared_is_refused(volr: Volr, spiking: Path, on: str, said: str) -> None:
    result = volr("verify", spiking, "--on", on)
    assert result.code == 1
    assert "equal" not in result.out
    assert said in result.err


@pytest.mark.usefixtures("mistaken")
def test_what_a_back_end_lacks_is_left_out_or_shown_in_the_program(
    volr: Volr, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(ENGINE, name="plain", neurons=("if_curr_delta",))
    monkeypatch.setattr(backends, "BACKENDS", (ENGINE, plain))
    result = volr("verify", program, "--neuron", "if_curr_exp")
    assert result.code == 0
    assert result.err.splitlines()[-1] == (
        f"left out, SNN: plain lacks the neuron model 'if_curr_exp' ({program}:1:1)"
    )
    refused = volr("verify", program, "--neuron", "if_curr_exp", "--on", "plain")
    assert refused.code == 1
    *shown, help = refused.err.splitlines()[1:]
    assert shown == [f"1 | {PROGRAM}", "  | ^^^^^^^^^ dense_1 has it"]
    assert help.startswith(
        "  = help: run it on engine, which keeps the network; plain has the neuron model if_curr"
    )


def test_what_several_back_ends_lack_is_told_in_one_line(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "net.volr").write_text("conv [1 4 5] 2 3\n⦶ maxpool _ 2 ⦶ dense _ 3", "utf-8")
    hard = replace(ENGINE, name="hard", merges=("sum",))
    nir, script = (replace(target(each), requires=()) for each in ("nir", "brian2.py"))
    away = replace(REFERENCE, name="away", requires=("no_such_package",))
    monkeypatch.setattr(backends, "BACKENDS", (REFERENCE, away, hard, target("brian2")))
    monkeypatch.setattr(backends, "DOCUMENTS", (nir, script))
    lacks = "lacks `maxpool`, which maxpool_2 is (net.volr:2:3)"
    result = volr("verify", "net.volr")
    assert result.code == 0
    assert result.err.splitlines() == [
        "left out, ANN: away needs no_such_package, which is not installed",
        f"left out, ANN: nir {lacks}",
        f"left out, SNN: hard, brian2, nir, brian2.py: each {lacks}",
    ]


def test_random_codings_are_the_same_on_both_sides(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--on", "engine", "--coding", "poisson", "--seed", "4")
    assert result.code == 0
    assert "of 280 spike trains equal" in result.out


def test_a_model_is_told_from_a_program_by_what_is_in_it(
    volr: Volr, folder: Path, spiking: Path
) -> None:
    save_model(read_model_file(spiking).model, folder / "odd.name")
    assert volr("verify", folder / "odd.name", "--on", "engine").code == 0
    assert "--as snn" not in volr("verify", folder / "none.safetensors", "--on", "engine").err
    assert volr("verify", folder / "none.volr").code == 1


@pytest.mark.usefixtures("mistaken")
def test_what_a_simulator_refuses_as_it_runs_is_left_out_too(
    volr: Volr, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> SpikingModel:
        raise UnsupportedError("late cannot run this model")

    late = replace(ENGINE, name="late", start=lambda: nullcontext(Mistaken(refuse)))
    monkeypatch.setattr(backends, "BACKENDS", (late, ENGINE))
    result = volr("verify", program)
    assert result.code == 0
    assert result.err.splitlines()[-1] == "left out, SNN: late cannot run this model"
    assert "engine" in rows(result.out)
    assert volr("verify", program, "--on", "late").code == 1


def test_silence_proves_nothing_and_is_told(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--on", "engine", "--duration", "0.5")
    assert result.code == 0
    assert "340 of 340 spike trains equal, 340 silent" in result.out
    assert result.err.splitlines()[-1] == "engine: no neuron spiked, so equal spikes prove nothing"


def failing(error: Exception) -> nullcontext[Mistaken]:
    def fail(_: object) -> SpikingModel:
        raise error

    return nullcontext(Mistaken(fail))


@pytest.fixture
def unlike(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lacks a neuron model, one that is not installed, and two that fail as they run."""
    lacking = replace(ENGINE, name="lacking", neurons=("if_curr_delta",))
    absent = replace(ENGINE, name="absent", requires=("no_such_package",), extra="absent")
    dying = replace(ENGINE, name="dying", start=lambda: failing(SimulatorError("it was killed")))
    broken = replace(ENGINE, name="broken", start=lambda: failing(RuntimeError("a bug")))
    monkeypatch.setattr(backends, "BACKENDS", (lacking, absent, dying, broken, ENGINE))
    monkeypatch.setattr(backends, "DOCUMENTS", ())


NAMED = [
    each for name in ("lacking", "absent", "dying", "broken", "engine") for each in ("--on", name)
]


@pytest.mark.usefixtures("unlike")
def test_one_that_cannot_be_compared_hides_no_other(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--neuron", "if_curr_exp", *NAMED)
    assert result.code == 1
    found = rows(result.out)
    assert found["engine"][:3] == ["SNN", "equal", "equal"]
    del found["engine"]
    assert found == {
        "lacking": ["SNN", "–", "–", "refused"],
        "absent": ["SNN", "–", "–", "refused"],
        "dying": ["SNN", "–", "–", "failed"],
        "broken": ["SNN", "–", "–", "failed"],
    }
    assert "lacking lacks the neuron model 'if_curr_exp'" in result.err
    assert "absent needs no_such_package, which is not installed" in result.err
    assert "help: pip install 'volr[absent]'" in result.err
    assert "error: dying: it was killed" in result.err
    assert "broken failed: RuntimeError: a bug" in result.err


@pytest.mark.usefixtures("unlike")
def test_json_says_who_was_compared_and_why_others_were_not(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--neuron", "if_curr_exp", *NAMED, "--json")
    assert result.code == 1
    told = json.loads(result.out)
    assert told["left_out"] == []
    found = {each["name"]: each for each in told["backends"]}
    assert {name: each["status"] for name, each in found.items()} == {
        "lacking": "refused",
        "absent": "refused",
        "dying": "failed",
        "broken": "failed",
        "engine": "verified",
    }
    assert found["lacking"]["reason"] == "lacking lacks the neuron model 'if_curr_exp'"
    assert found["lacking"]["help"].startswith("run it on engine, which keeps the network; ")
    assert found["broken"]["reason"] == "RuntimeError: a bug"
    assert found["engine"]["behaviour"]["compared"] == 340


@pytest.mark.usefixtures("unlike")
def test_what_nobody_named_may_refuse_but_not_fail(
    volr: Volr, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = volr("verify", program, "--neuron", "if_curr_exp", "--json")
    assert result.code == 1
    told = json.loads(result.out)
    assert [each["name"] for each in told["left_out"]] == ["lacking", "absent"]
    assert [each["name"] for each in told["backends"]] == ["dying", "broken", "engine"]
    all_but_two = [each for each in backends.BACKENDS if each.name not in {"dying", "broken"}]
    monkeypatch.setattr(backends, "BACKENDS", tuple(all_but_two))
    assert volr("verify", program, "--neuron", "if_curr_exp").code == 0


def test_what_was_asked_and_told_is_counted(volr: Volr, program: Path) -> None:
    result = volr("verify", program, "--on", "engine", "--on", "reference")
    tables = result.out.split("\n\n")
    head, *lines = tables[1].splitlines()
    assert head.split() == ["back", "end", "generation", "asked", "told", "what", "was", "told"]
    # 5 sizes, 63 weights, 14 biases, precision and an input; then the engine's 5 delays, dt, and
    # 10 of each population's neurons; and the reference's output and 3 activations. The engine's
    # input is told.
    assert {line.split()[0]: line.split()[2:] for line in lines} == {
        "engine": ["138", "3", "populations,", "inputs,", "outputs"],
        "reference": ["88", "0", "–"],
    }
    delta = ("--neuron", "if_curr_delta", "--json")
    (engine,) = json.loads(volr("verify", program, "--on", "engine", *delta).out)["backends"]
    fields = engine["fields"]
    # dense 3 5, 5 4, 5 2 and 6 3.
    assert fields["weights"] == {
        "asked": 15 + 20 + 10 + 18,
        "told": 0,
        "how": [],
        "why_told": [],
    }
    # It cannot tell the capacitance of a delta neuron from its currents.
    assert fields["cells.cm"]["told"] == 5
    assert fields["cells.cm"]["why_told"] == ["it holds only I / cm, what a current adds in a step"]
    assert (engine["asked"], engine["told"]) == tuple(
        sum(each[key] for each in fields.values()) for key in ("asked", "told")
    )


@pytest.mark.parametrize("name", ["brian2.py", "futhark.fut", "onnx.onnx"])
def test_a_document_that_shares_its_name_is_named_with_its_suffix(
    volr: Volr, program: Path, name: str
) -> None:
    need(target(name))
    result = volr("verify", program, "--on", name)
    row = result.out.splitlines()[1]
    assert row.split()[0] == name
    assert row.endswith("a document")


def test_every_back_end_and_document_has_a_title_of_its_own() -> None:
    titles = [title(each) for each in (*BACKENDS, *DOCUMENTS)]
    assert len(set(titles)) == len(titles)
    assert [title(target(each)) for each in titles] == titles
