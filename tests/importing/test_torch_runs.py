"""Modules that cannot be compared, or that end in another way than in logits."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.backends.reference import forward
from volr.errors import DataError, ModelError, UnsupportedError
from volr.importing import import_torch

torch: Any = pytest.importorskip("torch")
from tests.backends.torch_modules import Apply
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence


class Returns(nn.Module):
    """A module whose logits are in something else."""

    def __init__(self, wrap: type) -> None:
        super().__init__()
        self.layer, self.wrap = nn.Linear(4, 3), wrap

    def forward(self, x: Any) -> Any:
        found = self.layer(x)
        return {"logits": found} if self.wrap is dict else (found,)


@pytest.mark.parametrize("wrap", [dict, tuple])
def test_one_result_in_something_else(wrap: type) -> None:
    assert import_torch(Returns(wrap), (4,)).model.network.output_size == 3


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_short_numbers_are_those_of_the_module(kind: Any) -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).to(kind)
    found = import_torch(module, (4,)).model
    stimuli = np.random.default_rng(0).random((9, 4))
    with torch.no_grad():
        wanted = module.float()(torch.as_tensor(stimuli, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(forward(found, stimuli), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("module", "shape", "said"),
    [
        (nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=0)), (4,), "first axis"),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Softmax(dim=1)), (1, 5, 5), "one of several axes"),
        (nn.Linear(4, 3, dtype=torch.complex64), (4,), "its numbers are complex"),
        (
            nn.Sequential(Apply(nn.functional.dropout), nn.Linear(4, 3)),
            (4,),
            "drops values in evaluation",
        ),
        (
            Apply(lambda x: torch.div(x, 2, rounding_mode="floor")),
            (4,),
            "rounds what it divides",
        ),
    ],
)
def test_what_is_refused(module: nn.Module, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(UnsupportedError, match=said):
        import_torch(module, shape)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (nn.Linear(4, 3, device="meta"), "weight of the module is on the meta device"),
        (Apply(lambda x: x + torch.rand(4)), "it draws random numbers"),
        (Apply(lambda x: x.view(1, 4)), "cannot take 16 stimuli at once"),
        (
            nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2).double()),
            "cannot take 16 stimuli at once: .*dtype",
        ),
    ],
)
def test_modules_that_cannot_be_compared(module: nn.Module, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        import_torch(module, (4,))


def test_multiples_in_a_product() -> None:
    layer = nn.Linear(4, 3)
    module = Apply(lambda x: torch.addmm(layer.bias, x, layer.weight.t(), alpha=2, beta=3))
    found = import_torch(module, (4,)).model
    stimuli = np.random.default_rng(0).random((9, 4))
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    np.testing.assert_allclose(
        forward(found, stimuli), 2 * stimuli @ weight.T + 3 * bias, atol=1e-5
    )


@pytest.mark.parametrize("shape", [[4.7], "28", (10**12,), ()])
def test_shapes_that_are_none(shape: Sequence[int]) -> None:
    with pytest.raises(DataError, match="the shape of a stimulus is"):
        import_torch(nn.Identity(), shape)


def test_settings_of_the_inputs_that_are_none() -> None:
    settings: list[dict[str, Any]] = [{"inputs": (0,)}, {"inputs": "ab"}, {"mean": "x"}]
    for given in settings:
        with pytest.raises(DataError, match=r"and not two numbers|and no number or row"):
            import_torch(nn.Identity(), (4,), **given)


def test_no_logs_of_what_is_raised(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"cannot trace this module .* \[5\]"):
        import_torch(nn.Linear(4, 3), (5,))
    assert "Traceback" not in capfd.readouterr().err
    assert logging.root.manager.disable == logging.NOTSET
