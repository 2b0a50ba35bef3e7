"""A program of 2,000 lines: answers do not wait until it is checked.

`volr check` of the same file is what a user would otherwise wait for. Both are measured on this
machine, so the ratio says the same on a slow or busy one.
"""

from __future__ import annotations

import subprocess
import time
from statistics import median
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pygls")

from tests.cli.running import VOLR
from tests.lsp.client import URI, Client, range_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINES = 2_000
SHARE = 0.2
PROGRAM = "".join(
    [
        "let n = 10 in\nlet block c = conv _ c 3 pad:1 ⦶ conv _ c 3 pad:1 in\n",
        "conv [1 28 28] 8 3 pad:1\n",
        *(
            f"⦶ conv _ {8 + i % 5} 3 pad:1 // layer {i}\n" if i % 3 else f"⦶ block {8 + i % 7}\n"
            for i in range(LINES - 4)
        ),
        "⦶ dense _ n\n",
    ]
)
QUESTIONS: dict[str, Callable[[Client, int], object]] = {
    "hover": lambda client, line: client.at("hover", line, 7),
    "completion": lambda client, line: client.at("completion", line, 2),
    "signatureHelp": lambda client, line: client.at("signatureHelp", line, 9),
    "definition": lambda client, line: client.at("definition", line, 3),
    "inlayHint": lambda client, line: client.of(
        "inlayHint",
        range={
            "start": {"line": line, "character": 0},
            "end": {"line": line + 60, "character": 0},
        },
    ),
    "codeAction": lambda client, line: client.of(
        "codeAction",
        range={
            "start": {"line": line, "character": 0},
            "end": {"line": line, "character": 9},
        },
        context={"diagnostics": []},
    ),
}


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@pytest.fixture(scope="module")
def of_check(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long `volr check` takes."""
    assert PROGRAM.count("\n") == LINES
    path: Path = tmp_path_factory.mktemp("long") / "long.volr"
    path.write_text(PROGRAM, encoding="utf-8")
    command = [*VOLR, "check", str(path)]
    return min(
        seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(2)
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_do_not_wait_for_the_check(server: Client, of_check: float, question: str) -> None:
    ask = QUESTIONS[question]
    server.open(PROGRAM)
    assert server.diagnostics() == []
    expected = ask(server, 900)
    assert seconds(lambda: ask(server, 901)) < SHARE * of_check
    taken: list[float] = []
    for number in range(5):
        # A change in the first line moves nothing and changes no type, so the answer is known.
        server.change({"range": range_of(PROGRAM, 8 + number, 8 + number), "text": " "})
        taken.append(seconds(lambda: ask(server, 900)))
        assert ask(server, 900) == expected
    assert server.diagnostics() == []
    assert median(taken) < SHARE * of_check, (taken, of_check)


def test_mistakes_are_shown_before_check_would_show_them(server: Client, of_check: float) -> None:
    server.open(PROGRAM)
    assert server.diagnostics() == []
    changed = PROGRAM.index("⦶ conv _ 9 3")
    place = range_of(PROGRAM, changed + 2, changed + 6)

    def change() -> None:
        server.change({"range": place, "text": "cnov"})
        assert [each["range"] for each in server.diagnostics()] == [place]

    assert seconds(change) < of_check


def test_hints_of_an_old_check_are_asked_for_again(server: Client) -> None:
    server.open(PROGRAM)
    server.diagnostics()
    server.notices.clear()
    first = PROGRAM.index("block 8\n") + len("block ")
    server.change({"range": range_of(PROGRAM, first, first + 1), "text": "16"})
    line = {"start": {"line": 4, "character": 0}, "end": {"line": 4, "character": 20}}
    (old,) = server.of("inlayHint", range=line)
    server.diagnostics()
    (new,) = server.of("inlayHint", range=line)
    assert (old["label"], new["label"]) == ("[8 28 28]", "[16 28 28]")
    assert "workspace/inlayHint/refresh" in [each["method"] for each in server.notices]
    assert server.at("hover", 0, 4, URI)["contents"]["value"] == "```volr\nlet n : int = 10\n```"
