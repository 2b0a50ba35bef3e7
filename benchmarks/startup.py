"""How long `import volr` and `volr check` take: medians over interleaved fresh interpreters."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    volr = str(Path(sys.executable).with_name("volr"))
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "xor.volr"
        program.write_text("dense 2 4 ⦶ dense 4 2\n", encoding="utf-8")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import volr": [sys.executable, "-c", "import volr"],
            "volr --version": [volr, "--version"],
            "volr check xor.volr": [volr, "check", str(program)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    for name, each in times.items():
        print(f"{name:<22} {statistics.median(each) * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
