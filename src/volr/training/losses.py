"""Losses: from logits and labels, one number for each sample.

cross_entropy   −log softmax(z)[label]
mse             mean over the units of (z − onehot(label))²
taught          −Σ p log softmax(z), where p are the probabilities that a teacher gives
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from volr.training.settings import Loss


def losses(loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of every sample, ``[…, batch]``.

    ``logits`` are ``[…, batch, unit]`` and ``labels``, shared by all leading axes, ``[batch]``.
    """
    match loss:
        case "cross_entropy":
            expanded = labels.expand(logits.shape[:-1])
            flat = functional.cross_entropy(
                logits.flatten(0, -2), expanded.flatten(), reduction="none"
            )
            return flat.view(logits.shape[:-1])
        case "mse":
            wanted = functional.one_hot(labels, logits.shape[-1]).to(logits.dtype)
            return (logits - wanted).square().mean(dim=-1)


def taught_losses(logits: Tensor, taught: Tensor) -> Tensor:
    """The cross-entropy with a teacher's probabilities, ``[…, batch]``.

    ``logits`` are ``[…, batch, unit]`` and ``taught``, shared by all leading axes,
    ``[batch, unit]``.
    """
    return -(taught * functional.log_softmax(logits, dim=-1)).sum(dim=-1)
