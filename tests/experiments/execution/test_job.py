"""A job carried out: models come in the order that they are needed in, and nothing is left."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from tests.experiments.examples import plan_of
from tests.experiments.execution.planted import perform

from volr.errors import TrainingError
from volr.experiments.execution import job as module
from volr.experiments.execution.job import Done, Failed, Job, carry_out
from volr.experiments.simulators import Simulators
from volr.models.files import load_model
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from volr.experiments.conditions import Spec
    from volr.experiments.performing import Outcome
    from volr.models.model import Model

ANN, TRANSFERRED, FINETUNED = plan_of("snn-finetuned", tasks=["xor"], seeds=[4]).specs()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_run_is_handed_the_models_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, temporary: Path
) -> None:
    seen: list[tuple[type, ...]] = []

    def watch(spec: Spec, needed: Sequence[Model], *others: object) -> Outcome:
        # Nothing to be left behind while a run lasts, which may be when its process is killed.
        assert list(temporary.iterdir()) == []
        seen.append(tuple(map(type, needed)))
        assert others[1] == tmp_path
        return perform(spec, needed, *others)

    monkeypatch.setattr(module, "perform", watch)
    models: list[bytes] = []
    with Simulators() as simulators:
        for spec in (ANN, TRANSFERRED, FINETUNED):
            given = tuple(models[: len(spec.needs)])
            done = carry_out(Job(spec, given, str(tmp_path)), simulators)
            assert isinstance(done, Done)
            models.append(done.model)
        again = carry_out(Job(FINETUNED, tuple(models[:2]), str(tmp_path)), simulators)
    assert seen[:3] == [(), (ArtificialModel,), (ArtificialModel, SpikingModel)]
    # Equal models are equal files.
    assert isinstance(again, Done)
    assert again.model == models[2]
    assert list(temporary.iterdir()) == []
    path = tmp_path / "m"
    path.write_bytes(models[2])
    assert load_model(path).origin == {"task": "xor", "seed": 4}


def test_errors_of_ours_are_answers_and_others_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: object) -> Outcome:
        raise TrainingError("it diverged", help="take a lower rate")

    def break_down(*_: object) -> Outcome:
        raise KeyError("a bug")

    with Simulators() as simulators:
        monkeypatch.setattr(module, "perform", diverge)
        failed = Failed("it diverged", "take a lower rate")
        assert carry_out(Job(ANN, (), None), simulators) == failed
        monkeypatch.setattr(module, "perform", break_down)
        with pytest.raises(KeyError, match="a bug"):
            carry_out(Job(ANN, (), None), simulators)
        damaged = carry_out(Job(TRANSFERRED, (b"{}",), None), simulators)
    assert isinstance(damaged, Failed)
    key = TRANSFERRED.needs[0].key
    said = f"the model of {key} cannot be read: {key}.safetensors is cut short: it has 2 bytes"
    assert damaged.message == said
    assert damaged.help == f"remove {key}.safetensors from the models, and that run is made again"
