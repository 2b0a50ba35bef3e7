"""NIR files that were damaged, by the hundred: `python -m tests.fuzz.nir --count 500`.

Each is read and linted, and both are done or refused with its name. NIR has no hash, so a weight
that was damaged is another weight: only a file that is as it was has to be the model that it was.
"""

from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING

from tests.engine.examples import spiking_model
from tests.fuzz.damage import DAMAGES, Found, damaged, link, main
from tests.importers.files import FILES, ODD_FILES, file_of
from tests.oracles import chain

from volr.backends.nir import NIR
from volr.backends.nir.lint import lint
from volr.backends.nir.read import read_nir

if TYPE_CHECKING:
    from pathlib import Path


def bodies() -> list[bytes]:
    """Files of ours and of others, of which each may be damaged."""
    graphs = [*FILES.values(), *(graph for graph, _ in ODD_FILES.values())]
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

        def imported(
            path: Path = path, sound: bytes | None = body if kind == "none" else None
        ) -> bool:
            model = read_nir(path).model
            return sound is None or model == read_nir(sound).model

        def linted(
            path: Path = path, sound: bytes | None = body if kind == "none" else None
        ) -> bool:
            findings = lint(path)
            return sound is None or len(findings) == len(lint(sound))

        found.attempt(f"{kind}, import", path.name, imported)
        found.attempt(f"{kind}, lint", path.name, linted)
    return found


if __name__ == "__main__":
    sys.exit(main(fuzz, 500, sys.argv[1:]))
