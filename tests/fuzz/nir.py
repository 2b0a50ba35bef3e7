"""NIR files that were damaged, by the hundred: `python -m tests.fuzz.nir --count 500`.

Each is read and linted, and both are done or refused with its name. NIR has no hash, so a weight
that was damaged is another weight: only a file that is as it was has to be the model that it was.
"""

from __future__ import annotations

import sys
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.engine.examples import spiking_model
from tests.fuzz.damage import DAMAGES, Found, damaged, link, main
from tests.importers import maps
from tests.importers.files import FILES, ODD_FILES, file_of
from tests.oracles import chain

from volr.backends.nir import NIR
from volr.backends.nir.lint import lint
from volr.backends.nir.read import read_nir

if TYPE_CHECKING:
    from pathlib import Path


def bodies() -> list[bytes]:
    """Files of ours and of others, of which each may be damaged."""
    odd = (*ODD_FILES.values(), *3 * [*maps.FILES.values()])
    graphs = [*FILES.values(), *(graph for graph, _ in odd)]
    ours = [NIR.write(spiking_model(kind, chain(3, 4, 2)))[".nir"] for kind in ("delta", "exp")]
    return [*map(file_of, graphs), *5 * ours]


def fuzz(count: int, seed: int, folder: Path) -> Found:
    """Damage ``count`` files; import and lint each of them."""
    random, found = Random(seed), Found()
    whole = bodies()
    for number in range(count):
        body = random.choice(whole)
        path = folder / f"{number}.nir"
        kind = random.choice((*DAMAGES, "link", "none"))
        if kind == "link":
            kind = link(path, random)
        else:
            path.write_bytes(body if kind == "none" else damaged(body, kind, random))
        sound = body if kind == "none" else None
        found.attempt(f"{kind}, import", path.name, partial(_is_imported, path, sound))
        found.attempt(f"{kind}, lint", path.name, partial(_is_linted, path, sound))
    return found


def _is_imported(path: Path, sound: bytes | None) -> bool:
    """Whether a file is read as its model, if it is as it was."""
    model = read_nir(path).model
    return sound is None or model == read_nir(sound).model


def _is_linted(path: Path, sound: bytes | None) -> bool:
    """Whether as much is found in a file as in its bytes, if it is as it was."""
    findings = lint(path)
    return sound is None or len(findings) == len(lint(sound))


if __name__ == "__main__":
    sys.exit(main(fuzz, 500, sys.argv[1:]))
