"""How the engine's tests run: on few threads of PyTorch, and in slices although they are small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def one_thread_of_pytorch() -> Iterator[None]:
    """PyTorch's threads spin, and its tensors here are tiny."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def slices_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small as the networks are, let them be cut into slices of 32 and go to all threads."""
    from volr.engine.cpu import buffers, work

    monkeypatch.setattr(buffers, "_SLICE_VALUES", 0)
    monkeypatch.setattr(work, "ENOUGH", 0)
