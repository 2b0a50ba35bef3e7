"""State dicts in programs of one's own: pairs by shape and order, and what does not pair."""

from __future__ import annotations

import numpy as np
import pytest

from volr.backends.reference import forward
from volr.errors import ModelError, VolrError
from volr.importing import load_state
from volr.language import to_network
from volr.models.activations import ReLU, Tanh

pytest.importorskip("torch")
import torch
from torch import nn

NETWORK = to_network("conv [2 6 7] 3 [2 3] ⦶ maxpool _ 2 ⦶ dense _ 5 ⦶ dense _ 4")


def module(kind: type[nn.Module] = nn.ReLU, *, bias: bool = True) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, (2, 3)),
        kind(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3 * 2 * 2, 5, bias=bias),
        kind(),
        nn.Linear(5, 4),
    )


@pytest.mark.parametrize("bias", [True, False])
def test_a_state_gives_the_logits_of_its_module(*, bias: bool) -> None:
    theirs = module(nn.Tanh, bias=bias)
    model = load_state(NETWORK, theirs.state_dict(), Tanh())
    x = np.random.default_rng(0).random((20, 2, 6, 7))
    with torch.no_grad():
        wanted = theirs(torch.tensor(x, dtype=torch.float32)).double().numpy()
    np.testing.assert_allclose(forward(model, x.reshape(20, -1)), wanted, atol=1e-5)
    # Arrays do as well as tensors.
    arrays = {name: each.numpy() for name, each in theirs.state_dict().items()}
    assert load_state(NETWORK, arrays).activation == ReLU()


def test_what_does_not_pair_is_told() -> None:
    state = module().state_dict()
    state["4.weight"] = torch.zeros(5, 13)
    with pytest.raises(ModelError) as caught:
        load_state(NETWORK, state)
    assert caught.value.message.splitlines() == [
        "the state does not pair with the network:",
        "  input->conv_1.weight [3, 2, 2, 3] is 0.weight",
        "  conv_1.bias [3] is 0.bias",
        "  maxpool_2->dense_3.weight [5, 12]: the state has 4.weight [5, 13]",
        "  4.bias [5] is left over",
        "  6.weight [4, 5] is left over",
        "  6.bias [4] is left over",
    ]
    short = {name: each for name, each in module().state_dict().items() if name < "5"}
    with pytest.raises(ModelError, match=r"dense_4.weight \[4, 5\]: the state has nothing more"):
        load_state(NETWORK, short)
    more = {**module().state_dict(), "7.weight": torch.zeros(2, 4)}
    with pytest.raises(ModelError, match=r"7.weight \[2, 4\] is left over"):
        load_state(NETWORK, more)


def test_what_is_no_state() -> None:
    with pytest.raises(VolrError, match="and not a state dict") as caught:
        load_state(NETWORK, module())
    assert caught.value.help == "`module.state_dict()` gives one"
    with pytest.raises(ModelError, match="is 'ten', a str and no array of numbers"):
        load_state(NETWORK, {"0.weight": "ten"})
    with pytest.raises(ModelError, match=r"of a normalisation, 0\.running_mean") as caught:
        load_state(NETWORK, nn.Sequential(nn.BatchNorm2d(2)).state_dict())
    assert "import_torch" in (caught.value.help or "")
    infinite = {**module().state_dict(), "6.bias": torch.full((4,), float("inf"))}
    with pytest.raises(ModelError, match="not finite"):
        load_state(NETWORK, infinite)


def test_a_weight_by_unit_is_no_bias() -> None:
    layers = nn.Sequential(nn.Linear(4, 3, bias=False), nn.PReLU(3))
    with pytest.raises(ModelError, match=r"1\.weight \[3\] is left over"):
        load_state(to_network("dense 4 3"), layers.state_dict())


def test_numbers_that_are_not_there() -> None:
    with pytest.raises(ModelError, match=r"weight of the state is .*meta"):
        load_state(to_network("dense 4 3"), nn.Linear(4, 3, device="meta").state_dict())
    state = {0: np.ones((3, 4)), 1: np.ones(3)}
    assert load_state(to_network("dense 4 3"), state).parameters["dense_1.bias"].sum() == 3
