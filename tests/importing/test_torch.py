"""Modules of PyTorch as models with a program: the same logits, and what is in the way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.backends.reference import forward
from volr.errors import DataError, ModelError, NetworkError, UnsupportedError, VolrError
from volr.importing import ImportedModel, import_torch
from volr.language import to_network
from volr.models.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from volr.models.model import ArtificialModel

torch: Any = pytest.importorskip("torch")
from tests.backends.torch_modules import Apply, Shortcut, module_of, users
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

    from volr.checks.arrays import Floats

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


def program(found: ImportedModel[ArtificialModel]) -> str:
    """The program in one line."""
    source = found.model.network.source
    assert source is not None
    return " ".join(source.text.split())


def logits(module: nn.Module, stimuli: Floats) -> Floats:
    with torch.no_grad():
        return module.eval()(torch.as_tensor(stimuli, dtype=torch.float32)).double().numpy()


def ours(found: ImportedModel[ArtificialModel], stimuli: Floats) -> Floats:
    """The model's logits for stimuli of any shape."""
    assert isinstance(found.model, ArtificialModel)
    return forward(found.model, stimuli.reshape(len(stimuli), -1))


def activation(found: ImportedModel[ArtificialModel]) -> Activation:
    assert isinstance(found.model, ArtificialModel)
    return found.model.activation


def assert_same(
    found: ImportedModel[ArtificialModel], module: nn.Module, shape: tuple[int, ...]
) -> None:
    stimuli = np.random.default_rng(3).random((40, *shape))
    wanted = logits(module, stimuli).reshape(40, -1)
    np.testing.assert_allclose(ours(found, stimuli), wanted, atol=1e-5)


def said_by_a_program(
    module: nn.Module, shape: tuple[int, ...]
) -> ImportedModel[ArtificialModel] | None:
    """The import of a module, or None if its graph is none of layers in a row and side by side."""
    try:
        return import_torch(module, shape)
    except NetworkError as error:
        if "the language has no program" not in error.message:
            raise
        return None


@pytest.mark.parametrize("part", range(8))
def test_random_modules_give_the_same_logits(part: int) -> None:
    said = 0
    for seed in range(6 * part, 6 * part + 6):
        try:
            module, shape = module_of(Random(seed))
        except RuntimeError:
            # Maps that became smaller than a window.
            continue
        found = said_by_a_program(module, shape)
        if found is None:
            continue
        said += 1
        assert_same(found, module, shape)
        source = found.model.network.source
        assert source is not None
        assert to_network(source.text) == found.model.network
    assert said > 1


def test_a_network_as_people_have_it() -> None:
    module = users().train()
    found = import_torch(module, (1, 8, 12))
    assert program(found) == (
        "conv [1 8 12] 4 3 pad:1 ⦶ maxpool [4 8 12] 2 "
        "⦶ id [4 4 6] ⊕ (conv [4 4 6] 4 3 pad:1 ⦶ conv [4 4 6] 4 3 pad:1) "
        "⦶ avgpool [4 4 6] 2 ⦶ dense [4 2 3] 3"
    )
    assert activation(found) == ReLU()
    assert found.notes[0] == "softmax at the end is left out: logits are what it gets"
    assert "logits differ from the module's by" in found.notes[1]
    assert_same(found, module[:-1], (1, 8, 12))
    # It stays as it was, so training can go on.
    import_torch(module.train(), (1, 8, 12))
    assert module.training
    assert all(each.training for each in module.modules())


def test_a_sigmoid_at_the_end_is_left_out() -> None:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.Sigmoid())
    found = import_torch(module, (4,))
    assert found.notes[0] == "sigmoid at the end is left out: logits are what it gets"
    assert program(found) == "dense 4 3 ⦶ dense 3 2"
    assert_same(found, module[:-1], (4,))


