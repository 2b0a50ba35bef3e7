"""Messages in and out of two streams, and how the server ends.

pygls could read the streams itself. But its reader is a thread that the end of the process waits
for, which hangs after Ctrl-C; it ends with the exit code 0 in any case; it gives no answer to a
request that it cannot read; and it may begin to answer after it has read the next message.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, cast

from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcParseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pygls.lsp.server import LanguageServer

_PIECE = 1 << 16
_LENGTH = re.compile(rb"Content-Length:\s*(\d{1,12})\s*", re.IGNORECASE)
_PAUSE = 2.0
"""Seconds without a message until garbage is collected."""
_MOST_OBJECTS = 5_000_000
"""After so many new objects garbage is collected in any case."""
MOST_BYTES = 1 << 28
"""A message of more bytes is not read."""


def serve(server: LanguageServer, incoming: IO[bytes], outgoing: IO[bytes]) -> int:
    """Answer messages until the client leaves, and return the exit code.

    It is 0 if the client asked for the end or closed its end of the pipes after ``shutdown``, and
    1 otherwise.
    """
    try:
        return asyncio.run(_serve(server, incoming, outgoing))
    except SystemExit as end:  # how pygls ends after the message `exit`
        return end.code if isinstance(end.code, int) else 1


async def _serve(server: LanguageServer, incoming: IO[bytes], outgoing: IO[bytes]) -> int:
    stream = asyncio.StreamReader(limit=_PIECE)
    server.protocol.set_writer(_Writer(outgoing, stream))
    _read_in_thread(incoming, stream)
    protocol: Any = server.protocol
    idle = _Idle()
    while (body := await _body(stream)) is not None:
        idle.begin()
        _handle(protocol, body)
        # What answers this message begins before the next one is read: it may change the text.
        await asyncio.sleep(0)
    return 0 if getattr(protocol, "_shutdown", False) else 1


def _handle(protocol: Any, body: bytes) -> None:
    """Give a message to pygls. The sender of one that cannot be read is told so."""
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        _refuse(protocol, None, JsonRpcParseError.of(error))
        return
    if not isinstance(message, dict) or cast("Any", message).get("jsonrpc") != "2.0":
        _refuse(protocol, None, JsonRpcInvalidRequest("this is no message of JSON-RPC 2.0"))
        return
    try:
        structured = protocol.structure_message(message)
    except (JsonRpcException, RecursionError) as error:
        if "id" in message and "method" in message:
            known = error if isinstance(error, JsonRpcException) else JsonRpcInvalidRequest()
            _refuse(protocol, cast("Any", message)["id"], known)
        return
    with suppress(Exception):  # pygls has logged it
        protocol.handle_message(structured)


def _refuse(protocol: Any, number: Any, error: JsonRpcException) -> None:
    data = error.to_response_error()
    protocol.writer.write_json(
        {
            "jsonrpc": "2.0",
            "id": number if isinstance(number, int | str) else None,
            "error": {"code": data.code, "message": data.message},
        }
    )


async def _body(stream: asyncio.StreamReader) -> bytes | None:
    """The body of the next message; None at the end, or where no message can be made out."""
    length: int | None = None
    while True:
        try:
            header = await stream.readline()
        except ValueError:
            continue  # a line without end, of which a piece was dropped
        if not header:
            return None
        if (found := _LENGTH.fullmatch(header)) is not None:
            length = int(found[1])
        elif not header.strip() and length is not None:
            break
    if length > MOST_BYTES:
        return None
    try:
        return await stream.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


def _read_in_thread(incoming: IO[bytes], stream: asyncio.StreamReader) -> None:
    """Feed the stream. The end of the process does not wait for this thread."""
    loop = asyncio.get_running_loop()
    descriptor = incoming.fileno()

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed
            try:
                while piece := os.read(descriptor, _PIECE):
                    loop.call_soon_threadsafe(stream.feed_data, piece)
            except OSError:
                pass
            loop.call_soon_threadsafe(stream.feed_eof)

    threading.Thread(target=read, daemon=True).start()


class _Idle:
    """Python's garbage collector, which runs while nobody waits for an answer.

    It visits all trees of all documents, and that takes longer than most answers do.
    """

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()  # the modules stay
        gc.disable()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """A message has come: wait for the next pause."""
        if self._timer is not None:
            self._timer.cancel()
        if gc.get_count()[0] > _MOST_OBJECTS:
            gc.collect()
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, gc.collect)


class _Writer:
    """Where pygls writes. If nobody reads any more, the server comes to its end."""

    def __init__(self, outgoing: IO[bytes], stream: asyncio.StreamReader) -> None:
        self._outgoing = outgoing
        self._stream = stream
        self._closed = False

    def write(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            self._outgoing.write(data)
            self._outgoing.flush()
        except (OSError, ValueError):
            self._closed = True
            self._stream.feed_eof()

    def write_json(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def close(self) -> None:
        """pygls calls this before it ends. The stream is the caller's."""
