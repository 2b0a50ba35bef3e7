"""What an experiment's folder says of how it was made."""

from __future__ import annotations

import json
import os
import platform
import shlex
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import TYPE_CHECKING
from unittest.mock import Mock

from tests.experiments.examples import PROGRAM, plan_of

import volr
from volr.experiments.store.plans import plan_json

if TYPE_CHECKING:
    import pytest


def test_all_that_it_takes_to_do_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", Mock(return_value=range(8)))
    monkeypatch.setenv("VOLR_CORES", "3")
    plan = plan_of("ann", "ann:futhark", seeds=range(2, 4), neurons=["if_cond_exp"])
    command = ["volr", "experiment", "xor", "--out", "my results"]
    found = json.loads(json.dumps(plan_json(plan, command)))
    assert shlex.split(found["command"]) == ["volr", "experiment", "xor", "--out", "my results"]
    age = datetime.now(UTC) - datetime.fromisoformat(found["started"])
    assert timedelta(seconds=-1) <= age < timedelta(minutes=2)
    assert found["tasks"] == {"xor": PROGRAM, "nand": PROGRAM}
    assert found["seeds"] == [2, 3]
    assert found["conditions"] == ["ann", "ann:futhark"]
    assert found["on"] == "engine"
    assert found["settings"] == [
        {"neuron": "if_cond_exp", "duration": 10.0, "dt": 1.0, "epochs": 2}
    ]
    assert found["versions"]["volr"] == volr.__version__
    assert found["versions"]["python"] == platform.python_version()
    assert found["versions"]["numpy"] == metadata.version("numpy")
    assert found["machine"] == {"system": platform.platform(), "cores": 3}
