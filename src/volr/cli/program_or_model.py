"""What a command is about, where it may be a program or a model: told apart by what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from volr.system.incoming import check_ordinary, is_model

if TYPE_CHECKING:
    from volr.models.files import ModelFile
    from volr.network import Network

    Subject: TypeAlias = "Network | ModelFile"


def read_subject(file: str) -> Subject:
    """The network of a program, or a model; ``ProgramError`` or ``ModelFileError`` of either."""
    from volr.language import read_source, to_network
    from volr.models.files import load_model

    return load_model(file) if is_model_file(file) else to_network(read_source(file))


def is_model_file(file: str) -> bool:
    """Whether it is called a model, or begins as one: eight bytes of length, then JSON."""
    if file == "-":
        return False
    path = Path(file)
    if path.suffix == ".safetensors":
        return True
    try:
        check_ordinary(path)  # a pipe can be read once, by whoever reads all of it
        with path.open("rb") as opened:
            head = opened.read(9)
    except OSError:
        return False
    return is_model(head)
