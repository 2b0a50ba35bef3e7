"""Progress is drawn on terminals, and on nothing else."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import piped, terminal

from volr.cli import progress

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from volr.experiments.run_progress import RunProgress

TRAIN = ("train", "xor.volr", "--task", "xor", "--out", "m", "--epochs", "300")
HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"


@pytest.mark.usefixtures("folder")
def test_a_bar_is_drawn_on_a_terminal_and_gone_in_the_end() -> None:
    pytest.importorskip("torch")
    with terminal(*TRAIN) as shown:
        assert shown.wait() == 0
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.shown)
    assert "loading xor" in drawn
    assert re.search(r"training .*\d+/300 .*accuracy [01]\.\d{4}", drawn)
    assert (shown.shown.count(HIDDEN), shown.shown.count(SHOWN)) == (1, 1)
    # It is erased before the notes are written.
    assert shown.shown.index(SHOWN) < shown.shown.index("wrote m")
    lines = drawn.replace("\r", "\n").splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("forced", [False, True])
def test_no_bar_in_a_pipe(model: Path, forced: bool) -> None:
    arguments = ("evaluate", model, "--task", "xor", "--on", "reference")
    result = piped(*arguments, FORCE_COLOR="1") if forced else piped(*arguments)
    assert result.code == 0
    assert result.err == ""
    assert ("\x1b" in result.out) == forced


def test_no_bar_on_a_terminal_that_cannot_draw_one(model: Path) -> None:
    arguments = ("evaluate", model, "--task", "xor", "--on", "reference")
    with terminal(*arguments) as shown:
        assert shown.wait() == 0
        assert "loading" in shown.shown
    with terminal(*arguments, TERM="dumb") as shown:
        assert shown.wait() == 0
        assert shown.shown == ""


def test_what_takes_long_without_stages_says_what_it_is(folder: Path) -> None:
    (folder / "long.volr").write_text(" ⦶ ".join(["dense 2 2"] * 40_000), encoding="utf-8")
    with terminal("check", "long.volr") as shown:
        shown.wait_for("checking")
        assert shown.wait() == 0
    assert SHOWN in shown.shown


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages that a bar was told, with a terminal taken for granted."""
    stages: list[str] = []

    @contextmanager
    def bar() -> Generator[RunProgress]:
        yield lambda stage, done, total, detail="": stages.append(stage)  # noqa: ARG005
        stages.append("gone")

    monkeypatch.setattr(progress, "animated", lambda: True)
    monkeypatch.setattr(progress, "progress_bar", bar)
    return stages


def test_patience_shows_nothing_where_it_is_quick(told: list[str]) -> None:
    # The engine's threads may be there, if it has been used before.
    before = threading.active_count()
    with progress.patience("checking"):
        pass
    assert told == []
    assert threading.active_count() == before


def test_patience_ends_with_its_block_whatever_ends_it(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    before = threading.active_count()

    def interrupted() -> None:
        with progress.patience("checking"):
            while not told:
                pass
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert told == ["checking", "gone"]
    assert threading.active_count() == before
