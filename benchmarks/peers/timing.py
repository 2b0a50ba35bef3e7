"""How long each engine takes: all in one run, in turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Task:
    """What is timed, and what puts things in order afterwards, which is not."""

    run: Callable[[], object]
    after: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Timed:
    """Seconds of each task, and what share of the processors others had meanwhile."""

    seconds: dict[str, float]
    others: float


def medians(
    tasks: Mapping[str, Task], rounds: int, warm_up: int = 1, *, first: int = 5, timed: int = 5
) -> Timed:
    """Seconds of each task, the median over ``rounds``; each round begins with another task.

    In its turn a task runs ``first`` times that do not count and ``timed`` times that do, as in a
    loop of training: the first ones have to find their data in memory again, and a core on which
    threads of PyTorch's still wait, busily, for work of the engine before. Nor do the first
    ``warm_up`` rounds count.
    """
    names = list(tasks)
    times: dict[str, list[float]] = {name: [] for name in names}
    begin = _usage()
    for turn in range(warm_up + rounds):
        begins = turn % len(names)
        for name in names[begins:] + names[:begins]:
            gc.collect()
            for _ in range(first):
                tasks[name].run()
                tasks[name].after()
            for _ in range(timed):
                started = time.perf_counter()
                tasks[name].run()
                times[name].append(time.perf_counter() - started)
                tasks[name].after()
    end = _usage()
    passed, all_, own = (after - before for after, before in zip(end, begin, strict=True))
    seconds = {name: statistics.median(each[timed * warm_up :]) for name, each in times.items()}
    return Timed(seconds, max(0.0, all_ - own) / passed)


def _usage() -> tuple[float, float, float]:
    """Seconds that there were, that all processes had, and that this one and its children had."""
    ticks = os.sysconf("SC_CLK_TCK")
    lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    cores = sum(line.startswith("cpu") for line in lines) - 1
    user, nice, system, _, _, interrupts, soft, stolen, *_ = map(int, lines[0].split()[1:])
    busy = (user + nice + system + interrupts + soft + stolen) / ticks
    times = os.times()
    # Worker processes count as others until they end: NEST's do, in `peers.evaluation`.
    own = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter() * cores, busy, own