@pytest.mark.parametrize(
    ("layers", "shape", "said"),
    [
        ([nn.Conv2d(2, 3, 3), nn.MaxPool2d(2), nn.ReLU()], (2, 8, 7), "maxpool [3 6 5] 2"),
        ([nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], (2, 8, 7), "maxpool [3 8 7] 3"),
        ([nn.Conv2d(2, 3, (1, 2), padding="same"), nn.Tanh()], (2, 4, 5), "[1 3] pad:[0 1]"),
        ([nn.Conv2d(2, 3, 2, dilation=(1, 3)), nn.Sigmoid()], (2, 4, 6), "conv [2 4 6] 3 [2 4]"),
        ([nn.Conv1d(4, 6, 3, stride=2, groups=2), nn.ReLU()], (4, 11), "stride:2 groups:2"),
        ([nn.AdaptiveAvgPool2d((2, 1))], (2, 4, 5), "avgpool [2 4 5] [2 5]"),
        ([nn.ReLU(), nn.AdaptiveMaxPool2d(1)], (2, 4, 5), "maxpool [2 4 5] [4 5]"),
        ([nn.AvgPool2d((2, 3), 1, 1, count_include_pad=False)], (2, 4, 5), "dense 40 2"),
        ([Apply(lambda x: x.mean(1))], (4, 5), "dense 20 2"),
        ([nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(2, 3, 2), nn.ReLU()], (2, 4, 5), "conv [2 4 5]"),
        ([nn.ZeroPad2d(1), nn.Tanh(), nn.Conv2d(2, 3, 2), nn.Tanh()], (2, 4, 5), "conv [2 4 5]"),
        ([nn.Unflatten(1, (2, 2, 3)), nn.MaxPool2d(2)], (12,), "maxpool [2 2 3] 2"),
        ([nn.Conv2d(2, 3, 1), nn.ReLU(), Apply(lambda x: x.mean((2, 3)))], (2, 4, 5), "avgpool"),
        ([nn.Linear(5, 4), nn.Linear(4, 6), nn.ReLU()], (5,), "dense 5 6"),
        ([nn.Unflatten(1, (1, 3, 4)), nn.Conv2d(1, 2, 2), nn.ReLU()], (12,), "conv [1 3 4] 2 2"),
        ([Apply(lambda x: x.permute(0, 3, 1, 2)), nn.Conv2d(2, 3, 2), nn.ReLU()], (4, 5, 2), "⦶"),
        ([Shortcut(nn.Linear(4, 3), added=False), nn.ReLU()], (4,), "dense 4"),
        ([Apply(lambda x: 2.0 - x / 4.0), nn.Linear(4, 3), nn.ReLU()], (4,), "dense 4 3"),
        ([nn.Linear(4, 5), Apply(lambda x: torch.clamp(x, min=0))], (4,), "dense 4 5"),
    ],
)
def test_what_layers_become(layers: list[nn.Module], shape: tuple[int, ...], said: str) -> None:
    torch.manual_seed(1)
    module = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(2))
    module(torch.zeros(2, *shape))
    found = import_torch(module, shape)
    assert said in program(found)
    assert_same(found, module, shape)


def test_activations() -> None:
    for kind, expected in ((nn.ReLU, ReLU()), (nn.Sigmoid, Sigmoid()), (nn.Tanh, Tanh())):
        # The last one is of an output, and of what has no weights.
        module = nn.Sequential(nn.Linear(3, 5), kind(), nn.Linear(5, 4), kind(), kind())
        found = import_torch(module, (3,))
        assert activation(found) == expected
        # Sigmoids at the end are left out.
        assert_same(found, module[:3] if kind is nn.Sigmoid else module, (3,))
    linear = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    found = import_torch(linear, (3,))
    assert activation(found) == Identity()
    assert program(found) == "dense 3 2"


def test_inputs_are_mapped_into_the_weights() -> None:
    torch.manual_seed(2)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 5, 2))
    mean, deviation = np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.3, 0.25])
    found = import_torch(module, (3, 6, 7), inputs=(-2.0, 3.0), mean=mean, deviation=deviation)
    assert program(found) == "conv [3 6 7] 4 3 ⦶ dense [4 4 5] 2"
    x = np.random.default_rng(0).random((20, 3, 6, 7))
    given = (-2.0 + 5.0 * x - mean.reshape(3, 1, 1)) / deviation.reshape(3, 1, 1)
    np.testing.assert_allclose(ours(found, x), logits(module, given), atol=1e-5)
    # Zeros around maps are no longer the same as a stimulus of 0: weights are written out.
    padded = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2))
    found = import_torch(padded, (1, 3, 4), mean=0.3)
    assert "the weights into" in found.notes[0]
    x = np.random.default_rng(0).random((20, 1, 3, 4))
    np.testing.assert_allclose(ours(found, x), logits(padded, x - 0.3), atol=1e-5)


