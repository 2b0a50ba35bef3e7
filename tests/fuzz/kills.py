"""Kills commands at random moments and goes on with them: `python -m tests.fuzz.kills --count 50`.

A command is started in a folder of its own. At a moment that is drawn, the command or one of the
processes that it has started gets SIGKILL, SIGTERM or SIGINT. Then the same command is given again,
and may be killed again, until it is left alone. What has to hold:

    lost        in the end there is what an undisturbed run leaves, byte for byte but for times
    running     a few seconds after the command has ended, nothing that it started runs
    half        no file is half written, and none of them is taken for a whole one
    left        no folder for temporary things is left that the next one would not remove
    traceback   nothing is said in Python's words
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from volr.system.temporary import remove_abandoned

VOLR = (sys.executable, "-P", "-c", "from volr.cli import main; main()")
TOKEN = "VOLR_FUZZ_KILLS"
"""The variable by which a command's processes are known, wherever they have gone."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 900.0
ENDING = 15.0
"""Seconds in which all must have ended: two looks of half a second, on a machine that is busy."""
TIMES = {"seconds", "started", "command", "earlier", "sha256"}
"""What differs between two runs that do the same, and the hash that is of these as well."""
WORKPLACES = ("volr-run", "volr-futhark", "volr-brian2", "volr-pynn", "volr-onnx")


@dataclass(frozen=True)
class Case:
    """A command, how often it is drawn, and what has to be there before it: see ``_prepare``."""

    arguments: tuple[str, ...]
    weight: int
    results: bool = False


def _words(command: str) -> tuple[str, ...]:
    return tuple(command.split())


CASES = {
    "experiment": Case(
        _words(
            "experiment xor --quick --conditions ann,snn-transferred --repeats 2 --processes 2 "
            "--out out"
        ),
        5,
    ),
    "train": Case(_words("train xor.volr --task xor --epochs 300 --out out.safetensors"), 6),
    "futhark": Case(
        _words("train xor.volr --task xor --epochs 30 --on futhark --out out.safetensors"), 3
    ),
    "search": Case(_words("search xor --trials 3 --processes 2 --out out"), 3),
    "report": Case(_words("report results"), 3, results=True),
}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    said: str
    seconds: float


class Place:
    """A folder for a command, with a cache and temporary files of its own."""

    def __init__(self, base: Path, case: Case, results: Path | None) -> None:
        self.case = case
        self.folder, self.cache, self.temporary = base / "here", base / "cache", base / "tmp"
        for each in (self.folder, self.cache, self.temporary):
            each.mkdir(parents=True)
        (self.folder / "xor.volr").write_text("dense 2 4 ⦶ dense 4 2\n", encoding="utf-8")
        if case.results and results is not None:
            shutil.copytree(results, self.folder / "results")

    def run(self, kill: Kill | None = None) -> Ended:
        """Run the command, and kill what is to be killed; wait for its end."""
        token = f"{os.getpid()}-{time.monotonic_ns()}"
        environment = {
            **os.environ,
            TOKEN: token,
            "XDG_CACHE_HOME": str(self.cache),
            "TMPDIR": str(self.temporary),
        }
        begun = time.monotonic()
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [*VOLR, *self.case.arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
            if kill is not None:
                kill.strike(process, token)
            code = process.wait(PATIENCE)
            seconds = time.monotonic() - begun
            log.seek(0)
            said = log.read().decode(errors="replace")
        end = time.monotonic() + ENDING
        while (left := processes_of(token)) and time.monotonic() < end:
            time.sleep(0.1)
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        if left:
            raise Broken("running", f"{len(left)} processes")
        return Ended(code, said, seconds)

    def found(self) -> dict[str, Any]:
        """What the command has left behind, without what tells the time."""
        found: dict[str, Any] = {}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            if path.is_file() and path.name != ".lock":
                body = path.read_bytes()
                found[name] = timeless(json.loads(body)) if path.suffix == ".json" else body
        return found

    def check_tidy(self) -> None:
        """Raise ``Broken`` for what is half written, or is left for good."""
        if half := [path.name for path in self.folder.rglob(".*.part")]:
            raise Broken("half", ", ".join(half))
        for name in WORKPLACES:
            remove_abandoned(name, self.temporary)
        left = [each.name for each in self.temporary.iterdir()]
        left += [each.name for each in self.cache.rglob("*unfinished*")]
        if left:
            raise Broken("left", ", ".join(left))


class Broken(Exception):  # noqa: N818 (what was found)
    """What did not hold: its name in the list above, and what was seen."""

    def __init__(self, what: str, seen: str) -> None:
        super().__init__(f"{what}: {seen}")
        self.what = what


@dataclass
class Kill:
    """A signal for one process at one moment; ``done`` where it was there to be killed."""

    number: signal.Signals
    moment: float
    child: bool
    chance: random.Random
    done: str = ""

    def strike(self, process: subprocess.Popen[bytes], token: str) -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.moment)
            return
        victims = [each for each in processes_of(token) if each != process.pid]
        victim = self.chance.choice(victims) if self.child and victims else process.pid
        with suppress(ProcessLookupError):
            os.kill(victim, self.number)
            self.done = f"{self.number.name} to {'it' if victim == process.pid else 'a child'}"


