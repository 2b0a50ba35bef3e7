"""What happens to files on their way, and what came of reading them: for all fuzzers of files."""

from __future__ import annotations

import argparse
import os
import re
import resource
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from volr.errors import VolrError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

MOST_GROWTH = 1_000_000_000
"""Bytes: files of some kilobytes must not make a process grow by more."""
SHOWN = 10


def _flip(body: bytearray, random: Random) -> None:
    place = random.randrange(len(body))
    body[place] ^= 1 << random.randrange(8)


def _bytes(body: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, 20)):
        body[random.randrange(len(body))] = random.randrange(256)


def _cut(body: bytearray, random: Random) -> None:
    del body[random.randrange(len(body)) :]


def _remove(body: bytearray, random: Random) -> None:
    start = random.randrange(len(body))
    del body[start : start + random.randint(1, 64)]


def _repeat(body: bytearray, random: Random) -> None:
    start = random.randrange(len(body))
    body[start:start] = body[start : start + random.randint(1, 64)]


def _swap(body: bytearray, random: Random) -> None:
    size = random.choice((1, 8, 64))
    a, b = sorted(random.randrange(len(body)) for _ in range(2))
    first, second = bytes(body[a : a + size]), bytes(body[b : b + size])
    body[b : b + size] = first
    body[a : a + size] = second


def _zeros(body: bytearray, random: Random) -> None:
    start = random.randrange(len(body))
    stop = min(len(body), start + random.randint(1, 512))
    body[start:stop] = bytes(stop - start)


def _huge(body: bytearray, random: Random) -> None:
    """A number in a text, or eight bytes that may be one, made as large as can be."""
    numbers = list(re.finditer(rb"\d+", body))
    if numbers and random.random() < 0.5:
        found = random.choice(numbers)
        body[found.start() : found.end()] = random.choice((b"9" * 19, b"9" * 400, b"-1", b"1e999"))
    else:
        start = random.randrange(len(body))
        body[start : start + 8] = random.choice((b"\xff" * 8, b"\xff" * 7 + b"\x7f", bytes(8)))


def _more(body: bytearray, random: Random) -> None:
    body += random.randbytes(random.randint(1, 64))


DAMAGES: Mapping[str, Callable[[bytearray, Random], None]] = {
    "flipped bit": _flip,
    "other bytes": _bytes,
    "cut short": _cut,
    "bytes removed": _remove,
    "bytes repeated": _repeat,
    "bytes swapped": _swap,
    "zeros": _zeros,
    "huge number": _huge,
    "bytes added": _more,
}


def damaged(body: bytes, kind: str, random: Random) -> bytes:
    """The bytes after one damage of a kind."""
    found = bytearray(body)
    DAMAGES[kind](found, random)
    return bytes(found)


def link(path: Path, random: Random) -> str:
    """Put something at ``path`` that is no ordinary file, and say what."""
    kind = random.choice(("link to itself", "link to nothing", "device", "pipe", "folder"))
    match kind:
        case "link to itself":
            path.symlink_to(path.name)
        case "link to nothing":
            path.symlink_to("nowhere")
        case "device":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()
    return kind


@dataclass
class Found:
    """What a run found, by kind of damage."""

    made: Counter[str] = field(default_factory=Counter[str])
    read: Counter[str] = field(default_factory=Counter[str])
    believed: list[str] = field(default_factory=list[str])
    nameless: list[str] = field(default_factory=list[str])
    tracebacks: list[str] = field(default_factory=list[str])
    grown: int = 0

    @property
    def is_sound(self) -> bool:
        wrong = self.believed or self.nameless or self.tracebacks
        return not wrong and self.grown < MOST_GROWTH

    def attempt(self, kind: str, name: str, read: Callable[[], bool]) -> None:
        """Count one file. ``read`` says whether it is as it was written; what it refuses has to be
        a ``VolrError`` that has the ``name``.
        """
        self.made[kind] += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                same = read()
        except VolrError as error:
            if name not in error.message:
                self.nameless.append(f"{kind}: {error.message}")
        except Exception:  # noqa: BLE001 - whatever goes wrong is what is looked for
            self.tracebacks.append(f"{kind}: {traceback.format_exc()}")
        else:
            self.read[kind] += 1
            if not same:
                self.believed.append(kind)

    def table(self) -> list[str]:
        """What was found, in lines."""
        width = max(map(len, self.made), default=0)
        lines = [f"{'damage':{width}}   made   read  refused"]
        for kind, made in sorted(self.made.items()):
            read = self.read[kind]
            lines.append(f"{kind:{width}}  {made:5}  {read:5}  {made - read:7}")
        made, read = self.made.total(), self.read.total()
        lines.append(f"{'all':{width}}  {made:5}  {read:5}  {made - read:7}")
        lines.append(
            f"believed {len(self.believed)}, refused without the file's name {len(self.nameless)}, "
            f"tracebacks {len(self.tracebacks)}, grown by {self.grown / 1e6:.0f} MB"
        )
        for each in (self.believed, self.nameless, self.tracebacks):
            lines += each[:SHOWN]
        return lines


def watched(fuzz: Callable[[int, int, Path], Found], count: int, seed: int) -> Found:
    """What a fuzzer found in a folder of its own, and by how much the process grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(count, seed, Path(folder))
    found.grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return found


def main(fuzz: Callable[[int, int, Path], Found], count: int, arguments: Sequence[str]) -> int:
    """Run a fuzzer from the command line; the exit code is 1 where something is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args(arguments)
    found = watched(fuzz, told.count, told.seed)
    sys.stdout.write("\n".join(found.table()) + "\n")
    return 0 if found.is_sound else 1
