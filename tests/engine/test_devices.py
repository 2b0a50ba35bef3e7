"""Where the engine computes: what is taken, and what is said where there is no GPU."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from volr.engine import devices
from volr.engine.devices import Device, cuda_problem, device_of
from volr.errors import BackendError, MissingError


def _nothing(_: str) -> None:
    return None


def available(monkeypatch: pytest.MonkeyPatch, *, build: str | None, found: bool) -> None:
    """A PyTorch that was built for this version of CUDA, on a machine with a GPU or without."""
    monkeypatch.setattr(torch.version, "cuda", build)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found)


@pytest.mark.parametrize("asked", ["cuda", "auto"])
def test_a_gpu_is_taken_where_there_is_one(asked: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, build="13.0", found=True)
    assert cuda_problem() is None
    assert device_of(asked) == "cuda"
    assert device_of("cpu") == "cpu"


@pytest.mark.parametrize(
    ("build", "said"), [(None, "a build for processors alone"), ("13.0", "finds none")]
)
def test_without_one_cuda_is_an_error_that_says_what_is_missing_and_auto_is_the_processor(
    build: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    available(monkeypatch, build=build, found=False)
    assert device_of("auto") == "cpu"
    with pytest.raises(MissingError, match=f"no GPU can be used: .*{said}") as raised:
        device_of("cuda")
    assert "--device cpu" in str(raised.value.help)


def test_so_it_is_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", _nothing)
    assert device_of("auto") == "cpu"
    with pytest.raises(MissingError, match="PyTorch is not installed"):
        device_of("cuda")


def test_another_word_is_refused() -> None:
    with pytest.raises(BackendError, match="'gpu' is no device"):
        device_of("gpu")  # type: ignore[arg-type]
