"""Futhark: artificial networks as Futhark programs, to be read, compiled, run and trained.

``program`` writes one. ``FUTHARK_PROGRAM`` is the document; ``FUTHARK`` compiles it, and runs it in
this process. This file can be imported without futhark-ffi and the compilers;
``volr.backends.futhark.library`` is what needs them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.base import ArtificialBackend, Document
from volr.backends.futhark.compiler import PROGRAMS, chosen_target
from volr.backends.futhark.parameter_vector import flattened, from_bytes, to_bytes
from volr.backends.futhark.program import program
from volr.backends.futhark.read_back import parse, readback
from volr.backends.readback import PROGRAM, SINGLE
from volr.backends.refusals import check_supported, require
from volr.checks.batches import check_batch
from volr.errors import BackendError, UnsupportedError
from volr.models.activations import ACTIVATION_NAMES
from volr.models.model import ArtificialModel
from volr.network.connectors import AllToAll, Convolution, OneToOne, Pooled, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from volr.backends.base import Files, Forward
    from volr.backends.futhark.compiler import Target
    from volr.backends.futhark.library import Held, Library
    from volr.backends.futhark.program_body import Loss
    from volr.backends.readback import ArtificialReadback
    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.models.model import Model
    from volr.network import Network

__all__ = ["FUTHARK", "FUTHARK_PROGRAM", "library_of", "program"]


def library_of(
    network: Network,
    activation: Activation,
    loss: Loss | None = None,
    target: Target | None = None,
) -> Library:
    """The network's program, compiled and loaded; for training if there is a ``loss``.

    The target is ``chosen_target()`` unless given. Raises ``MissingError`` where something is not
    installed, ``SimulatorError`` where a compiler fails.
    """
    require(FUTHARK)
    from volr.backends.futhark.library import load

    return load(program(network, activation, loss), target or chosen_target())


def _build(model: ArtificialModel) -> Forward:
    library, vector = _loaded(model)
    network = model.network

    def forward(stimuli: Floats) -> Floats:
        check_batch(stimuli.shape, network.input_size)
        logits = library.call("forward", vector, np.asarray(stimuli, dtype=np.float32))
        return library.array(logits).astype(np.float64)

    return forward


def _read_back(model: ArtificialModel) -> ArtificialReadback:
    """What the compiled program says, with the parameters that it cuts out of the vector."""
    library, vector = _loaded(model)
    return readback(parse(library.text), lambda name: library.array(library.call(name, vector)))


def _loaded(model: ArtificialModel) -> tuple[Library, Held]:
    check_supported(FUTHARK, model)
    vector = flattened(model.network, model.parameters)
    library = library_of(model.network, model.activation)
    return library, library.hold(vector)


def _write(model: Model) -> Files:
    check_supported(FUTHARK_PROGRAM, model)
    if not isinstance(model, ArtificialModel):
        raise UnsupportedError("futhark has no spiking neurons")
    vector = flattened(model.network, model.parameters)
    return {
        ".fut": program(model.network, model.activation).encode(),
        ".data": to_bytes(vector),
    }


def _write_program(network: Network, activation: Activation) -> Files:
    return {".fut": program(network, activation).encode()}


def _how_to(name: str) -> tuple[str, ...]:
    stem = name.removesuffix(".fut")
    data = quote(f"{stem}.data")
    program = quote(stem if "/" in stem else f"./{stem}")
    return (
        f"compile it: futhark c {quote(name)}",
        f"run it: cat {data} stimuli.data | {program} --entry-point=forward",
    )


def _how_to_program(name: str) -> tuple[str, ...]:
    renamed = name if name.endswith(".fut") else f"{name}.fut"
    # Futhark refuses other names.
    rename = "" if renamed == name else f"mv {quote(name)} {quote(renamed)} && "
    return (
        f"compile it: {rename}futhark c {quote(renamed)}",
        "it reads the parameters first; `volr compile MODEL --to futhark` writes those of a model",
    )


def _read_document(files: Files) -> ArtificialReadback:
    """What a program and the parameters beside it say; ``BackendError`` for other files."""
    missing = [suffix for suffix in (".fut", ".data") if suffix not in files]
    if missing:
        raise BackendError(f"a Futhark document has a {' and a '.join(missing)} file too")
    try:
        text = files[".fut"].decode()
    except UnicodeDecodeError as error:
        raise BackendError("this is no Futhark program: it is not UTF-8") from error
    written, vector = parse(text), from_bytes(files[".data"])
    needed = max((cut.last for cut in written.cuts.values()), default=0)
    if len(vector) != needed:
        raise BackendError(
            f"the program takes {needed} parameters, and the file beside it has {len(vector)}"
        )

    def value(name: str) -> NDArray[np.float32]:
        cut = written.cuts[name]
        if cut.last - cut.first != math.prod(cut.shape):
            raise BackendError(f"the program cuts {name} out in another shape than it has")
        return vector[cut.first : cut.last].reshape(cut.shape)

    return replace(readback(written, value), rest=PROGRAM)


FUTHARK = ArtificialBackend(
    name="futhark",
    summary="Futhark, compiled for the cores of this machine, in float32",
    requires=("cffi", "futhark_ffi"),
    programs=PROGRAMS,
    extra="futhark",
    activations=ACTIVATION_NAMES,
    build=_build,
    read_back=_read_back,
    precision=SINGLE,
    connectors=(AllToAll, Convolution, OneToOne, Pooled, Windows),
    merges=("sum", "max"),
    several=True,
)

FUTHARK_PROGRAM = Document(
    name="futhark",
    summary="a Futhark program that runs and trains the network, and its parameters beside it",
    suffix=".fut",
    activations=ACTIVATION_NAMES,
    write=_write,
    write_program=_write_program,
    read_back=_read_document,
    precision=SINGLE,
    connectors=(AllToAll, Convolution, OneToOne, Pooled, Windows),
    merges=("sum", "max"),
    several=True,
    how_to=_how_to,
    how_to_program=_how_to_program,
)
