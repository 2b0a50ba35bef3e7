"""Simulators in processes of their own, with kernels that change what they built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from volr.backends.processes import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from volr.backends.messages import Arrays, Request

_HERE = Path(__file__).resolve().parents[3]


class MutatingPool(WorkerPool):
    """A pool whose kernel is a module of this package, which is told the ``mutations``.

    Each has the population or the projection to change, where the kernel wants to know.
    """

    mutations: Mapping[str, str]

    def __init__(self, module: str, name: str) -> None:
        path = f"{_HERE / 'src'}:{_HERE}"
        self.mutations = {}
        super().__init__(f"tests.verification.mutants.{module}", name, 1, {"PYTHONPATH": path})

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Arrays]]:
        marked = (
            (arrays, {**settings, "mutations": dict(self.mutations)})
            for arrays, settings in requests
        )
        return super().run(marked)


def mutating(simulator: Any, module: str) -> MutatingPool:
    """Give a started simulator a pool whose kernel mutates; the one that it had is closed."""
    simulator._pool.close()
    pool = MutatingPool(module, cast("str", simulator._pool.name))
    simulator._pool = pool
    return pool
