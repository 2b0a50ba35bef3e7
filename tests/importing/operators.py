"""Layers of other programs, exported as users do, and what Volr's importers make of each.

``python -m tests.importing.operators`` writes the table in ``docs/reference/imports.md``, which the
tests compare with what they find.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from tests.backends.onnx_exports import Quiet, by_dynamo, by_keras, by_torchscript
from tests.backends.torch_modules import Apply, Shortcut, settle
from torch import nn

from volr.backends.reference import forward
from volr.errors import VolrError
from volr.importing import ImportedModel, import_onnx, import_torch
from volr.models.model import ArtificialModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats

    Shape: TypeAlias = tuple[int, ...]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "imports.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
WAYS = ("import_torch", "torchscript", "dynamo", "keras")
HEADER = ("layer", "`import_torch`", "PyTorch, `dynamo=False`", "PyTorch, `dynamo=True`", "Keras 3")
EXACT, NONE = "exact", "–"
CLOSE = 1e-5


@dataclass(frozen=True)
class Case:
    """Layers for stimuli of a ``shape``, as PyTorch and as Keras have them.

    The places of Keras' maps come before their channels. A head follows, unless it is ``whole``.
    """

    shape: Shape
    torch: Callable[[], list[nn.Module]] | None = None
    keras: Callable[[Any], list[Any]] | None = None
    whole: bool = False


MAP, ROW, LINE = (4, 8, 6), (6,), (4, 9)


class Skipping(nn.Module):
    """A product of two values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(x)


