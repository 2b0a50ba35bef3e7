"""Started simulators, for one run after another."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from volr.backends import simulator

if TYPE_CHECKING:
    from volr.backends.base import Simulator


class Simulators:
    """Simulators by name, each started once and then kept: a context manager.

    Starting one is slow, and one run after another needs them.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._started: dict[str, Simulator] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._started.clear()
        self._stack.close()

    def __getitem__(self, name: str) -> Simulator:
        """The simulator of that name; raises as ``volr.backends.simulator`` does."""
        if name not in self._started:
            self._started[name] = self._stack.enter_context(simulator(name))
        return self._started[name]
