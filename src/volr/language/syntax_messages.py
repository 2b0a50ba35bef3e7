"""The words for mistakes of syntax, from the repair of the text.

Each kind of change has a method. Mistakes within one token are in ``token_messages``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.language import call_messages, foreign, lookalikes
from volr.language.grammar import END
from volr.language.repair.changes import edits
from volr.language.token_messages import characters, malformed
from volr.language.tokens import (
    CLOSED_BY,
    HOLE,
    OPERATORS,
    SPELLED,
    UNREADABLE,
    shown,
    spelled,
)
from volr.source import Diagnostic, Label, Span, clip

if TYPE_CHECKING:
    from volr.language.automaton import Automaton
    from volr.language.grammar import Token
    from volr.language.repair.changes import Place, Repair

_SHAPE = "a shape is written `[1 28 28]`"
_EXAMPLES = {
    "BESIDE": "two side by side are written `dense 2 4 ⊖ dense 2 4`",
    "THEN": "two, one after the other, are written `dense 2 4 ⦶ dense 4 2`",
    "LOOP": "a loop is written `dense 4 4 ↺ dense 4 4`",
    "PLUS": "a sum is written `dense 2 4 ⊕ dense 2 4`",
}
"""How the operators between networks are written."""
_LET = "write `let name = … in …`"


def of_repair(place: Place, repair: Repair, automaton: Automaton) -> Diagnostic:
    """The diagnostic of a repair: the part that was changed, and what it became."""
    return _Mistake(place, repair, automaton).diagnostic()


class _Mistake:
    """A repair in its place."""

    def __init__(self, place: Place, repair: Repair, automaton: Automaton) -> None:
        self._place = place
        self._repair = repair
        self._automaton = automaton
        first = repair.first
        self._removed = place.tokens[first.start : first.end]
        self._put = [token.kind for token in first.tokens]
        self._next = place.tokens[first.start]
        self._previous = place.tokens[first.start - 1] if first.start else None
        self._stack = place.before(first.start)
        self._edits = edits(place, repair)

    def diagnostic(self) -> Diagnostic:
        match self._repair.story:
            case "comment":
                return self._comment()
            case "call":
                return call_messages.unknown_layer(self._place, self._repair)
            case "called":
                return call_messages.in_brackets(self._place, self._repair)
            case "comma":
                return call_messages.comma(self._place, self._repair)
            case "computed":
                return call_messages.computed(self._place, self._repair)
            case "let":
                return self._let_within()
            case "swapped":
                return self._swapped()
            case "quotes":
                message = f"unexpected quotation mark {shown(self._removed[0])}"
                return self._say(self._span(), message, "leave out both")
            case "brackets":
                message = f"unexpected bracket {shown(self._removed[0])}"
                return self._say(self._span(), message, "write `(` and `)`")
            case _ if any(token.kind == UNREADABLE for token in self._removed):
                return self._unreadable()
            case "look-alike" | "joined" | "split" if self._put:
                return self._respelled()
            case _ if not self._removed:
                return self._missing()
            case _ if not self._put:
                return self._too_much(self._removed[0])
            case _:
                return self._replaced(self._removed[0])

    def _say(
        self, span: Span, message: str, help: str | None = None, others: tuple[Label, ...] = ()
    ) -> Diagnostic:
        return Diagnostic(span, message, help=help, others=others, edits=self._edits)

    def _span(self) -> Span:
        """The replaced tokens, or the token at the place where something is missing."""
        return self._next.span.to(self._removed[-1].span) if self._removed else self._next.span

    def _fits(self, kind: str) -> bool:
        return self._automaton.fits(self._stack, kind)

    # Words and characters of other languages and alphabets.

    def _comment(self) -> Diagnostic:
        start = self._removed[0].start
        text = self._place.text
        opener = max((o for o in foreign.COMMENTS if text.startswith(o, start)), key=len)
        span = Span(start, start + len(opener))
        help = "a comment is written `// …` to the end of the line, or `/* … */`"
        return self._say(span, f"unexpected {characters(text, span)}", help)

    def _unreadable(self) -> Diagnostic:
        if self._repair.story in ("look-alike", "joined"):
            span = self._span()
        else:
            unreadable = [token for token in self._removed if token.kind == UNREADABLE]
            span = unreadable[0].span.to(unreadable[-1].span)
        text = self._place.text[span.start : span.end]
        message = f"unexpected {characters(self._place.text, span)}"
        return self._say(span, message, self._instead(text))

    def _instead(self, text: str) -> str | None:
        """The advice for characters of no token."""
        words = [spelled(token) for token in self._repair.first.tokens]
        if self._put == [HOLE] or "" in words:
            return None
        if words:
            return f"write `{clip(' '.join(words))}`"
        plain = lookalikes.plain(text)
        if plain != text and not plain.strip():
            return "write a plain space" if plain else "leave it out; it is invisible"
        return "leave it out"

    def _respelled(self) -> Diagnostic:
        """A word that is nearly one of the language."""
        words = " ".join(map(spelled, self._repair.first.tokens))
        span = self._span()
        text = self._place.text[span.start : span.end]
        if words in foreign.LAYERS:
            message = f"unknown layer `{clip(text)}`"
        elif len(self._removed) == 1 and self._removed[0].kind == "MALFORMED":
            message = malformed(self._removed[0])
        else:
            message = f"expected `{clip(words)}`, found `{clip(text)}`"
        return self._say(
            span, message, f"write `{clip(words)}`" + lookalikes.explained(text, words)
        )

    def _swapped(self) -> Diagnostic:
        one, other = self._removed
        message = f"{shown(one)} and {shown(other)} stand the wrong way round"
        help = f"write `{clip(other.text)} {clip(one.text)}`"
        return self._say(self._span(), message, help)

    # Something is missing.

    def _missing(self) -> Diagnostic:
        if not self._put:
            return self._say(self._span(), f"unexpected {shown(self._next)}")
        match self._put[0]:
            case "CLOSE":
                return self._unclosed("OPEN")
            case "CLOSE_SHAPE":
                return self._unclosed("OPEN_SHAPE")
            case "IN":
                return self._no_in()
            case "NAME":
                message = f"expected a name after `let`, found {shown(self._next)}"
                return self._say(self._span(), message)
            case "EQUAL":
                message = f"expected `=` after the name, found {shown(self._next)}"
                return self._say(self._span(), message)
            case "BESIDE" | "THEN":
                message = f"expected an operator before {shown(self._next)}"
                help = "write `⦶` for one after the other, `⊖` for side by side"
                return self._say(self._span(), message, help)
            case "HOLE":
                return self._no_operand(self._next)
            case "OPEN" | "OPEN_SHAPE" as kind:
                return self._unopened(kind)
            case kind:
                word = SPELLED[kind]
                message = f"expected `{word}` before {shown(self._next)}"
                help = _LET if kind == "LET" else f"write `{word} {clip(self._next.text)}`"
                return self._say(self._span(), message, help)

    def _unclosed(self, kind: str) -> Diagnostic:
        """One report for all brackets that the repair closes here, at the innermost."""
        opened = next((t for t in self._stack.tokens() if t.kind == kind), self._next)
        close = SPELLED[CLOSED_BY[kind]]
        message = f"this `{SPELLED[kind]}` is never closed"
        if len(self._put) > 1 and set(self._put) == {CLOSED_BY[kind]}:
            message += f", nor are the {len(self._put) - 1:,} around it"
        if self._previous is None or self._next.kind in (END, "IN"):
            return self._say(opened.span, message, f"write the `{close}`")
        end = self._previous.end
        label = Label(Span(max(end - 1, 0), end), f"a `{close}` fits after this")
        return self._say(opened.span, message, f"write the `{close}`", (label,))

    def _unopened(self, kind: str) -> Diagnostic:
        bracket, close = SPELLED[kind], CLOSED_BY[kind]
        closing = self._place.tokens[self._place.error]
        if closing.kind != close:
            message = f"expected `{bracket}` before {shown(self._next)}"
            return self._say(self._span(), message, f"write the `{bracket}`")
        label = Label(self._span(), f"a `{bracket}` fits before this")
        help = f"leave it out, or write the `{bracket}`"
        return self._say(closing.span, f"this `{SPELLED[close]}` closes nothing", help, (label,))

    def _no_in(self) -> Diagnostic:
        if self._next.kind in (END, "CLOSE", "CLOSE_SHAPE"):
            let = next((t for t in self._stack.tokens() if t.kind == "LET"), self._next)
            return self._say(let.span, "this `let` has no `in`", _LET)
        return self._say(self._span(), f"expected `in` before {shown(self._next)}", _LET)

    def _no_operand(self, found: Token) -> Diagnostic:
        """A network or a size is missing here."""
        span, last, what = found.span, self._previous, shown(found)
        if last is not None and last.kind == "COLON":
            label = self._place.tokens[self._repair.first.start - 2]
            help = f"write a number after it: `{clip(label.text)}:1`"
            return self._say(span, f"the label {shown(label)} has no value, found {what}", help)
        if last is not None and last.kind == "OPEN_SHAPE":
            return self._say(span, f"expected a size, found {what}", _SHAPE)
        if last is None and found.kind == END:
            help = "write a network: `dense 2 4 ⦶ dense 4 2`"
            return self._say(span, "this program is empty", help)
        if last is not None and last.kind in OPERATORS:
            wanted = "a network" if last.kind in _EXAMPLES else "a number"
            message = f"expected {wanted} after {shown(last)}, found {what}"
            return self._say(last.span, message, _EXAMPLES.get(last.kind))
        if found.kind in OPERATORS:
            return self._say(span, f"expected a network, found {what} with nothing before it")
        return self._say(span, f"expected a network or a size, found {what}")

    def _let_within(self) -> Diagnostic:
        message = "a `let` within an expression needs parentheses"
        return self._say(self._span(), message, "write `(let … in …)`")

    # There is a word too many, or one in the place of another.

    def _too_much(self, token: Token) -> Diagnostic:
        span, found = token.span, shown(token)
        match token.kind:
            case "CLOSE" | "CLOSE_SHAPE":
                opening = "(" if token.kind == "CLOSE" else "["
                help = f"leave it out, or write the `{opening}`"
                return self._say(span, f"this {found} closes nothing", help)
            case "OPEN" | "OPEN_SHAPE":
                help = f"leave it out, or write the `{SPELLED[CLOSED_BY[token.kind]]}`"
                return self._say(span, f"this {found} is never closed", help)
            case "IN":
                return self._say(span, "this `in` belongs to no `let`", "leave it out")
            case _:
                return self._say(span, f"unexpected {found}", "leave it out")

    def _replaced(self, token: Token) -> Diagnostic:
        span, found, kind = self._span(), shown(token), self._put[0]
        if kind == HOLE:
            return self._no_operand(token)
        word = SPELLED.get(kind, "a name")
        if token.kind == "IN":
            return self._say(span, "this `in` belongs to no `let`", f"write `{word}`")
        if kind == "NAME":
            help = "`_` is the shape of what comes before" if token.kind == "BLANK" else None
            return self._say(span, f"expected a name after `let`, found {found}", help)
        explained = lookalikes.explained(token.text, word)
        return self._say(span, f"expected `{word}`, found {found}", f"write `{word}`{explained}")
