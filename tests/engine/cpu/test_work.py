"""Work on many threads: all of it is done, or none of it is begun any more."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.engine.cpu import work
from volr.engine.cpu.work import ENOUGH, compiled, everywhere, scratch, slices

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[1, 2, 5])
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """So many threads, in a pool of their own."""
    monkeypatch.setattr(work, "cores", lambda: request.param)
    work._pool.cache_clear()
    yield request.param
    work._pool(os.getpid()).shutdown()
    work._pool.cache_clear()


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_all_parts_are_done_and_told_of_in_their_order(workers: int, count: int) -> None:
    done: list[int] = []
    told: list[int] = []
    names: set[str] = set()

    def double(part: int) -> int:
        time.sleep(0.001 * (part % 3))
        names.add(threading.current_thread().name)
        done.append(part)
        return 2 * part

    def tell(part: int) -> None:
        assert part in done
        assert threading.current_thread() is threading.main_thread()
        told.append(part)

    everywhere(double, range(count), tell, size=ENOUGH)
    assert sorted(done) == told == [*range(count)]
    # One part is not worth another thread.
    others = {name for name in names if name.startswith("volr")}
    assert (others == set()) == (workers == 1 or count < 2)
    assert len(names) <= workers


def test_work_goes_on_at_the_same_time(workers: int) -> None:
    # Each part waits for all the others, and would for ever on fewer threads.
    together = threading.Barrier(workers, timeout=20)
    everywhere(lambda _: together.wait(), range(workers), size=ENOUGH)


@pytest.mark.usefixtures("workers")
def test_little_work_wakes_no_thread() -> None:
    names: set[str] = set()
    everywhere(lambda _: names.add(threading.current_thread().name), range(9), size=ENOUGH - 1)
    assert names == {threading.main_thread().name}


@pytest.mark.usefixtures("workers")
def test_the_first_error_is_raised_and_nothing_more_is_begun() -> None:
    begun: list[int] = []
    told: list[int] = []

    def fail(part: int) -> None:
        begun.append(part)
        if part in {3, 4}:
            raise ValueError(f"part {part}")
        time.sleep(0.005)

    with pytest.raises(ValueError, match="part 3"):
        everywhere(fail, range(1000), told.append, size=ENOUGH)
    assert told == [0, 1, 2]
    so_many = len(begun)
    assert so_many < 100
    time.sleep(0.05)
    assert len(begun) == so_many
    # What failed once does not spoil what comes after.
    everywhere(told.append, range(10, 20), size=ENOUGH)
    assert sorted(told[3:]) == [*range(10, 20)]


def test_an_interruption_cancels_what_has_not_begun(workers: int) -> None:
    running: list[int] = []
    ended: list[int] = []

    def slow(part: int) -> None:
        running.append(part)
        time.sleep(0.005)
        ended.append(part)

    def interrupt(part: int) -> None:
        if part == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        everywhere(slow, range(1000), interrupt, size=ENOUGH)
    # What had begun was waited for.
    assert sorted(running) == sorted(ended)
    assert len(ended) < 100
    assert workers <= len(ended) + 1


def test_scratch_is_each_threads_own_and_grows() -> None:
    first = scratch(10, np.dtype(np.float32), "a")
    assert (first.shape, first.dtype) == ((10,), np.float32)
    assert np.shares_memory(first, scratch(7, np.dtype(np.float32), "a"))
    assert not np.shares_memory(first, scratch(10, np.dtype(np.float64), "a"))
    assert not np.shares_memory(first, scratch(10, np.dtype(np.float32), "b"))
    assert scratch(5000, np.dtype(np.float32), "a").shape == (5000,)
    others: list[bool] = []
    mine = scratch(10, np.dtype(np.float32), "a")

    def look() -> None:
        others.append(np.shares_memory(mine, scratch(10, np.dtype(np.float32), "a")))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert others == [False]


@pytest.mark.parametrize(("count", "size"), [(0, 4), (1, 4), (4, 4), (9, 4), (7, 1)])
def test_slices_cover_everything_once(count: int, size: int) -> None:
    cut = slices(count, size)
    assert [i for first, last in cut for i in range(first, last)] == [*range(count)]
    assert all(last - first == size for first, last in cut[:-1])


def test_kernels_are_warmed_up_once_however_many_ask() -> None:
    key, runs = object(), list[int]()

    def warm_up() -> None:
        time.sleep(0.02)
        runs.append(1)

    asking = [threading.Thread(target=compiled, args=(key, warm_up)) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    compiled(key, warm_up)
    assert len(runs) == 1


def test_a_warm_up_that_failed_is_tried_again() -> None:
    key, tries = object(), list[int]()

    def warm_up() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise MemoryError

    with pytest.raises(MemoryError):
        compiled(key, warm_up)
    compiled(key, warm_up)
    assert len(tries) == 2


def test_a_long_compilation_is_announced_and_a_short_one_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(work, "PATIENCE", 0.1)
    with caplog.at_level(logging.INFO, logger="volr"):
        compiled(object(), lambda: None)
        assert caplog.messages == []
        compiled(object(), lambda: time.sleep(0.5))
    assert len(caplog.messages) == 1
    assert "compiling the engine" in caplog.messages[0]


FORK = """
import os, sys
import numpy as np
from tests.engine.examples import SKIP, spiking_model
from volr.engine.cpu import work
from volr.engine.cpu import buffers
from volr.engine.simulation import ready, simulate

work.ENOUGH = buffers._SLICE_VALUES = 0
model = ready(spiking_model("delta", SKIP))
stimuli = np.random.default_rng(0).random((100, 15))
before = simulate(model, stimuli).totals["last"]
assert before.any() and work._pool.cache_info().currsize == (work.cores() > 1)
child = os.fork()
after = simulate(model, stimuli).totals["last"]
os.write(1, b"same\\n" if (after == before).all() else b"other\\n")
if child == 0:
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    pytest.importorskip("numba")
    script = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
    found = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stdout) == (0, "same\nsame\n"), found.stderr