class Recurrent(nn.Module):
    """The last state of an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(9, 3, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0]


def relu(*layers: nn.Module) -> list[nn.Module]:
    return [*layers, nn.ReLU()]


CASES: dict[str, Case] = {
    "fully connected": Case(
        ROW,
        lambda: relu(nn.Linear(6, 5), nn.Linear(5, 4, bias=False)),
        lambda k: [k.Dense(5, activation="relu"), k.Dense(4, use_bias=False)],
    ),
    "convolution over one axis": Case(
        LINE,
        lambda: relu(nn.Conv1d(4, 6, 3, stride=2)),
        lambda k: [k.Conv1D(6, 3, strides=2, activation="relu")],
    ),
    "convolution over two axes": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 5, (3, 2), stride=(1, 2))),
        lambda k: [k.Conv2D(5, (3, 2), strides=2, activation="relu")],
    ),
    "convolution, padded": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 5, 3, padding=(2, 1))),
        lambda k: [k.ZeroPadding2D((2, 1)), k.Conv2D(5, 3, activation="relu")],
    ),
    "convolution, `same`": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 5, (2, 3), padding="same")),
        lambda k: [k.Conv2D(5, (2, 3), padding="same", activation="relu")],
    ),
    "convolution with groups": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 6, 3, groups=2)),
        lambda k: [k.Conv2D(6, 3, groups=2, activation="relu")],
    ),
    "depthwise and separable convolution": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 3, 1)),
        lambda k: [k.SeparableConv2D(3, 3, depth_multiplier=2, activation="relu")],
    ),
    "convolution with dilation": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 3, 2, dilation=(1, 3))),
        lambda k: [k.Conv2D(3, 2, dilation_rate=(1, 3), activation="relu")],
    ),
    "batch normalisation": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 3, 2), nn.BatchNorm2d(3)),
        lambda k: [k.Conv2D(3, 2), k.BatchNormalization(), k.ReLU()],
    ),
    "batch normalisation before a convolution": Case(
        MAP,
        lambda: relu(nn.BatchNorm2d(4), nn.Conv2d(4, 3, 2)),
        lambda k: [k.BatchNormalization(), k.Conv2D(3, 2, activation="relu")],
    ),
    "sigmoid": Case(
        ROW,
        lambda: [nn.Linear(6, 4), nn.Sigmoid()],
        lambda k: [k.Dense(4, activation="sigmoid")],
    ),
    "tanh": Case(
        ROW, lambda: [nn.Linear(6, 4), nn.Tanh()], lambda k: [k.Dense(4, activation="tanh")]
    ),
    "clamp from 0 up": Case(ROW, lambda: [nn.Linear(6, 4), Apply(lambda x: x.clamp(min=0))]),
    "maximum": Case(
        MAP,
        lambda: [nn.Conv2d(4, 3, 2), nn.ReLU(), nn.MaxPool2d((2, 3), 1)],
        lambda k: [k.Conv2D(3, 2, activation="relu"), k.MaxPooling2D((2, 3), 1)],
    ),
    "maximum before the activation": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 3, 2), nn.MaxPool2d(2)),
        lambda k: [k.Conv2D(3, 2), k.MaxPooling2D(2), k.ReLU()],
    ),
    "maximum, padded": Case(
        MAP,
        lambda: [nn.ReLU(), nn.MaxPool2d(3, 2, 1)],
        lambda k: [k.ReLU(), k.MaxPooling2D(3, 2, padding="same")],
    ),
    "maximum of all places": Case(
        MAP,
        lambda: [nn.ReLU(), nn.AdaptiveMaxPool2d(1)],
        lambda k: [k.ReLU(), k.GlobalMaxPooling2D()],
    ),
    "mean": Case(
        MAP,
        lambda: [nn.AvgPool2d((2, 3), 1)],
        lambda k: [k.AveragePooling2D((2, 3), 1)],
    ),
    "mean, padded": Case(
        MAP,
        lambda: [nn.AvgPool2d(3, 2, 1)],
        lambda k: [k.AveragePooling2D(3, 2, padding="same")],
    ),
    "mean without the padding": Case(MAP, lambda: [nn.AvgPool2d(3, 2, 1, count_include_pad=False)]),
    "mean of all places": Case(
        MAP,
        lambda: [nn.ReLU(), nn.AdaptiveAvgPool2d(1)],
        lambda k: [k.ReLU(), k.GlobalAveragePooling2D()],
    ),
    "adaptive mean": Case(MAP, lambda: [nn.AdaptiveAvgPool2d((2, 3))]),
    "adaptive mean of windows of two sizes": Case(MAP, lambda: [nn.AdaptiveAvgPool2d(3)]),
    "flatten, view, reshape": Case(
        MAP,
        lambda: relu(Apply(lambda x: x.view(x.size(0), -1)), nn.Linear(192, 3)),
        lambda k: [k.Reshape((192,)), k.Dense(3, activation="relu")],
    ),
    "another order of axes": Case(
        MAP,
        lambda: relu(nn.Conv2d(4, 3, 2), Apply(lambda x: x.permute(0, 2, 3, 1))),
        lambda k: [k.Conv2D(3, 2, activation="relu"), k.Permute((2, 3, 1))],
    ),
    "concatenation": Case(MAP, lambda: relu(Shortcut(nn.Conv2d(4, 3, 3, padding=1), added=False))),
    "skip connection": Case(MAP, lambda: relu(Shortcut(nn.Conv2d(4, 4, 3, padding=1), added=True))),
    "fixed numbers added and multiplied": Case(
        ROW,
        lambda: relu(Apply(lambda x: (2 * x - 0.5) / 3), nn.Linear(6, 4)),
        lambda k: [k.Rescaling(2.0, offset=-0.5), k.Dense(4, activation="relu")],
    ),
    "dropout, identity": Case(
        ROW,
        lambda: relu(nn.Linear(6, 4), nn.Dropout(0.5), nn.Identity()),
        lambda k: [k.Dense(4), k.Dropout(0.5), k.ReLU()],
    ),
    "softmax at the end": Case(
        ROW,
        lambda: [*relu(nn.Linear(6, 4)), nn.Linear(4, 3), nn.Softmax(dim=1)],
        lambda k: [k.Dense(4, activation="relu"), k.Dense(3, activation="softmax")],
        whole=True,
    ),
    "sigmoid at the end": Case(
        ROW,
        lambda: [*relu(nn.Linear(6, 4)), nn.Linear(4, 1), nn.Sigmoid()],
        lambda k: [k.Dense(4, activation="relu"), k.Dense(1, activation="sigmoid")],
        whole=True,
    ),
    "two kinds of activation": Case(
        ROW,
        lambda: [nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3), nn.ReLU()],
        lambda k: [k.Dense(4, activation="tanh"), k.Dense(3, activation="relu")],
    ),
    "GELU": Case(
        ROW, lambda: [nn.Linear(6, 4), nn.GELU()], lambda k: [k.Dense(4, activation="gelu")]
    ),
    "leaky ReLU": Case(
        ROW, lambda: [nn.Linear(6, 4), nn.LeakyReLU()], lambda k: [k.Dense(4), k.LeakyReLU()]
    ),
    "ReLU6": Case(
        ROW, lambda: [nn.Linear(6, 4), nn.ReLU6()], lambda k: [k.Dense(4, activation="relu6")]
    ),
    "layer normalisation": Case(
        ROW,
        lambda: [nn.Linear(6, 4), nn.LayerNorm(4)],
        lambda k: [k.Dense(4), k.LayerNormalization()],
    ),
    "group normalisation": Case(
        MAP,
        lambda: [nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4)],
        lambda k: [k.Conv2D(4, 3), k.GroupNormalization(2)],
    ),
    "transposed convolution": Case(
        MAP, lambda: [nn.ConvTranspose2d(4, 3, 2)], lambda k: [k.Conv2DTranspose(3, 2)]
    ),
    "enlarging": Case(MAP, lambda: [nn.Upsample(scale_factor=2)], lambda k: [k.UpSampling2D(2)]),
    "product of two values": Case(ROW, lambda: [nn.Linear(6, 4), Skipping()]),
    "LSTM": Case(LINE, lambda: [Recurrent()], lambda k: [k.LSTM(3)]),
}


def outcome(case: Case, way: str, folder: Path) -> str:
    """What becomes of a case: exact, the way in which it is refused, or nothing."""
    try:
        if way == "keras":
            return NONE if case.keras is None else _of_keras(case, folder)
        return NONE if case.torch is None else _of_torch(case, way, folder)
    except VolrError as error:
        return _short(error)


def _of_torch(case: Case, way: str, folder: Path) -> str:
    assert case.torch is not None
    torch.manual_seed(3)
    layers = case.torch()
    module = nn.Sequential(*layers)
    settle(module)
    module.eval()
    if not case.whole:
        with torch.no_grad():
            size = module(torch.zeros(1, *case.shape)).numel()
        module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(size, 2)).eval()
    if way == "import_torch":
        found = import_torch(module, case.shape)
    else:
        export = by_torchscript if way == "torchscript" else by_dynamo
        try:
            file = export(module, case.shape, folder / "net.onnx")
        except RuntimeError:
            return "not exported"
        found = import_onnx(file)
    given = np.random.default_rng(7).random((20, *case.shape))
    with torch.no_grad():
        wanted = module(torch.as_tensor(given, dtype=torch.float32)).double().numpy()
    return _compared(found, given, wanted)


def _of_keras(case: Case, folder: Path) -> str:
    import keras

    assert case.keras is not None
    keras.utils.set_random_seed(3)
    given = keras.Input((*case.shape[1:], case.shape[0]) if len(case.shape) > 1 else case.shape)
    value: Any = given
    layers: Any = keras.layers
    head = [] if case.whole else [layers.Flatten(), layers.Dense(2)]
    for layer in [*case.keras(layers), *head]:
        value = layer(value)
    model: Any = keras.Model(given, value)
    rng = np.random.default_rng(4)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, each.shape) for each in layer.weights])
    try:
        file = by_keras(model, folder / "net.onnx")
    except RuntimeError:
        return "not exported"
    found = import_onnx(file)
    stimuli = rng.random((20, *model.input_shape[1:])).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = np.asarray(model.predict(stimuli, verbose=0), np.float64)
    if any(each.startswith("stimuli have channels first") for each in found.notes):
        stimuli = np.moveaxis(stimuli, -1, 1)
    return _compared(found, stimuli.astype(np.float64), wanted)


def _compared(found: ImportedModel[ArtificialModel], given: Floats, wanted: Floats) -> str:
    assert isinstance(found.model, ArtificialModel)
    logits = forward(found.model, given.reshape(len(given), -1))
    ends = found.notes[0].lower()
    if ends.startswith("softmax"):
        logits = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ends.startswith("sigmoid"):
        logits = 1 / (1 + np.exp(-logits))
    error = float(np.abs(logits - wanted.reshape(len(logits), -1)).max())
    return EXACT if error < CLOSE else f"differs by {error:.2g}"


def _short(error: VolrError) -> str:
    """The first thing in the way, without the place of it, and the way out."""
    lines = [each.strip() for each in str(error).splitlines()]
    found = next((n for n, each in enumerate(lines) if each.startswith("- ")), None)
    if found is None:
        return re.sub(r"/\S+\.onnx", "net.onnx", lines[0])
    what = re.sub(r"^- .*?\): ", "", lines[found])
    way = lines[found + 1] if len(lines) > found + 1 else ""
    return what if not way or way.startswith(("- ", "…")) else f"{what}; {way}"


def row(name: str, folder: Path) -> list[str]:
    """What each way makes of a case."""
    return [outcome(CASES[name], way, folder) for way in WAYS]


def table(rows: dict[str, list[str]]) -> str:
    """The table with its messages, as Markdown."""
    messages = [
        each
        for cells in rows.values()
        for each in cells
        if each not in {EXACT, NONE, "not exported"}
    ]
    numbers = {each: n for n, each in enumerate(dict.fromkeys(messages), 1)}
    lines = [f"| {' | '.join(HEADER)} |", f"| {' | '.join(['---'] * len(HEADER))} |"]
    for name, cells in rows.items():
        shown = [f"refused ({numbers[each]})" if each in numbers else each for each in cells]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    listed = [f"{n}. {message}" for message, n in numbers.items()]
    return "\n".join([*lines, "", *listed])


def rows_of_page(text: str) -> dict[str, list[str]]:
    """The rows of the page, with messages in place of their numbers."""
    inside = text.partition(BEGIN)[2].partition(END)[0]
    messages = dict(re.findall(r"^(\d+)\. (.*)$", inside, re.MULTILINE))
    found: dict[str, list[str]] = {}
    for line in inside.splitlines()[4:]:
        if line.startswith("|"):
            name, *cells = [each.strip() for each in line.strip("|").split(" | ")]
            numbers = [re.fullmatch(r"refused \((\d+)\)", each) for each in cells]
            found[name] = [
                each if number is None else messages[number[1]]
                for each, number in zip(cells, numbers, strict=True)
            ]
    return found


def main() -> None:
    """Write the table into the page."""
    rows: dict[str, list[str]] = {}
    with Quiet(), tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            rows[name] = row(name, Path(folder))
            print(name, rows[name], file=sys.__stderr__)
    text = PAGE.read_text()
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n{table(rows)}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
