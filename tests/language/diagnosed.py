"""What is wrong with a program, and what becomes of it by the edit that is proposed."""

from __future__ import annotations

import pytest

from volr.errors import ProgramError
from volr.language import check
from volr.source import Diagnostic, edited


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    """The diagnostics of a text that is refused."""
    with pytest.raises(ProgramError) as caught:
        check(text)
    return caught.value.diagnostics


def only(text: str) -> Diagnostic:
    """The one diagnostic of a text."""
    [found] = mistakes(text)
    return found


def type_after(text: str) -> str:
    """The type of a program with one mistake, after the edit that its diagnostic proposes."""
    return str(check(edited(text, only(text).edits)).type)