def processes_of(token: str) -> list[int]:
    """The processes with this token in their environment that have not ended."""
    wanted = f"{TOKEN}={token}".encode()
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return sorted(found)


def timeless(value: Any) -> Any:
    """JSON without what differs between two runs that do the same."""
    if isinstance(value, dict):
        return {k: timeless(each) for k, each in value.items() if k not in TIMES}
    return [timeless(each) for each in value] if isinstance(value, list) else value


def _check_same(ended: Ended, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """Raise ``Broken`` unless the command went well and left the same files as undisturbed."""
    if ended.code != 0:
        raise Broken("lost", f"exit code {ended.code}: {ended.said[-1500:]}")
    names = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if names:
        raise Broken("lost", f"not the same: {', '.join(names)}")


def disturbed(place: Place, chance: random.Random, duration: float) -> tuple[list[str], Ended]:
    """Kill the command once or several times, and let it come to its end; what was killed."""
    kills: list[str] = []
    while True:
        kill = Kill(
            chance.choice(SIGNALS),
            chance.uniform(0.02, 1.0) * duration,
            chance.random() < 0.5,
            chance,
        )
        ended = place.run(kill)
        kills += [kill.done] if kill.done else []
        if "Traceback" in ended.said:
            raise Broken("traceback", ended.said[-1500:])
        if chance.random() < 0.6:
            break
    ended = place.run()
    if "Traceback" in ended.said:
        raise Broken("traceback", ended.said[-1500:])
    return kills, ended


def say(line: str) -> None:
    """A line, now: it takes long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fuzz(count: int, seed: int, names: list[str]) -> Counter[str]:
    """Kill ``count`` times; what was found."""
    chance, told = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="volr-kills-") as folder:
        base = Path(folder)
        wanted: dict[str, dict[str, Any]] = {}
        durations: dict[str, float] = {}
        results: Path | None = None
        for name in sorted(names, key=lambda each: CASES[each].results):
            if CASES[name].results and results is None:
                continue
            place = Place(base / name, CASES[name], results)
            ended = place.run()
            if ended.code != 0:
                raise SystemExit(f"{name} does not work undisturbed:\n{ended.said}")
            place.check_tidy()
            wanted[name], durations[name] = place.found(), ended.seconds
            if name == "experiment":
                results = place.folder / "out"
            say(f"{name}: {ended.seconds:.1f} s undisturbed")
        drawn = [name for name in wanted for _ in range(CASES[name].weight)]
        number = 0
        while told["kills"] < count:
            number += 1
            name = chance.choice(drawn)
            place = Place(base / f"{number}", CASES[name], results)
            try:
                kills, ended = disturbed(place, chance, durations[name])
                told["kills"] += len(kills)
                told["resumed"] += 1
                told.update(f"{name}: {each}" for each in kills)
                place.check_tidy()
                _check_same(ended, wanted[name], place.found())
            except Broken as broken:
                told[f"BROKEN {broken.what}"] += 1
                say(f"{number} {name} BROKEN {broken}")
            else:
                say(f"{number} {name} as undisturbed after {', '.join(kills) or 'nothing'}")
            shutil.rmtree(base / f"{number}", ignore_errors=True)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill commands, and go on with them.")
    parser.add_argument("--count", type=int, default=50, help="kills (50)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=CASES, help="these commands alone")
    told = parser.parse_args()
    names = told.only or [*CASES]
    if shutil.which("futhark") is None and "futhark" in names:
        names.remove("futhark")
        say("without Futhark's compiler, which is not there")
    found = fuzz(told.count, told.seed, names)
    for what, number in sorted(found.items()):
        say(f"{number:5}  {what}")
    if any(each.startswith("BROKEN") for each in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
