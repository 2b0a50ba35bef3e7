"""Mistakes of one edit: what a slip of the hand or of the memory does to a program.

A mistake is made somewhere within a range of words, so that two of them can be made far apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.language.layers import LAYERS, REPEAT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

WORDS = (
    *("dense", "conv", "id", "repeat", "let", "in", "=", "(", ")", "[", "]", "_", "pad:1"),
    *("⦶", ">>", "⊖", "|", "⊕", "↺", "*", "x", "3", "12"),
)
CHARACTERS = "abdeilnstxyz_0123456789()=|>⦶⊖ '\n\t,.;:-+*/#%\\\"[]{}!?@&^~<$`\u00a0→λ"
LOOK_ALIKES: Mapping[str, Sequence[str]] = {
    "⦶": ("⦷", "⊘", "⏀", "Φ", "ⵀ", "->", ">", "⟫", "≫", "→"),
    "⊖": ("⊝", "⊟", "⊜", "⦵", "Θ", "θ", "⊕", "||", "∥", "+"),
    ">>": ("≫", "»", "⟫", ">", "->", ">>>", "|>"),
    "|": ("‖", "∣", "│", "¦", "||", "｜", "ǀ", "&"),
    "⊕": ("⊞", "∔", "＋", "⨁", "&", "++"),
    "↺": ("⟲", "↻", "⤾", "<-", "<<<"),
    "[": ("{", "［", "⟦", "("),
    "]": ("}", "］", "⟧", ")"),
    ":": ("=", "：", "::"),
    "conv": ("Conv", "conv2d", "cοnv", "convolution"),
    "avgpool": ("AvgPool", "avg_pool", "avgpoll", "meanpool"),
    "maxpool": ("MaxPool", "max_pool", "maxpoll"),
    "repeat": ("repeats", "Repeat", "repaet"),
    "id": ("Id", "identity", "іd"),
    "=": ("＝", "==", ":=", "≔", "꞊", "<-", ":"),
    "(": ("（", "[", "{", "⟨", "❨"),
    ")": ("）", "]", "}", "⟩", "❩"),
    "dense": ("dеnse", "densе", "ｄｅｎｓｅ", "Dense", "DENSE", "dense:", "denses", "dens"),
    "let": ("lеt", "ｌｅｔ", "Let", "var", "def", "const", "let rec", "where"),
    "in": ("іn", "ｉｎ", "In", ";", ",", "then", "and", "\u00a0in"),
}
FOREIGN_LAYERS = (
    *("relu", "ReLU()", "softmax", "Linear 2 3", "Conv2d(1, 6, 5)", "flatten", "Flatten()"),
    *("BatchNorm2d 6", "dropout", "MaxPool2d(2)"),
)
FOREIGN_COMMENTS = ("# note\n", "-- a note\n", "% note\n", "; note\n", "(* note *)", '"note"')
MOST_TRIES = 20
_LABELS = frozenset(label for each in LAYERS.values() for label in each.labelled)
_WORD = re.compile(r"//[^\n]*\n|\w[\w']*|>>|<<|\S")


@dataclass(frozen=True)
class Mistake:
    """A program with one mistake of a kind."""

    kind: str
    text: str


@dataclass(frozen=True)
class _Place:
    """A program, its words, and the ``index`` of the word where the mistake is made."""

    text: str
    words: Sequence[re.Match[str]]
    index: int

    @property
    def word(self) -> str:
        return self.words[self.index].group()

    @property
    def start(self) -> int:
        return self.words[self.index].start()

    @property
    def end(self) -> int:
        return self.words[self.index].end()

    def replaced(self, new: str) -> str:
        return self.text[: self.start] + new + self.text[self.end :]


def words(text: str) -> list[re.Match[str]]:
    """The words of a program, comments among them."""
    return list(_WORD.finditer(text))


def mistake(text: str, random: Random, *, first: float = 0.0, last: float = 1.0) -> Mistake:
    """The program with one mistake at a word between two shares of its length.

    The text is never the program's own, but it may be another program.
    """
    found = words(text)
    low = min(int(first * len(found)), len(found) - 1)
    high = max(low + 1, int(last * len(found)))
    while True:
        kind = random.choice(list(KINDS))
        for index in random.sample(range(low, high), min(high - low, MOST_TRIES)):
            changed = KINDS[kind](_Place(text, found, index), random)
            if changed is not None and changed != text:
                return Mistake(kind, changed)


def _delete_word(place: _Place, _: Random) -> str:
    return place.replaced("")


def _double_word(place: _Place, _: Random) -> str:
    return place.replaced(f"{place.word} {place.word}")


def _insert_word(place: _Place, random: Random) -> str:
    return place.replaced(f"{random.choice(WORDS)} {place.word}")


def _replace_word(place: _Place, random: Random) -> str:
    return place.replaced(random.choice(WORDS))


def _swap_words(place: _Place, _: Random) -> str | None:
    if place.index + 1 == len(place.words):
        return None
    after = place.words[place.index + 1]
    between = place.text[place.end : after.start()]
    swapped = after.group() + (between or " ") + place.word
    return place.text[: place.start] + swapped + place.text[after.end() :]


def _character(place: _Place, random: Random) -> int:
    return random.randrange(place.start, place.end)


def _delete_character(place: _Place, random: Random) -> str:
    at = _character(place, random)
    return place.text[:at] + place.text[at + 1 :]


def _double_character(place: _Place, random: Random) -> str:
    at = _character(place, random)
    return place.text[: at + 1] + place.text[at:]


def _insert_character(place: _Place, random: Random) -> str:
    at = _character(place, random)
    return place.text[:at] + random.choice(CHARACTERS) + place.text[at:]


def _replace_character(place: _Place, random: Random) -> str:
    at = _character(place, random)
    return place.text[:at] + random.choice(CHARACTERS) + place.text[at + 1 :]


def _swap_characters(place: _Place, random: Random) -> str:
    at = _character(place, random)
    return place.text[:at] + place.text[at : at + 2][::-1] + place.text[at + 2 :]


def _wrong_number(place: _Place, random: Random) -> str | None:
    if not place.word.isdigit():
        return None
    wrong = random.choice((str(random.randint(1, 20)), "0", "-3", "1.5", "1_000", "9" * 30, "x"))
    return place.replaced(wrong)


def _wrong_name(place: _Place, random: Random) -> str | None:
    """Another name, at its binding or at a use."""
    if not _is_name(place.word):
        return None
    known = [each.group() for each in place.words if _is_name(each.group())]
    return place.replaced(random.choice(("unknown", f"{place.word}x", *known)))


def _is_name(word: str) -> bool:
    known = ("let", "in", "_", *LAYERS, REPEAT)
    return (word[0].isalpha() or word[0] == "_") and word not in known


def _wrong_label(place: _Place, random: Random) -> str | None:
    """A label that the layer does not have, or that it has already, or without its value."""
    if place.word not in _LABELS or place.index + 2 >= len(place.words):
        return None
    value = place.words[place.index + 2]
    if place.text[place.end] != ":" or not value.group().isdigit():
        return None
    whole = place.text[place.start : value.end()]
    changed = random.choice(("padding:1", "strides:2", f"{whole} {whole}", f"{place.word}:"))
    return place.text[: place.start] + changed + place.text[value.end() :]


def _blank(place: _Place, _: Random) -> str | None:
    """A `_` for a number or a shape, or a number for a `_`."""
    if place.word == "_":
        return place.replaced("3")
    return place.replaced("_") if place.word.isdigit() else None


def _look_alike(place: _Place, random: Random) -> str | None:
    known = LOOK_ALIKES.get(place.word)
    return place.replaced(random.choice(known)) if known else None


def _foreign_layer(place: _Place, random: Random) -> str | None:
    """A layer that Volr does not have, between two others."""
    if place.word not in ("⦶", ">>"):
        return None
    return place.replaced(f"{place.word} {random.choice(FOREIGN_LAYERS)} {place.word}")


def _foreign_comment(place: _Place, random: Random) -> str:
    return place.replaced(random.choice(FOREIGN_COMMENTS) + place.word)


def _python_call(place: _Place, _: Random) -> str | None:
    """``dense(2, 4)`` for ``dense 2 4``, and ``conv(_, 4, 3)``."""
    if place.word not in LAYERS:
        return None
    count = len(LAYERS[place.word].required)
    given = place.words[place.index + 1 : place.index + 1 + count]
    sizes = [each.group() for each in given]
    if len(sizes) < count or any(each in sizes for each in "([])"):
        return None
    call = f"{place.word}({', '.join(sizes)})"
    return place.text[: place.start] + call + place.text[given[-1].end() :]


KINDS: Mapping[str, Callable[[_Place, Random], str | None]] = {
    "delete a word": _delete_word,
    "double a word": _double_word,
    "insert a word": _insert_word,
    "replace a word": _replace_word,
    "swap two words": _swap_words,
    "delete a character": _delete_character,
    "double a character": _double_character,
    "insert a character": _insert_character,
    "replace a character": _replace_character,
    "swap two characters": _swap_characters,
    "wrong number": _wrong_number,
    "wrong name": _wrong_name,
    "wrong label": _wrong_label,
    "blank": _blank,
    "look-alike": _look_alike,
    "foreign layer": _foreign_layer,
    "foreign comment": _foreign_comment,
    "as in Python": _python_call,
}
