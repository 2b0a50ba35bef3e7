"""How much memory there is, asked before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping


# What is there in any case; asking takes longer than many a simulation.
_LITTLE = 100_000_000


def available() -> int:
    """Bytes that can be had without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def check_room(needed: Mapping[str, int], what: str, *, help: str | None = None) -> None:
    """Raise ``ModelError`` unless there is room for all that is ``needed``, bytes by name.

    ``what`` says what it is needed for; the largest is named.
    """
    total = sum(needed.values())
    if total < _LITTLE:
        return
    room = available()
    if total <= room:
        return
    largest = max(needed, key=lambda name: needed[name])
    raise ModelError(
        f"there is not enough memory {what}: it takes {in_words(total)}, most of it "
        f"({in_words(needed[largest])}) for {largest}, and {in_words(room)} are free",
        help=help,
    )


def in_words(count: int) -> str:
    """A number of bytes with its unit."""
    value = float(count)
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.3g} {unit}"