def test_a_softmax_at_the_end_is_left_out() -> None:
    torch.manual_seed(4)
    body = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    for end, name in ((nn.Softmax(1), "softmax"), (nn.LogSoftmax(1), "log_softmax")):
        found = import_torch(nn.Sequential(body, end, nn.Dropout(0.2)), (4,))
        assert found.notes[0] == f"{name} at the end is left out: logits are what it gets"
        assert_same(found, body, (4,))


def test_everything_in_the_way_is_told_at_once() -> None:
    class Wrong(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(4, 6)
            self.body = nn.Sequential(nn.GELU(), nn.Linear(6, 6), nn.LayerNorm(6), nn.ReLU())
            self.last = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            y = self.body(self.first(x))
            return self.last(torch.tanh(y) * y)

    with pytest.raises(UnsupportedError) as caught:
        import_torch(Wrong(), (4,))
    lines = caught.value.message.splitlines()
    assert lines[0] == "this module is no network that Volr can express:"
    assert lines[1:] == [
        "  - body.0 (gelu): Volr has no gelu",
        "      train it with relu, sigmoid or tanh",
        "  - body.2 (layer_norm): Volr has no layer_norm",
        "      it depends on the values that it normalises; use BatchNorm, which becomes weights",
        "  - tanh: it has the activation tanh, and others have relu: a network of Volr's has one",
        "      use relu everywhere",
    ]


@pytest.mark.parametrize(
    ("module", "shape", "said"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten()),
            (1, 6, 6),
            "put the act",
        ),
        (nn.Sequential(nn.Tanh(), nn.MaxPool2d(3, 1, 1)), (1, 6, 6), "may be below 0"),
        (nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)), (1, 5, 6), "ceil_mode=False"),
        (nn.AdaptiveAvgPool2d(3), (1, 5, 6), "its windows differ in size: 5 values for 3"),
        (nn.ConvTranspose2d(1, 2, 3), (1, 5, 6), "Volr has no conv_transpose2d"),
        (nn.Conv3d(1, 2, 2), (1, 4, 4, 4), "Volr's over one or two"),
        (nn.BatchNorm2d(4, track_running_stats=False), (4, 3, 2), "by the batch that it gets"),
        (Apply(lambda x: x * x), (4,), "it multiplies two values that depend on the input"),
        (Apply(lambda x: x @ x.transpose(1, 2)), (4, 3), "depends on the input"),
        (Apply(lambda x: x.mean(0, keepdim=True)), (4,), "that of the stimuli"),
        (Apply(lambda x: x.mean(1)), (4, 5, 3), "over all places of a map"),
        (Apply(lambda _: torch.zeros(1, 3)), (4,), "does not depend on its input"),
        (nn.Linear(4, 3), (5, 4), "each of 5 rows of 4 values by one matrix"),
        (Apply(lambda x: torch.softmax(x, 1) + x), (4,), "a softmax can stand at the end alone"),
        (nn.Hardtanh(), (4,), "train it with relu"),
        (Apply(lambda x: torch.clamp(x, -1.0, 1.0)), (4,), "it clips values to [-1.0, 1.0]"),
        (nn.LSTM(3, 4), (5, 3), "results"),
    ],
)
def test_what_is_refused(module: nn.Module, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(VolrError) as caught:
        import_torch(module, shape)
    assert said in f"{caught.value}"


def test_what_cannot_be_traced_or_is_no_module() -> None:
    class Decides(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    for module, said in ((Decides(), "torch.export cannot trace"), (Two(), "cannot trace")):
        with pytest.raises(ModelError, match=said) as caught:
            import_torch(module, (4,))
        assert "it has to take one tensor" in (caught.value.help or "")
    with pytest.raises(VolrError, match=r"5, an int and not a torch\.nn\.Module"):
        import_torch(5, (4,))
    linear = nn.Linear(4, 2)
    for shape in ((), (0,), (4, -1), "four"):
        with pytest.raises(DataError, match="the shape of a stimulus is"):
            import_torch(linear, shape)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ModelError, match="cannot trace"):
        import_torch(linear, (5,))
    with pytest.raises(DataError, match=r"the mean has the shape \[3\]"):
        import_torch(linear, (4,), mean=[1, 2, 3])
    with pytest.raises(DataError, match="deviations above 0"):
        import_torch(linear, (4,), deviation=0.0)
    with pytest.raises(DataError, match="which is no range"):
        import_torch(linear, (4,), inputs=(1.0, 1.0))
