"""Programs that come with Volr, by name: convolutional networks for 28 × 28 pixels.

    lenet           LeNet-5 with rectified units and the largest of each window, for ANNs.
                    Y. LeCun et al., "Gradient-based learning applied to document recognition"
                    (1998), doi:10.1109/5.726791
    lenet-avgpool   the same with means, so that it can be transferred by rates
    residual        blocks with an identity beside two convolutions. K. He et al., "Deep
                    residual learning for image recognition" (2015), arXiv:1512.03385

They fit the tasks ``mnist``, ``mnist-parallel`` and ``fashion``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from volr.errors import ProgramError
from volr.language import read_source, to_network
from volr.source import Source
from volr.system.incoming import nearest

_LENET = """\
conv [1 28 28] 6 5 ⦶ {pool} _ 2 ⦶ conv _ 16 5 ⦶ {pool} _ 2 ⦶ dense _ 120 ⦶ dense _ 84 ⦶ dense _ 10
"""
_RESIDUAL = """\
let block s c = (conv s c 3 pad:1 ⦶ conv _ c 3 pad:1) ⊕ id s in
conv [1 28 28] 16 5 stride:2 pad:2 ⦶ block [16 14 14] 16
⦶ conv _ 32 3 stride:2 pad:1 ⦶ block [32 7 7] 32 ⦶ dense _ 10
"""
PROGRAMS: dict[str, str] = {
    "lenet": _LENET.format(pool="maxpool"),
    "lenet-avgpool": _LENET.format(pool="avgpool"),
    "residual": _RESIDUAL,
}


@lru_cache
def name_of(program: str) -> str | None:
    """The name of the program in ``PROGRAMS`` with the same network as this text, or None."""
    network = to_network(program)
    return next((name for name, text in PROGRAMS.items() if to_network(text) == network), None)


def is_name(file: str) -> bool:
    """Whether this stands for one of ``PROGRAMS``: a file with such a name comes first."""
    return file in PROGRAMS and not Path(file).exists()


def program_source(file: str) -> Source:
    """The program in a file, or of a name in ``PROGRAMS``; ``-`` is standard input.

    A file with such a name comes first. Raises ``ProgramError`` as ``read_source`` does; for a
    missing file, its help has the nearest name, or all names.
    """
    if is_name(file):
        return Source(PROGRAMS[file], file)
    try:
        return read_source(file)
    except ProgramError as error:
        if not isinstance(error.__context__, FileNotFoundError):
            raise
        found = replace(error.diagnostics[0], help=_way_out(file))
        raise ProgramError(error.source, [found]) from None


def _way_out(file: str) -> str | None:
    """What may be meant instead of a file that is not there."""
    path = Path(file)
    is_plain = path.name == file and not path.suffix
    helps = [nearest(path, ".volr", PROGRAMS if is_plain else ())]
    if is_plain:
        names = ", ".join(PROGRAMS)
        helps.append(f"Volr has the programs {names}; `volr format lenet` prints one")
    return " ".join(filter(None, helps)) or None
