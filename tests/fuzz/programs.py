"""Programs with mistakes, by the thousand: one mistake gives one error, and two give two.

    python -m tests.fuzz.programs --count 10000 --seed 0

draws well-typed programs and makes mistakes in them. It prints, over all and by kind of mistake,
how many programs were rejected, and how many of those have several errors. It also prints which
errors come together, with the shortest example of each, how often two mistakes far apart give two
errors, and how often the edit that a diagnostic proposes leaves fewer errors. A traceback is
printed with its program, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.fuzz.mistakes import KINDS, mistake, words
from tests.shaped_programs import random_shaped_program
from tests.strategies import random_program

from volr.errors import ProgramError
from volr.language import check
from volr.source import Source, edited

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.source import Diagnostic

FAR_APART = 24
"""A program of fewer words has no two places that are far from one another."""
MOST_PATTERNS = 25


@dataclass
class Tally:
    """Mistakes of one kind, or of all: how many, rejected, and rejected with several errors."""

    made: int = 0
    rejected: int = 0
    several: int = 0

    @property
    def share(self) -> float:
        return self.several / max(self.rejected, 1)


@dataclass
class Found:
    """What a run found."""

    programs: int = 0
    total: Tally = field(default_factory=Tally)
    kinds: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    patterns: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, str] = field(default_factory=dict[str, str])
    pairs: int = 0
    pairs_of_two: int = 0
    diagnostics: int = 0
    proposed: int = 0
    mended: int = 0
    unhelpful: dict[str, str] = field(default_factory=dict[str, str])
    tracebacks: list[str] = field(default_factory=list[str])

    @property
    def pairs_share(self) -> float:
        return self.pairs_of_two / max(self.pairs, 1)

    @property
    def mended_share(self) -> float:
        return self.mended / max(self.proposed, 1)


def fuzz(count: int, seed: int, *, mistakes: int = 1) -> Found:
    """Draw ``count`` programs, and make ``mistakes`` mistakes and one pair of them in each."""
    found = Found()
    for index in range(count):
        # Each program has a seed of its own, so that it can be drawn again alone.
        random = Random(f"{seed}.{index}")
        text = _spelled(_drawn(random), random)
        found.programs += 1
        if _errors(text, found):
            raise AssertionError(f"a program of the right type is refused: {text!r}")
        for _ in range(mistakes):
            _one(text, random, found)
        if len(words(text)) >= FAR_APART:
            _two(text, random, found)
    return found


def _drawn(random: Random) -> str:
    """A program of dense layers, or one of every construct."""
    if random.random() < 0.4:
        return random_program(random, depth=random.randint(1, 6)).text
    return random_shaped_program(random, depth=random.randint(0, 4)).text


def _spelled(text: str, random: Random) -> str:
    """The program in another of its spellings: operators, parentheses, comments, lines."""
    if random.random() < 0.3:
        for sign, plain in (("⦶", ">>"), ("⊖", "|"), ("⊕", "+"), ("↺", "<<")):
            text = text.replace(sign, plain)
    if random.random() < 0.3:
        for layer in sorted(set(re.findall(r"dense [\w']+ [\w']+", text))):
            if random.random() < 0.5:
                text = re.sub(rf"{layer}(?![\w'])", f"({layer})", text)
    if random.random() < 0.2:
        text = text.replace(" in ", " in\n") + "\n"
    if random.random() < 0.2:
        text = f"// a note\n{text} // another"
    return text


def _one(text: str, random: Random, found: Found) -> None:
    made = mistake(text, random)
    errors = _errors(made.text, found)
    for tally in (found.total, found.kinds[made.kind]):
        tally.made += 1
        tally.rejected += bool(errors)
        tally.several += len(errors) > 1
    if len(errors) > 1:
        pattern = f"{made.kind}: " + " + ".join(_pattern(each.message) for each in errors[:4])
        found.patterns[pattern] += 1
        example = found.examples.get(pattern)
        if example is None or len(made.text) < len(example):
            found.examples[pattern] = made.text
    for each in errors:
        _carry_out(made.text, each, len(errors), found)


def _carry_out(text: str, diagnostic: Diagnostic, before: int, found: Found) -> None:
    """Carry out the edit that a diagnostic proposes, if any, and count the errors that are left."""
    found.diagnostics += 1
    if not diagnostic.edits:
        return
    found.proposed += 1
    if len(_errors(edited(text, diagnostic.edits), found)) < before:
        found.mended += 1
    else:
        pattern = f"{_pattern(diagnostic.message)}: {_pattern(diagnostic.help or '')}"
        example = found.unhelpful.get(pattern)
        if example is None or len(text) < len(example):
            found.unhelpful[pattern] = text


def _two(text: str, random: Random, found: Found) -> None:
    """A mistake in the first third and one in the last: each alone rejected, then both."""
    last = mistake(text, random, first=0.7).text
    first = mistake(text, random, last=0.3).text
    if not _errors(last, found) or not _errors(first, found):
        return
    pairs = enumerate(zip(text, last, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(text), len(last)))
    tail = len(text) - at
    if len(first) < tail or first[len(first) - tail :] != text[at:]:
        return
    both = first[: len(first) - tail] + last[at:]
    found.pairs += 1
    errors = _errors(both, found)
    found.pairs_of_two += len(errors) >= 2


def _errors(text: str, found: Found) -> tuple[Diagnostic, ...]:
    """The diagnostics of a text. They are written out once, because that may fail as well."""
    try:
        check(Source(text))
    except ProgramError as error:
        str(error)
        return error.diagnostics
    except Exception:  # noqa: BLE001 - whatever goes wrong is what is looked for
        found.tracebacks.append(f"{text!r}\n{traceback.format_exc()}")
    return ()


def _pattern(message: str) -> str:
    """A message without what is particular to the program."""
    return re.sub(r"\d[\d,]*", "N", re.sub(r"`[^`]*`", "`…`", message))


def table(found: Found) -> Iterable[str]:
    """What a run found, line by line."""
    yield f"{found.programs:,} programs, {len(found.tracebacks)} tracebacks"
    yield f"{'mistake':<24} {'made':>7} {'rejected':>9} {'several':>8} {'share':>7}"
    for kind, tally in [*found.kinds.items(), ("all", found.total)]:
        yield (
            f"{kind:<24} {tally.made:>7,} {tally.rejected:>9,} {tally.several:>8,} "
            f"{tally.share:>7.1%}"
        )
    yield (
        f"two mistakes far apart: {found.pairs:,}, of which two errors or more "
        f"{found.pairs_of_two:,} ({found.pairs_share:.1%})"
    )
    yield (
        f"edits proposed: {found.proposed:,} by {found.diagnostics:,} diagnostics, "
        f"of which fewer errors {found.mended:,} ({found.mended_share:.1%})"
    )
    yield ""
    yield "errors that come together, the shortest example below each"
    for pattern, count in found.patterns.most_common(MOST_PATTERNS):
        yield f"{count:>6,}  {pattern}"
        yield f"        {found.examples[pattern]!r}"
    yield ""
    yield "edits after which there are as many errors"
    for pattern, text in list(found.unhelpful.items())[:MOST_PATTERNS]:
        yield f"        {pattern}"
        yield f"        {text!r}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the language.")
    parser.add_argument("--count", type=int, default=10_000, help="programs to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mistakes", type=int, default=1, help="in each program, one at a time")
    arguments = parser.parse_args()
    found = fuzz(arguments.count, arguments.seed, mistakes=arguments.mistakes)
    sys.stdout.writelines(f"{line}\n" for line in [*table(found), *found.tracebacks])
    return 1 if found.tracebacks else 0


if __name__ == "__main__":
    raise SystemExit(main())
