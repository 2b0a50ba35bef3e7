"""The log of an editor: one line for each problem."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 500


def log_problems(say: Callable[[str], None]) -> None:
    """Say what pygls logs, a line for each."""
    logger = logging.getLogger("pygls")
    logger.addHandler(_Lines(say))
    logger.propagate = False


class _Lines(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        error = None if record.exc_info is None else record.exc_info[1]
        if isinstance(error, JsonRpcException):
            return  # the client is told
        # Below the first line are tracebacks of bad requests, which say no more.
        message, _, _ = record.getMessage().partition("\n")
        if error is not None:
            message += f": {type(error).__name__}: {error}"
        self._say(message[:_LONGEST])
