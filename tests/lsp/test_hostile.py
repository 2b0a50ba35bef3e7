"""Bad requests, bad documents and clients that leave: the server answers, or ends cleanly."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from random import Random
from typing import Any

import pytest

pytest.importorskip("pygls")

from tests.cli.running import PATIENCE, VOLR, environment
from tests.fuzz.mistakes import mistake
from tests.lsp.client import URI, Client, Refused, mistakes, position, range_of
from tests.shaped_programs import random_shaped_program

PLACE = {"line": 0, "character": 0}
METHODS: dict[str, dict[str, Any]] = {
    "hover": {},
    "definition": {},
    "references": {"context": {"includeDeclaration": True}},
    "documentHighlight": {},
    "completion": {},
    "signatureHelp": {},
    "prepareRename": {},
    "rename": {"newName": "other"},
    "documentSymbol": {},
    "semanticTokens/full": {},
    "inlayHint": {"range": {"start": PLACE, "end": {"line": 99, "character": 0}}},
    "codeAction": {
        "range": {"start": PLACE, "end": {"line": 99, "character": 0}},
        "context": {"diagnostics": []},
    },
    "formatting": {"options": {"tabSize": 4, "insertSpaces": True}},
}


def ask_everything(server: Client, line: int, character: int, uri: str) -> list[Any]:
    """The answers; a request may be refused with a reason."""
    found: list[Any] = []
    for method, more in METHODS.items():
        try:
            found.append(server.at(method, line, character, uri, **more))
        except Refused as error:
            assert method == "rename", method
            found.append(error)
    return found


def test_bad_requests_are_refused_one_by_one(server: Client) -> None:
    for method, params, code in [
        ("textDocument/nosuch", {}, -32601),
        ("textDocument/hover", None, -32602),
        ("textDocument/hover", {"textDocument": 3, "position": "here"}, -32602),
        ("textDocument/rename", {"textDocument": {"uri": URI}, "position": PLACE}, -32602),
    ]:
        with pytest.raises(Refused) as caught:
            server.request(method, params)
        assert caught.value.code == code


def test_documents_that_are_not_open(server: Client) -> None:
    server.change({"text": "dense 2 3"}, uri="file:///nowhere")
    server.notify("textDocument/didClose", {"textDocument": {"uri": "file:///nowhere"}})
    assert not any(ask_everything(server, 0, 0, "file:///nowhere"))


def test_places_that_do_not_exist(server: Client) -> None:
    server.open("dense 2 3")
    assert server.diagnostics() == []
    for line, character in [(0, 99), (99, 0), (2**31 - 1, 2**31 - 1)]:
        ask_everything(server, line, character, URI)
    server.change({"range": {"start": PLACE, "end": {"line": 9, "character": 9}}, "text": "x"})
    assert "unknown" in server.diagnostics()[0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"3",
        b"\xff\xfe",
        b'{"jsonrpc": "1.0", "id": 1, "method": "shutdown"}',
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "id": {}, "method": 5}',
        b'{"jsonrpc": "2.0", "id": 99, "result": null}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {}}',
    ],
)
def test_messages_that_are_none(server: Client, body: bytes) -> None:
    server.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    server.open("dense 2 3")
    assert server.diagnostics() == []


def test_headers_that_are_none(server: Client) -> None:
    server.send_bytes(b"nonsense\r\n\r\n" + b"x" * 200_000 + b"\r\nContent-Length: -1\r\n\r\n")
    server.open("dense 2 3")
    assert server.diagnostics() == []


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "dense 2 3" + ")" * 5_000,
        "let a = " * 2_000,
        " ⦶ ".join(["dense 2 2"] * 3_000),
        "[" * 3_000,
        "x" * 50_000,
        "repeat 9999999999999999999 (dense 2 2)",
        "\ufeffdense 2 3\r\n",
        "dense 2 3 // \ud800\udc00 \ud83d",
        "\x00\x1b[2J",
    ],
    ids=["parentheses", "lets", "long", "shapes", "name", "large", "mark", "surrogates", "signs"],
)
def test_hostile_documents(server: Client, text: str) -> None:
    server.open(text)
    server.diagnostics()
    ask_everything(server, 0, min(len(text), 8), URI)


PIECES = [
    *("dense 2 3", "conv _ 4 3 pad:1", " ⦶ ", ">>", "let n = 4 in ", "n", "_", "(", ")", "[", "]"),
    *("/*", "*/", "//", "\n", "\r\n", "\r", " ", "🧠", "é", "\u2028", "\x0b", "\x0c", "\x85", "'"),
    *("\ud83d", "=", "|", "4"),
]


@pytest.mark.parametrize("seed", range(4))
def test_the_text_stays_in_step_with_the_editors(server: Client, seed: int) -> None:
    """Random changes, several in a message, and everything asked in between."""
    random = Random(seed)
    text = random_shaped_program(random, depth=3).text
    server.open(text)
    for _ in range(12):
        changes: list[dict[str, Any]] = []
        for _ in range(random.randint(1, 4)):
            if random.random() < 0.05:
                text = random_shaped_program(random, depth=3).text
                changes.append({"text": text})
                continue
            # No place is between the two halves of a line break.
            places = [n for n in range(len(text) + 1) if text[n - 1 : n + 1] != "\r\n"]
            start = random.choice(places)
            end = random.choice([n for n in places if start <= n <= start + 6])
            new = random.choice(PIECES)
            changes.append({"range": range_of(text, start, end), "text": new})
            text = text[:start] + new + text[end:]
        server.change(*changes)
        place = position(text, random.randint(0, len(text)))
        ask_everything(server, place["line"], place["character"], URI)
    found = server.diagnostics()
    expected = mistakes(text)
    assert [(each["range"], each["message"].split("\n")[0]) for each in found] == [
        (
            range_of(text, each.span.start, each.span.end),
            f"{each.message}{f' ({each.label})' if each.label else ''}",
        )
        for each in expected[:200]
    ]
    server.change({"text": "dense 2 3\n"})
    assert server.diagnostics() == []


@pytest.mark.parametrize("seed", range(3))
def test_mistaken_programs_have_the_mistakes_of_check(server: Client, seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(10):
        text = mistake(random_shaped_program(random, depth=3).text, random).text
        server.open(text)
        found = [each["range"] for each in server.diagnostics()]
        assert found == [range_of(text, each.span.start, each.span.end) for each in mistakes(text)]


def test_what_is_not_wanted_any_more(server: Client) -> None:
    number = server.ask("textDocument/formatting", {"textDocument": {"uri": URI}, "options": {}})
    server.notify("$/cancelRequest", {"id": number})
    server.notify("$/cancelRequest", {"id": "nothing"})
    server.open("dense 2 3")
    assert server.diagnostics() == []


# How it ends.


def test_the_end_without_shutdown_is_1() -> None:
    with Client() as client:
        client.initialize()
        client.notify("exit")
        assert client.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("greeted", [True, False])
def test_a_client_that_closes_its_pipe(*, greeted: bool) -> None:
    with Client() as client:
        if greeted:
            client.initialize()
            # A check that takes long does not hold up the end.
            client.open(" ⦶ ".join(["dense 2 2"] * 20_000))
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert client.process.wait(PATIENCE) == 1
        assert b"Traceback" not in client.errors


def test_a_client_that_reads_no_more() -> None:
    process = subprocess.Popen(
        [*VOLR, "lsp", "--stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}'
    process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    process.stdin.flush()
    assert process.wait(PATIENCE) == 1
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.stdin.close()


def test_ctrl_c() -> None:
    with Client() as client:
        client.initialize()
        client.process.send_signal(signal.SIGINT)
        assert client.process.wait(PATIENCE) == 130
        client.take()
    assert client.errors == b"interrupted\n"


def test_a_person_is_told_what_it_waits_for() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*VOLR, "lsp"],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stderr is not None
    assert b"an editor" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    process.stderr.close()
    os.close(ours)
    os.close(theirs)
