"""Lines from pieces: a group stays on one line if it fits, and breaks otherwise.

After Oppen ("Prettyprinting", 1980), a program is a row of words, of places where a line may break,
and of groups. Either all places of a group break, or none. One pass from the right measures, and
one from the left writes. So the time is proportional to the row, at any depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 88
INDENT = 2
DEEPEST_INDENT = 40
"""Lines of deeper nesting are not indented further, or ten thousand levels would fill a disk."""
_ENDLESS = 1 << 40


class Mark(Enum):
    """Pieces without text."""

    BEGIN = "a group begins"
    END = "a group ends"
    INDENT = "lines that begin from here on stand further right"
    DEDENT = "and from here on no more"
    SPACE = "a space"
    BREAK = "a space, or a line break if the group is broken"
    EDGE = "nothing, or a line break if the group is broken"
    SLOT = "where comments that end a line go"


@dataclass(frozen=True, slots=True)
class Word:
    """A token. ``start`` is its offset in the text, which comments are placed by."""

    text: str
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """``alone`` begins its line and ``last`` ends it; other comments stay within their line."""

    text: str
    start: int
    alone: bool
    last: bool


Piece: TypeAlias = Mark | Word | Comment


def with_comments(pieces: Sequence[Piece], comments: Sequence[Comment]) -> list[Piece]:
    """The row with its comments, each between the same two words as in the text.

    Comments up to the last one that ends its line go to the first slot. The others stay with the
    word that they precede. After the last word, each comment ends its line.
    """
    following = _ENDLESS
    next_start = [following] * len(pieces)
    for index in range(len(pieces) - 1, -1, -1):
        piece = pieces[index]
        if isinstance(piece, Word) and piece.start is not None:
            following = piece.start
        next_start[index] = following
    found: list[Piece] = []
    waiting = 0
    for index, piece in enumerate(pieces):
        if piece is Mark.SLOT or (isinstance(piece, Word) and piece.start is not None):
            ready = waiting
            while ready < len(comments) and comments[ready].start < next_start[index]:
                ready += 1
            if next_start[index] == _ENDLESS:
                for comment in comments[waiting:ready]:
                    found += (Mark.SPACE, replace(comment, last=True))
            elif piece is Mark.SLOT:
                while ready > waiting and not comments[ready - 1].last:
                    ready -= 1
                for comment in comments[waiting:ready]:
                    found += (Mark.SPACE, comment)
            else:
                found += comments[waiting:ready]
            waiting = ready
        found.append(piece)
    return found


def lay_out(pieces: Sequence[Piece]) -> str:
    """The text of a row of pieces, without a line break at its end."""
    groups, tails = _measure(pieces)
    writer = _Writer()
    for index, piece in enumerate(pieces):
        match piece:
            case Mark.BEGIN:
                writer.begin(groups[index] + tails[index])
            case Mark.END:
                writer.broken.pop()
            case Mark.INDENT:
                writer.depth += 1
            case Mark.DEDENT:
                writer.depth -= 1
            case Mark.SPACE:
                writer.space = True
            case Mark.BREAK | Mark.EDGE:
                if writer.broken[-1]:
                    writer.end_line()
                elif piece is Mark.BREAK:
                    writer.space = True
            case Mark.SLOT:
                pass
            case Word():
                writer.write(piece.text)
            case Comment():
                writer.comment(piece)
    return "".join(writer.parts)


class _Writer:
    """The text so far, and the state of the current line."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.broken = [True]
        self.depth = 0
        self.space = False
        self._column = 0
        self._blank = True
        self._full = False

    def begin(self, width: int) -> None:
        start = self._indent() if self._blank or self._full else self._column + self.space
        self.broken.append(self.broken[-1] and start + width > WIDTH)

    def write(self, text: str) -> None:
        if self._full:
            self.end_line()
        if self._blank:
            self.parts.append(" " * self._indent())
            self._column = self._indent()
        elif self.space:
            self.parts.append(" ")
            self._column += 1
        self.parts.append(text)
        self._column += len(text)
        self._blank = self.space = False

    def comment(self, comment: Comment) -> None:
        if comment.alone and comment.last:
            self.end_line()
        elif comment.last:
            self.space = True
        self.write(comment.text)
        self.space = True
        self._full = comment.last

    def end_line(self) -> None:
        if not self._blank:
            self.parts.append("\n")
        self._blank, self._full, self.space = True, False, False

    def _indent(self) -> int:
        return min(self.depth * INDENT, DEEPEST_INDENT)


def _width(piece: Piece) -> int:
    """Columns in an unbroken line."""
    match piece:
        case Mark():
            return 1 if piece in (Mark.SPACE, Mark.BREAK) else 0
        case Word():
            return len(piece.text)
        case Comment():
            return _ENDLESS if piece.last else len(piece.text) + 1


def _measure(pieces: Sequence[Piece]) -> tuple[dict[int, int], dict[int, int]]:
    """For each group, by the index of its start: its width, and that of the text that must follow.

    This text ends at the next place where the line may break.
    """
    groups: dict[int, int] = {}
    tails: dict[int, int] = {}
    ends: list[tuple[int, int]] = []
    total = tail = 0
    for index in range(len(pieces) - 1, -1, -1):
        piece = pieces[index]
        if piece is Mark.END:
            ends.append((total, tail))
        elif piece is Mark.BEGIN:
            before, follows = ends.pop()
            groups[index] = total - before
            tails[index] = follows
        elif piece in (Mark.BREAK, Mark.EDGE) or (isinstance(piece, Comment) and piece.last):
            tail = 0
        else:
            tail += _width(piece)
        total += _width(piece)
    return groups, tails
