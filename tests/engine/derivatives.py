"""Derivatives of a response, and how alike two of them are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.engine.readout import Response


def tensors(values: Mapping[str, Floats], dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {n: torch.tensor(v, dtype=dtype, requires_grad=True) for n, v in values.items()}


def loss_of(response: Response, seed: int = 3) -> Tensor:
    """All totals, each with a weight of its own, and not linear in them."""
    random = torch.manual_seed(seed)
    totals = {**response.counts, **response.membranes}
    return torch.stack(
        [
            (torch.randn(each.shape, generator=random).to(each.dtype) * each).sum()
            + 0.05 * (each**2).sum()
            for _, each in sorted(totals.items())
        ]
    ).sum()


def gradient(loss: Tensor, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # A parameter that the loss does not depend on gets zeros, as it does from the engine.
    found = torch.autograd.grad(loss, list(values.values()), materialize_grads=True)
    return dict(zip(values, found, strict=True))


def same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], error: float) -> None:
    """The derivatives are equal but for ``error`` of the largest."""
    assert found.keys() == expected.keys()
    for name, each in found.items():
        scale = float(expected[name].abs().max())
        torch.testing.assert_close(
            each.double(), expected[name].double(), rtol=0, atol=error * scale, msg=name
        )


def identical(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, each in found.items():
        assert torch.equal(each, expected[name]), name
