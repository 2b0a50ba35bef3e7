"""Everything that can be wrong and that the person at the keyboard can mend.

    VolrError              one message, one way out; the command line exits with 1
    ├── ProgramError       a program with mistakes: carries its diagnostics, shown with carets
    ├── NetworkError       a graph whose parts do not fit
    ├── ModelError         parameters, neuron model, coding or settings that do not fit the network
    ├── ModelFileError     a model file that cannot be read or written
    ├── DataError          a task or data set that is missing, damaged or of the wrong shape
    ├── TrainingError      training that cannot start, or that diverged
    └── BackendError       something a back end cannot do
        ├── UnsupportedError    it lacks a layer, a neuron model, a coding
        ├── MissingError        its package or program is not installed
        └── SimulatorError      it was started and failed

A message says what was found and what was expected; ``help`` says what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volr.source import Diagnostic, render_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.source import Source, Span


class VolrError(Exception):
    """The root of all errors that Volr raises on purpose.

    ``message`` says what is wrong, ``help`` how to get out of it (None where the message does). A
    notebook shows them instead of a traceback.
    """

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return self.message if self.help is None else f"{self.message}\n  = help: {self.help}"

    @property
    def in_program(self) -> bool:
        """Whether the text of the error is that of diagnostics, with places in a program."""
        return False

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: its lines."""
        from volr.display.errors import notebook_lines

        return notebook_lines(self)


class ProgramError(VolrError):
    """A program with one mistake or more; ``diagnostics`` holds them in source order."""

    def __init__(self, source: Source, diagnostics: Sequence[Diagnostic]) -> None:
        self.source = source
        self.diagnostics = tuple(diagnostics)
        super().__init__(render_all(source, self.diagnostics))

    @property
    def in_program(self) -> bool:
        return True

    # An exception is copied, and sent to another process, as what it was made of.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source, self.diagnostics)


class NetworkError(VolrError):
    """A graph whose parts do not fit."""


class ModelError(VolrError):
    """Parameters, neuron model, coding or settings that do not fit the network."""


class ModelFileError(VolrError):
    """A model file that cannot be read or written."""


class DataError(VolrError):
    """A task or data set that is missing, damaged or of the wrong shape."""


class TrainingError(VolrError):
    """Training that cannot start, or that diverged."""


class BackendError(VolrError):
    """Something a back end cannot do."""


class UnsupportedError(BackendError):
    """A back end that lacks a layer, neuron model, activation or coding.

    ``span`` is the part of the program ``source`` that it is about, where there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        help: str | None = None,
        source: Source | None = None,
        span: Span | None = None,
        label: str = "",
    ) -> None:
        super().__init__(message, help=help)
        self.source = source
        self.diagnostic = None if span is None else Diagnostic(span, message, label, help)

    @property
    def in_program(self) -> bool:
        return self.source is not None and self.diagnostic is not None

    def __str__(self) -> str:
        if self.source is None or self.diagnostic is None:
            return super().__str__()
        return self.diagnostic.render(self.source)


class MissingError(BackendError):
    """A package or program that is not installed."""


class SimulatorError(BackendError):
    """A simulator that was started and failed."""
