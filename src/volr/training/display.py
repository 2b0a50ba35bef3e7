"""What training shows: which epoch was kept, and neurons that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.training.result import Training


def training_lines(trained: Training[Any]) -> Iterator[str]:
    """How training went, line by line."""
    if trained.kept_epoch == 0:
        yield (
            "no epoch did better on the validation data than the model that training started from: "
            "that one is kept"
        )
    else:
        kept = trained.history[trained.kept_epoch - 1]
        accuracy = kept.validation_accuracy
        best, validated = "", ""
        if accuracy is not None:
            best = ", the best"
            validated = f", validation accuracy {accuracy:.4f}"
        epochs = f"epoch {trained.kept_epoch} of {len(trained.history)}"
        yield f"kept {epochs}{best}: loss {kept.loss:.4f}{validated}"
    for name, rate in trained.rates.items():
        yield f"{name}: {rate:.1f} Hz on average over the training data"
    for name, dead in trained.dead.items():
        if dead:
            size = trained.model.network[name].size
            yield f"{name}: {dead} of {size} neurons never fire on the training data"
