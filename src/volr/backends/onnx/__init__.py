"""ONNX: artificial models as files of the exchange format, and as they run in ONNX Runtime.

This file can be imported without either package. The other files need them: ``graph`` writes a
model as an ONNX graph, ``read_back`` parses one, ``session`` runs one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from volr.backends.base import ArtificialBackend, Document
from volr.backends.readback import SINGLE
from volr.backends.refusals import check_supported, require
from volr.models.activations import ACTIVATION_NAMES
from volr.network.connectors import AllToAll, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    from volr.backends.base import Files, Forward
    from volr.backends.readback import ArtificialReadback
    from volr.models.model import ArtificialModel, Model

SUFFIX = ".onnx"


def write(model: Model) -> Files:
    """The model as an ONNX file, which takes ``stimuli`` and gives ``logits``, ``[batch, unit]``.

    Raises ``UnsupportedError`` for a spiking model, for weights that float32 or a file of this kind
    cannot hold, and ``MissingError`` without the onnx package.
    """
    check_supported(ONNX_FILE, model)
    require(ONNX_FILE)
    from volr.backends.onnx.graph import onnx_bytes

    # What is supported is artificial.
    return {SUFFIX: onnx_bytes(cast("ArtificialModel", model))}


def read_back(files: Files) -> ArtificialReadback:
    """What a written file says; ``ModelFileError`` for anything but a file that ``write`` made."""
    require(ONNX_FILE)
    from volr.backends.onnx.read_back import contents

    return contents(files.get(SUFFIX, b""))


def _build(model: ArtificialModel) -> Forward:
    check_supported(ONNX, model)
    require(ONNX)
    from volr.backends.onnx.session import build

    return build(model)


def _read_back_session(model: ArtificialModel) -> ArtificialReadback:
    check_supported(ONNX, model)
    require(ONNX)
    from volr.backends.onnx.session import read_back

    return read_back(model)


ONNX_FILE = Document(
    name="onnx",
    summary="a file for ONNX Runtime and whatever else reads ONNX, in float32",
    suffix=SUFFIX,
    requires=("onnx",),
    extra="onnx",
    activations=ACTIVATION_NAMES,
    write=write,
    read_back=read_back,
    precision=SINGLE,
    connectors=(AllToAll, Convolution, OneToOne, Pooled, Windows),
    merges=("sum", "max"),
    several=True,
    how_to=lambda name: (
        f"run it: onnxruntime.InferenceSession({name!r}).run(['logits'], {{'stimuli': x}})",
        "x is float32, [batch, unit]; the logits are the outputs side by side",
    ),
)
ONNX = ArtificialBackend(
    name="onnx",
    summary="ONNX Runtime, in float32",
    requires=("onnx", "onnxruntime"),
    extra="onnx",
    activations=ACTIVATION_NAMES,
    build=_build,
    read_back=_read_back_session,
    precision=SINGLE,
    connectors=(AllToAll, Convolution, OneToOne, Pooled, Windows),
    merges=("sum", "max"),
    several=True,
)
