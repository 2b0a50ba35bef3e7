"""The language: from text or Python operators to a syntax tree, a typed term and a network."""

from volr.language.lowering import lower
from volr.language.operators import avgpool, conv, dense, identity, maxpool, repeat
from volr.language.printer import format_expression
from volr.language.program_source import as_source, decode, read_source
from volr.language.stages import Checked, check, format_source, parse, to_network
from volr.language.syntax import Expression
from volr.language.types import Int, Net, Type

__all__ = [
    "Checked",
    "Expression",
    "Int",
    "Net",
    "Type",
    "as_source",
    "avgpool",
    "check",
    "conv",
    "decode",
    "dense",
    "format_expression",
    "format_source",
    "identity",
    "lower",
    "maxpool",
    "parse",
    "read_source",
    "repeat",
    "to_network",
]
