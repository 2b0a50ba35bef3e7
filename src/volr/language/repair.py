"""What to say about a token that does not fit, and how to read on.

Three rules keep one mistake from causing others. What is missing is filled with a hole, which has
every type. After a report nothing more is reported until a token of the text has found its place.
And a construct that is closed for the user, `)` or `in`, is closed where the next one shows it.

One file in spite of its length: it is one class, whose rules all read and change what is known of
the open constructs and of the last report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from volr.language.misread import LAYERS, STRAY, malformed, nearest_layer, shown, stray
from volr.language.tables import END, Token, tables
from volr.source import Diagnostic, Span, clip

if TYPE_CHECKING:
    from volr.language.automaton import Automaton

_OPERATORS = ("BESIDE", "THEN")
_OPERANDS = ("DENSE", "LET", "OPEN", "NAME", "INTEGER")
_JUNK = ("STRAY", "MALFORMED", "NEGATIVE", "UNFINISHED")


@dataclass(frozen=True, slots=True)
class _Open:
    """A `(` or a `let` that waits for its `)` or `in`; ``ours`` if the text does not have it."""

    token: Token
    ours: bool = False
    size: bool = False


class Mender:
    """Feeds tokens to an automaton, collecting ``diagnostics`` and mending what does not fit."""

    def __init__(self, text: str, automaton: Automaton) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._text = text
        self._automaton = automaton
        self._open: list[_Open] = []
        self._parentheses = 0
        self._bound: set[str] = set()
        self._last: Token | None = None
        self._previous = ""
        self._quiet = False
        self._unclosed = False
        self._given_up = False
        self._lacking: int | None = None

    def read(self, token: Token, following: Token) -> None:
        """Take a token of the text, mending the place where it does not fit, or leave it out."""
        if token.kind == "NAME" and not (token.text[0].isalpha() or token.text[0] == "_"):
            token = token._replace(kind="STRAY")
        if token.kind in _JUNK:
            self._read_junk(token, following)
            return
        if self._names_a_layer(token, following):
            token = self._read_layer(token)
        while True:
            ours = bool(self._open) and self._open[-1].ours
            if token.kind == "CLOSE" and ours and self._fits("CLOSE"):
                self._put("CLOSE", token)
            elif self._take(token):
                self._quiet = self._quiet and token.kind == "HOLE"
                self._last = token
                return
            elif ours and self._fits("CLOSE"):
                self._put("CLOSE", token)
            elif not self._mend(token, following):
                self._quiet = True
                return

    def _fits(self, kind: str) -> bool:
        return self._automaton.fits(kind)

    def _take(self, token: Token, *, ours: bool = False) -> bool:
        if not self._automaton.take(token):
            return False
        match token.kind:
            case "OPEN":
                self._open.append(_Open(token, ours, size=self._previous == "DENSE"))
                self._parentheses += not ours
            case "CLOSE":
                self._parentheses -= not self._open.pop().ours
            case "LET":
                self._open.append(_Open(token))
            case "IN":
                self._open.pop()
            case "NAME" if self._previous == "LET":
                self._bound.add(token.text)
            case _:
                pass
        self._previous = token.kind
        return True

    def _put(self, kind: str, before: Token, text: str = "") -> None:
        """Take a token that the text does not have."""
        if kind == "IN" and self._lacking is not None:
            self._lacking -= 1
        place = self._last.end if self._last is not None else before.start
        self._take(Token(kind, text, place, place), ours=True)

    def _report(
        self, span: Span, message: str, *, label: str = "", help: str | None = None
    ) -> None:
        if not (self._quiet or self._given_up):
            self.diagnostics.append(Diagnostic(span, message, label, help))
        self._quiet = True

    # What the lexer could not make a token of.

    def _read_junk(self, token: Token, following: Token) -> None:
        fits = self._fits(token.kind)
        span = Span(token.start, token.end)
        match token.kind:
            case "NEGATIVE":
                self._quiet = False
                if fits:
                    help = f"write `{clip(token.text[1:].lstrip('0') or '1')}`"
                    self._report(
                        span, f"a size must be at least 1, found {shown(token)}", help=help
                    )
                else:
                    self._report(span, f"unexpected {shown(token)}", help="there is no arithmetic")
            case "MALFORMED":
                self._quiet = False
                self._report(span, malformed(token))
            case "UNFINISHED":
                span = Span(token.start, token.start + 2)
                self._report(span, "this comment is never closed", help="close it with `*/`")
                self._given_up = True
            case _:
                if token.text == "," and self._open and self._open[-1].size and self._fits("CLOSE"):
                    help = "sizes are separated by a space: `dense 2 4`"
                    self._report(span, "unexpected `,`", help=help)
                    self._put("CLOSE", token)
                    self._put("OPEN", token)
                    self._open[-1] = replace(self._open[-1], ours=False)
                    self._parentheses += 1
                    return
                self._report_stray(token)
        if fits and (token.kind != "STRAY" or following.kind not in _OPERANDS):
            self._take(token)
            self._last = token
            self._quiet = token.kind == "STRAY"
        else:
            self._quiet = True

    def _report_stray(self, token: Token) -> None:
        """One report for a run of characters that mean nothing, however long."""
        last = self.diagnostics[-1] if self.diagnostics else None
        if last is not None and last.span.end == token.start and last.message.startswith(STRAY):
            span = Span(last.span.start, token.end)
            self.diagnostics[-1] = stray(self._text, span)
            self._quiet = True
            return
        self._quiet = False
        found = stray(self._text, Span(token.start, token.end))
        self._report(found.span, found.message, help=found.help)

    # A word with sizes after it can only be meant as a layer.

    def _names_a_layer(self, token: Token, following: Token) -> bool:
        return (
            token.kind == "NAME"
            and following.kind == "INTEGER"
            and token.text not in self._bound
            and self._fits("DENSE")
        )

    def _read_layer(self, token: Token) -> Token:
        near = nearest_layer(token.text)
        span = Span(token.start, token.end)
        help = f"the layers are: {', '.join(LAYERS)}" if near is None else f"write `{near}`"
        self._report(span, f"unknown layer {shown(token)}", help=help)
        return token._replace(kind="HOLE" if near is None else "DENSE")

    # A token of the language at the wrong place.

    def _mend(self, token: Token, following: Token) -> bool:
        """Put in what makes the token fit (True), or have it left out (False)."""
        span, found = Span(token.start, token.end), shown(token)
        if self._fits("NAME") and not self._fits("HOLE"):
            self._report(span, f"expected a name after `let`, found {found}")
            self._put("NAME", token)
            return token.kind not in ("DENSE", "INTEGER")
        if self._fits("EQUAL"):
            self._report(span, f"expected `=` after the name, found {found}")
            if following.kind == "EQUAL":
                return False
            self._put("EQUAL", token)
            return True
        if self._fits("HOLE"):
            return self._mend_operand(token)
        if token.kind == END:
            self._mend_end()
            return True
        match token.kind:
            case "CLOSE":
                return self._mend_close(span)
            case "IN":
                return self._mend_in(span)
            case "EQUAL":
                help = "a name is bound by `let name = … in …`"
                self._report(span, "unexpected `=`", help=help)
                return False
            case _:
                return self._mend_operator(token)

    def _mend_operand(self, token: Token) -> bool:
        """Here something must stand, a network or a size, and does not."""
        span, found, last = Span(token.start, token.end), shown(token), self._last
        if token.kind == "LET":
            help = "write `(let … in …)`"
            self._report(span, "a `let` within an expression needs parentheses", help=help)
            self._put("OPEN", token)
            return True
        if token.kind == "EQUAL":
            self._report(span, "unexpected `=`")
            return False
        help = None
        if not self._fits("DENSE"):
            wanted = "a size"
            help = "a layer is written `dense inputs outputs`"
        elif last is None and token.kind == END:
            self._report(
                span, "this program is empty", help="write a network: `dense 2 4 ⦶ dense 4 2`"
            )
            self._put("HOLE", token)
            return True
        elif last is not None and last.kind in _OPERATORS:
            wanted = f"a network after {shown(last)}"
        elif token.kind in _OPERATORS:
            wanted = "a network"
            found = f"{found} with nothing before it"
        else:
            wanted = "a network or a size"
        self._report(span, f"expected {wanted}, found {found}", help=help)
        self._put("HOLE", token)
        return True

    def _mend_end(self) -> None:
        innermost = self._open[-1].token
        if innermost.kind == "LET":
            self._report_let(innermost)
            self._put("IN", innermost)
            return
        self._report_unclosed(innermost)
        self._put("CLOSE", innermost)

    def _mend_close(self, span: Span) -> bool:
        if self._parentheses:
            innermost = self._open[-1].token
            self._report_let(innermost)
            self._put("IN", innermost)
            return True
        self._report(span, "this `)` closes nothing", help="leave it out, or write the `(`")
        return False

    def _mend_in(self, span: Span) -> bool:
        if self._open:
            innermost = self._open[-1].token
            self._unclosed = False
            self._report_unclosed(innermost)
            self._put("CLOSE", innermost)
            return True
        self._report(span, "this `in` belongs to no `let`")
        return False

    def _mend_operator(self, token: Token) -> bool:
        """Something complete, and then the beginning of something else."""
        span, found = Span(token.start, token.end), shown(token)
        if self._fits("IN") and (token.kind == "LET" or self._lacks_in()):
            self._report(span, f"expected `in` before {found}", help="write `let name = … in …`")
            self._put("IN", token)
            return True
        if token.kind in ("INTEGER", "NAME"):
            help = (
                "`dense` takes two sizes, inputs and outputs" if token.kind == "INTEGER" else None
            )
            self._report(span, f"unexpected {found}", help=help)
            return False
        help = "write `⦶` for one after the other, `⊖` for side by side"
        self._report(span, f"expected an operator before {found}", help=help)
        for kind in ("THEN", "HOLE", "THEN"):
            self._put(kind, token)
        return True

    def _lacks_in(self) -> bool:
        """Whether the text has a `let` more than it has `in`, those put in so far included."""
        if self._lacking is None:
            kinds = [token.kind for token in tables().tokens(self._text)]
            self._lacking = kinds.count("LET") - kinds.count("IN")
        return self._lacking > 0

    def _report_let(self, let: Token) -> None:
        help = "write `let name = … in …`"
        self._report(Span(let.start, let.end), "this `let` has no `in`", help=help)

    def _report_unclosed(self, token: Token) -> None:
        """One report for all parentheses that are still open, at the innermost."""
        if self._unclosed:
            return
        self._unclosed = True
        self._quiet = False
        message = "this `(` is never closed"
        if self._parentheses > 1 and all(each.token.kind == "OPEN" for each in self._open):
            message += f", nor are the {self._parentheses - 1:,} around it"
        self._report(Span(token.start, token.end), message, help="write the `)`")
