"""Run by the Python of an environment that has Volr's wheel, and nothing of the checkout.

Standard input is a JSON list of what to do: arguments of `volr`, or statements of Python. Standard
output is a JSON list with the exit code of each and what it printed, on both streams.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import volr
from volr.cli import main


def outcome(each: list[str] | str) -> dict[str, Any]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    code: object = 0
    with redirect_stdout(stream), redirect_stderr(stream):
        try:
            if isinstance(each, str):
                exec(compile(each, "<statements>", "exec"), {"__name__": "__page__"})
            else:
                main(each)
        except SystemExit as ended:
            code = ended.code
        except volr.VolrError as error:
            code = 1
            stream.write(f"{error}\n")
        except Exception:  # noqa: BLE001 - it is a finding of the test
            code = -1
            traceback.print_exc(file=stream)
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return {"code": code or 0, "printed": buffer.getvalue().decode()}


if __name__ == "__main__":
    assert Path(volr.__file__).is_relative_to(sys.prefix), volr.__file__
    json.dump([outcome(each) for each in json.load(sys.stdin)], sys.stdout)
