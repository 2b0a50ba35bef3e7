"""The tables of `grammar.lark`, made by Lark before the first program is parsed.

This is the only file that imports Lark, and only when it is called. Lark checks that the grammar is
LALR(1), computes its tables, and splits text into tokens. `parser` runs the tables.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from volr.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

END = "$END"


class Token(NamedTuple):
    """A terminal of the grammar, and its characters: ``start`` ≤ i < ``end``."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Rule:
    """``origin`` → ``size`` symbols; ``name`` is its alias in the grammar, or else the origin.

    One that ``passes`` is of another rule alone, and only says how tightly something binds.
    """

    name: str
    origin: str
    size: int
    passes: bool = False


@dataclass(frozen=True)
class Tables:
    """An LALR(1) automaton: in a state, a symbol leads to a next state or to a reduction."""

    states: Mapping[int, Mapping[str, int | Rule]]
    start: int
    end: int
    tokens: Callable[[str], Iterator[Token]]


@functools.cache
def tables() -> Tables:
    """The automaton of the grammar, built once: some 40 ms, most of it the import of Lark."""
    conf = _lark().parse_interactive("").parser_state.parse_conf
    rules: dict[Any, Rule] = {}
    states: dict[int, dict[str, int | Rule]] = {}
    for state, actions in conf.states.items():
        states[state] = {}
        for symbol, (_, target) in actions.items():
            # Some of Lark's names are tokens, which are strings that compare slowly.
            if isinstance(target, int):
                states[state][str(symbol)] = target
            else:
                origin = str(target.origin.name)
                size = len(target.expansion)
                passes = size == 1 and not (target.alias or target.expansion[0].is_term)
                rule = Rule(str(target.alias or origin), origin, size, passes)
                states[state][str(symbol)] = rules.setdefault(target, rule)
    return Tables(states, conf.start_state, conf.end_state, _tokens)


@functools.lru_cache(maxsize=4096)
def kind_of(word: str) -> str | None:
    """The terminal that matches the whole word; None if there is none."""
    for terminal, pattern in _patterns():
        if pattern.fullmatch(word):
            return terminal
    return None


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """The terminals in the order in which the lexer tries them."""
    terminals = [each for each in _lark().terminals if each.name != "HOLE"]
    # Literal words come before patterns that match them too, as in Lark's lexer.
    terminals.sort(key=lambda each: (-each.priority, each.pattern.type != "str"))
    return [(each.name, re.compile(each.pattern.to_regexp())) for each in terminals]


def comments(text: str) -> list[Token]:
    """The comments of a text, in order."""
    return [token for token in _tokens(text, ignored=True) if token.kind == "COMMENT"]


def _tokens(text: str, *, ignored: bool = False) -> Iterator[Token]:
    """The tokens that Lark's lexer finds, in a fifth of its time: it counts lines and columns."""
    pattern, words, left_out = _scanner()
    for found in pattern.finditer(text):
        kind = found.lastgroup or ""
        if kind in left_out and not ignored:
            continue
        word = found.group()
        if kind == "NAME":
            kind = words.get(word, kind)
        yield Token(kind, word, found.start(), found.end())


@functools.cache
def _scanner() -> tuple[re.Pattern[str], Mapping[str, str], frozenset[str]]:
    """One pattern for all terminals, the names that are words of the language, what is ignored."""
    terminals = [each for each in _lark().terminals if each.name != "HOLE"]
    name = re.compile(next(each.pattern.to_regexp() for each in terminals if each.name == "NAME"))
    words = {
        each.pattern.value: each.name
        for each in terminals
        if each.pattern.type == "str" and name.fullmatch(each.pattern.value)
    }
    # Those of one priority begin with different characters, but for the words.
    rest = [each for each in terminals if each.name not in words.values()]
    rest.sort(key=lambda each: -each.priority)
    parts = (f"(?P<{each.name}>{each.pattern.to_regexp()})" for each in rest)
    return re.compile("|".join(parts)), words, frozenset(_lark().ignore_tokens)


@functools.cache
def _lark() -> Any:
    """Lark's parser of the grammar; untyped, since Lark's annotations of its tables have gaps."""
    from importlib.resources import files

    from lark import Lark

    grammar = files("volr.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", start="program")
