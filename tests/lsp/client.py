"""An editor as the server sees it: messages over the pipes of a process, and documents.

It knows nothing of pygls, and counts UTF-16 in its own way.
"""

from __future__ import annotations

import itertools
import json
import queue
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from tests.cli.running import PATIENCE, VOLR, environment

from volr.errors import ProgramError
from volr.language import check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from volr.source import Diagnostic

URI = "file:///somewhere/net.volr"
CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True},
        "completion": {"completionItem": {"snippetSupport": True}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
    },
    "workspace": {"inlayHint": {"refreshSupport": True}},
}


class Refused(Exception):  # noqa: N818
    """The server's answer to a request is an error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """A process `volr lsp`, and the messages that it sends."""

    def __init__(self, *command: str | Path, cwd: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [*map(str, command or (*VOLR, "lsp"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=cwd,
            # What runs in a shell's background ignores Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        assert self.process.stdin is not None
        self._in = self.process.stdin
        self._numbers = itertools.count(1)
        self._incoming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: dict[object, dict[str, Any]] = {}
        self.notices: list[dict[str, Any]] = []
        self.capabilities: dict[str, Any] = {}
        self.errors = b""
        self.version = 0
        self._threads = [threading.Thread(target=each) for each in (self._read, self._drain)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        with suppress(BrokenPipeError):
            self._in.close()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    # Messages.

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while line := stream.readline():
            found = re.fullmatch(rb"Content-Length: (\d+)\r\n", line)
            if not found:
                continue
            while stream.readline() != b"\r\n":
                pass
            self._incoming.put(json.loads(stream.read(int(found[1]))))
        self._incoming.put(None)

    def _drain(self) -> None:
        assert self.process.stderr is not None
        while piece := self.process.stderr.readline():
            self.errors += piece

    def send_bytes(self, data: bytes) -> None:
        self._in.write(data)
        self._in.flush()

    def send(self, message: object) -> None:
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def notify(self, method: str, params: object = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: object = None) -> int:
        """Send a request, and return its number."""
        number = next(self._numbers)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def take(self, timeout: float = PATIENCE) -> dict[str, Any] | None:
        """The next message of the server's; None at the end. Its requests are answered."""
        message = self._incoming.get(timeout=timeout)
        if message is None:
            return None
        if "method" in message and "id" in message:
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            self.notices.append(message)
        elif "method" in message:
            self.notices.append(message)
        else:
            self._answers[message["id"]] = message
        return message

    def answer(self, number: object) -> Any:
        """The result of a request. Raises ``Refused``."""
        while number not in self._answers:
            assert self.take() is not None, f"the server ended: {self.errors.decode()}"
        message = self._answers.pop(number)
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    def request(self, method: str, params: object = None) -> Any:
        return self.answer(self.ask(method, params))

    # Sessions.

    def initialize(self, capabilities: object = CAPABILITIES, **options: object) -> Any:
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": capabilities,
            "initializationOptions": options,
        }
        result = self.request("initialize", params)
        self.capabilities = result["capabilities"]
        self.notify("initialized", {})
        return result

    def end(self) -> int:
        """Shut the server down, and return its exit code."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(PATIENCE)

    # Documents.

    def open(self, text: str, uri: str = URI) -> None:
        version = self.version = next(self._numbers)
        item = {"uri": uri, "languageId": "volr", "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, *changes: object, uri: str = URI) -> None:
        version = self.version = next(self._numbers)
        document = {"uri": uri, "version": version}
        params = {"textDocument": document, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", params)

    def diagnostics(self, uri: str = URI) -> list[dict[str, Any]]:
        """Those that the server sends of the text that was opened or changed last."""
        version = self.version
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for message in self.notices:
                if message["method"] == "textDocument/publishDiagnostics":
                    params = message["params"]
                    if params["uri"] == uri and params.get("version") == version:
                        self.notices.remove(message)
                        return params["diagnostics"]
            assert self.take() is not None, self.errors.decode()
        raise AssertionError("no diagnostics were sent")

    def at(self, method: str, line: int, character: int, uri: str = URI, **more: object) -> Any:
        """Ask something of a place."""
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": position, **more}
        return self.request(f"textDocument/{method}", params)

    def of(self, method: str, uri: str = URI, **more: object) -> Any:
        """Ask something of a document."""
        return self.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, **more})


def position(text: str, offset: int) -> dict[str, int]:
    """A place in a text as UTF-16 counts it, by way of the bytes."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    line = before.rpartition("\n")[2]
    units = len(line.encode("utf-16-le", "surrogatepass")) // 2
    return {"line": before.count("\n"), "character": units}


def range_of(text: str, start: int, end: int) -> dict[str, dict[str, int]]:
    return {"start": position(text, start), "end": position(text, end)}


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    """What `volr check` says of a text."""
    try:
        check(text)
    except ProgramError as error:
        return error.diagnostics
    return ()
