"""A path on which programs are missing, for tests of what Volr does without them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def path_without(programs: Collection[str], folder: Path) -> str:
    """The path of this process, but for ``programs``.

    A folder of the path that has one of them is replaced by a folder within ``folder`` with links
    to everything else that is there.
    """
    places = dict.fromkeys(Path(each).resolve() for each in os.environ["PATH"].split(os.pathsep))
    kept: list[str] = []
    for number, place in enumerate(places):
        if any((place / each).exists() for each in programs):
            links = folder / str(number)
            links.mkdir(parents=True)
            for each in place.iterdir():
                if each.name not in programs:
                    (links / each.name).symlink_to(each)
            kept.append(str(links))
        else:
            kept.append(str(place))
    return os.pathsep.join(kept)
