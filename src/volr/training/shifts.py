"""Images, shifted at random while a network is trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def shifted(
    inputs: Tensor, shapes: Sequence[tuple[int, ...]], most: int, random: torch.Generator
) -> Tensor:
    """Each stimulus of ``inputs`` ``[batch, unit]``, shifted by up to ``most`` pixels.

    A stimulus is one image ``[c h w]`` for each of ``shapes``, side by side, and all are shifted by
    the same offsets, which are drawn for each axis with equal probabilities. Pixels that come in
    are 0.
    """
    batch = len(inputs)
    down, right = torch.randint(2 * most + 1, (2, batch), generator=random)
    samples = torch.arange(batch)
    parts: list[Tensor] = []
    start = 0
    for channels, height, width in shapes:
        size = channels * height * width
        image = inputs.narrow(1, start, size).reshape(batch, channels, height, width)
        padded = functional.pad(image, (most, most, most, most))
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)
        parts.append(windows[samples, :, down, right].reshape(batch, size))
        start += size
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
