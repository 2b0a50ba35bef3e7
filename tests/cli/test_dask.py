"""`--dask` of `evaluate`, `verify` and `transfer`: the same to the last digit as without it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.running import made
from tests.clusters import local_cluster, needs_dask
from tests.needs import needs_numba

from volr.backends import shares
from volr.model_files.model_file import save_model
from volr.models.coding import Poisson

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.cli.running import Volr

pytestmark = [*needs_dask, needs_numba]


@pytest.fixture(scope="module")
def cluster() -> Generator[Any]:
    with local_cluster(2) as started:
        yield started


@pytest.fixture
def there(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The option, and shares of a few stimuli."""
    monkeypatch.setattr(shares, "SHARE", 8000)
    return "--dask", cluster.scheduler_address


@pytest.fixture
def spiking(folder: Path) -> Path:
    """A spiking model of no use, with random input."""
    model = made("dense 2 4 ⦶ dense 4 2", coding=Poisson(300.0), duration=20.0)
    save_model(model, folder / "snn", {"task": "xor", "seed": 3})
    return folder / "snn"


def test_evaluate(volr: Volr, spiking: Path, there: tuple[str, str]) -> None:
    command = ("evaluate", spiking, "--task", "xor", "--seed", "4", "--json")
    expected, found = (json.loads(volr(*command, *more).out) for more in ((), there))
    assert found.pop("seconds") > 0
    del expected["seconds"]
    assert found == expected
    assert 0 < found["ties"] < found["samples"] == 102


def test_verify(volr: Volr, spiking: Path, there: tuple[str, str]) -> None:
    command = ("verify", spiking, "--on", "engine", "--on", "nir", "--samples", "40")
    expected, found = (volr(*command, *more) for more in ((), there))
    assert found == expected
    assert "engine    SNN         equal     equal       240 of 240 spike trains" in found.out


def test_verify_against(volr: Volr, model: Path, there: tuple[str, str]) -> None:
    made = ("transfer", model, "--coding", "first-spike", "--task", "xor", "--levels", 8)
    assert volr(*made, "--out", "snn").code == 0
    assert volr("quantise", model, "--task", "xor", "--levels", 8, "--out", "whole").code == 0
    command = ("verify", "snn", "--against", "whole", "--task", "xor")
    expected, found = (volr(*command, *more) for more in ((), there))
    assert found == expected
    assert "engine: 0 of 120 whole numbers differ on 20 stimuli" in found.out


def test_transfer(volr: Volr, folder: Path, model: Path, there: tuple[str, str]) -> None:
    command = (
        "transfer",
        model,
        "--task",
        "xor",
        "--coding",
        "poisson",
        "--rounds",
        "1",
        "--samples",
        "60",
    )
    expected, found = (volr(*command, "--out", *more) for more in (("here",), ("there", *there)))
    assert (found.code, found.out) == (0, expected.out)
    assert (folder / "here").read_bytes() == (folder / "there").read_bytes()


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("evaluate snn --task xor --dask nonsense", 1, "no Dask scheduler answers at nonsense"),
        ("verify snn --on engine --dask nonsense", 1, "no Dask scheduler answers at nonsense"),
        (
            "evaluate ann.safetensors --task xor --on reference --dask nonsense",
            1,
            "reference runs artificial models and simulates nothing",
        ),
        (
            "verify ann.safetensors --on reference --dask nonsense",
            2,
            "--dask: none of these simulates anything",
        ),
        (
            "transfer ann.safetensors --task xor --coding first-spike --out s --dask nonsense",
            2,
            "--dask: --coding first-spike simulates nothing",
        ),
    ],
)
def test_what_cannot_be_shared_out_is_refused(
    volr: Volr, model: Path, spiking: Path, command: str, code: int, said: str
) -> None:
    del model, spiking
    result = volr(*command.split())
    assert (result.code, result.out) == (code, "")
    assert said in result.err
