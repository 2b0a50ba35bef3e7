"""Programs as tokens, for Pygments: it colours them on pages and in notebooks.

The tokens are those of ``language/grammar.lark``, and errors are what is no token there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pygments.lexer import RegexLexer, default, include
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    Whitespace,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Sequence

LAYERS = frozenset({"dense", "conv", "avgpool", "maxpool", "id", "repeat"})
"""The names that are bound from the start."""
_NAME = r"[^\W\d][\w']*"
_BOUND = rf"(?!(?:let|in|_)(?![\w'])){_NAME}"


def _named(kind: Any) -> Callable[[RegexLexer, re.Match[str], Any], Iterator[tuple[int, Any, str]]]:
    def tokens(
        _: RegexLexer, found: re.Match[str], context: Any = None
    ) -> Iterator[tuple[int, Any, str]]:
        del context
        text = found[0]
        # For the pattern, a character such as `²` is neither a digit nor a letter.
        is_name = text[0].isalpha() or text[0] == "_"
        named = Name.Builtin if text in LAYERS else kind
        yield found.start(), named if is_name else Error, text

    return tokens


class VolrLexer(RegexLexer):
    """The lexer of Volr programs."""

    name = "Volr"
    aliases: ClassVar[Sequence[str]] = ["volr"]
    filenames: ClassVar[Sequence[str]] = ["*.volr"]

    tokens: ClassVar[dict[str, Any]] = {
        "blanks": [
            (r"[ \t\f\r\n]+", Whitespace),
            (r"//[^\n]*", Comment.Single),
            (r"/\*[\s\S]*?\*/", Comment.Multiline),
        ],
        "root": [
            include("blanks"),
            # What the language reads as a mistake: a comment without its end, and others.
            (r"/\*[\s\S]*|--+|\x1b\[|[0-9]+(?:[.][0-9]|[^\W0-9]|')[\w'.]*", Error),
            (r"let(?![\w'])", Keyword, "bound"),
            (r"in(?![\w'])", Keyword),
            (r"_(?![\w'])", Name.Builtin.Pseudo),
            (rf"{_NAME}(?=\s*:)", _named(Name.Attribute)),
            (_NAME, _named(Name)),
            (r"[0-9]+", Number.Integer),
            (r">>|<<|[⊖|⦶↺⊕+−*/=-]", Operator),
            (r"[:()\[\]]", Punctuation),
            (r"[\s\S]", Error),
        ],
        # The names of a `let`: the first is what it defines, the others are its arguments.
        "bound": [
            include("blanks"),
            (_BOUND, _named(Name.Function), ("#pop", "arguments")),
            default("#pop"),
        ],
        "arguments": [
            include("blanks"),
            (_BOUND, _named(Name.Variable)),
            default("#pop"),
        ],
    }
