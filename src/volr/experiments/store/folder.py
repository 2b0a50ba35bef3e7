"""The folder of an experiment, which can be interrupted and continued.

    DIR/plan.json           the plan, the versions, and the command
    DIR/runs/KEY.json       each finished run: its spec and its result
    DIR/models/KEY.safetensors    its model
    DIR/results.json        rows and summary of the finished runs of the plan
    DIR/report.html, DIR/figures    the report of `volr report`

A run is finished when both of its files exist. Files are written atomically, first the model, then
the run. So if the process is killed, only the runs in progress are lost, and the same command
continues from there. Both files have a hash, and the run has the hash of its model. If a model was
damaged later, for example by an incomplete copy, its run is made again. A run that is damaged or
under another run's name is refused, with what to do about it. Only one process at a time writes to
a folder. The folder may be a link, but not what is in it: that would write elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from volr.errors import DataError, ModelFileError, VolrError
from volr.experiments.conditions import CONDITIONS
from volr.experiments.plan import key_in, spec_json
from volr.experiments.results import RESULTS, write_json, write_results
from volr.experiments.store.hashed_json import read_hashed, sealed
from volr.experiments.store.plans import commands
from volr.experiments.store.runs import run_from, run_json, spec_entries
from volr.model_files.model_file import check_whole
from volr.system.incoming import check_ordinary, read_whole
from volr.system.storage import check_no_link, failing_as, open_lock, remove_unfinished, write_whole

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from volr.experiments.condition import Condition
    from volr.experiments.plan import Spec
    from volr.experiments.results import Row, Run

PLAN, RUNS, MODELS = "plan.json", "runs", "models"
PAGE, FIGURES = "report.html", "figures"
_LOCK = ".lock"


class Journal:
    """The folder of one experiment. ``open_journal`` makes one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def finished(self, specs: Iterable[Spec]) -> dict[str, Run]:
        """The finished runs of ``specs``, by key; a warning lists those without a hash."""
        found = [
            entry
            for spec in specs
            if (entry := _read_entry(self._run(spec.key))) is not None
            and entry.spec == spec_json(spec)
            and self._has_model(entry)
        ]
        _warn_of_unchecked(found, self.folder)
        return {each.key: each.run for each in found}

    def conflicts(self, specs: Iterable[Spec]) -> list[str]:
        """The keys of finished runs that no table may count together with ``specs``.

        They have the task and the condition of one of these, and differ in more than the seed.
        """
        wanted = {_counted_as(each): _without("seed", each) for each in map(spec_json, specs)}
        return [
            entry.key
            for entry in _read_entries(self.folder)
            if (kept := entry.spec).get("part") == "test"
            and (own := _without("seed", kept)) != wanted.get(_counted_as(kept), own)
        ]

    def is_unplanned(self) -> bool:
        """Whether there are results without a plan or runs, as of an older version."""
        known = [self.folder / name for name in (PLAN, RUNS)]
        others = [self.folder / name for name in (RESULTS, MODELS)]
        return not any(path.exists() for path in known) and any(path.exists() for path in others)

    def model(self, key: str) -> bytes:
        """The file of a finished run's model; ``DataError`` if it cannot be read."""
        path = self.model_path(key)
        with failing_as(DataError, f"cannot read {path}"):
            return read_whole(path, check_ordinary(path))

    def model_path(self, key: str) -> Path:
        return self.folder / MODELS / f"{key}.safetensors"

    def check_place(self, key: str) -> None:
        """Raise ``DataError`` if the files of a run could not be written in the end."""
        for path in (self.model_path(key), self._run(key)):
            if path.is_dir():
                raise DataError(
                    f"cannot write {path}: it is a folder, and a file of that name is to be there",
                    help="move it elsewhere, and the same command goes on",
                )

    def write(self, spec: Spec, run: Run, model: bytes) -> None:
        """Keep a finished run; ``DataError`` if it cannot be written."""
        path = self.model_path(spec.key)
        room = "finished runs stay: make room there, and the same command goes on"
        with failing_as(DataError, f"cannot write {path}", room):
            write_whole(path, model)
        content = {"spec": spec_json(spec), "run": run_json(run), "model": _digest(model)}
        write_json(sealed(content), self._run(spec.key))

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep the plan, and earlier plans under ``earlier``."""
        before = read_plan(self.folder)
        earlier = [_without("earlier", each) for each in commands(before)] if before else []
        content = {**plan, "earlier": earlier} if earlier else plan
        write_json(sealed(content), self.folder / PLAN)

    def write_results(self, rows: Sequence[Row]) -> None:
        """Keep the table."""
        write_results(rows, self.folder)

    def _has_model(self, entry: Entry) -> bool:
        """Whether a run's model exists and is whole; if it is damaged, log a warning."""
        path = self.model_path(entry.key)
        if not path.exists():
            return False
        try:
            if entry.model is None:
                check_whole(path)
            elif _digest(self.model(entry.key)) != entry.model:
                # It may be cut off or damaged. Otherwise it is the model of another run.
                check_whole(path)
                raise ModelFileError(f"{path} is not the model of its run")
        except VolrError as error:
            logging.getLogger("volr").warning("%s; its run is made again", error.message)
            return False
        return True

    def _run(self, key: str) -> Path:
        return self.folder / RUNS / f"{key}.json"


@contextmanager
def open_journal(folder: Path) -> Generator[Journal]:
    """The journal in ``folder``, for one process at a time.

    Raises ``DataError`` if another process has it open, if the folder cannot be made, or if one of
    the folders in it is a link.
    """
    with failing_as(DataError, f"cannot write in {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in (RUNS, MODELS):
            check_no_link(folder / name)
        lock = open_lock(folder / _LOCK)
    # Some network file systems have no locks.
    elsewhere = "name a folder on another file system with --out"
    with lock:
        with failing_as(DataError, f"cannot lock {folder}", elsewhere):
            try:
                # The system releases the lock when the process ends in any way.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataError(
                    f"another process is writing to {folder}",
                    help="wait for it to end, or name another folder with --out",
                ) from error
        with failing_as(DataError, f"cannot write in {folder}"):
            for name in (".", RUNS, MODELS):
                remove_unfinished(folder / name)
        yield Journal(folder)


# Runs are moved last: if a command is killed here, the next one still finds the conflict.
def set_aside(folder: Path, names: Sequence[str] = (MODELS, RESULTS, PLAN, RUNS)) -> Path | None:
    """Move the files of an earlier experiment in ``folder``, and its report, to ``earlier-1`` in
    it, or the first free number. None if there are no files; ``DataError`` if they cannot be moved.
    """
    there = [path for name in names if (path := folder / name).exists()]
    if not there:
        return None
    # A report is made from runs. Without runs, the figures belong to somebody else.
    if folder / RUNS in there:
        there = [*(path for name in (PAGE, FIGURES) if (path := folder / name).exists()), *there]
    try:
        numbered = (folder / f"earlier-{number}" for number in itertools.count(1))
        aside = next(path for path in numbered if not path.exists())
        aside.mkdir()
        for path in there:
            path.rename(aside / path.name)
    except OSError as error:
        raise DataError(f"cannot move the earlier results in {folder}: {error}") from error
    return aside


@dataclass(frozen=True)
class Entry:
    """A finished run: its ``key``, its spec as JSON, its result, and the hash of its model.

    ``checked`` is whether its own hash showed that it is unchanged. Runs of Volr 0.1.0 have neither
    of the two hashes.
    """

    key: str
    spec: Mapping[str, Any]
    run: Run
    model: str | None = None
    checked: bool = True


def read_runs(folder: Path, conditions: Sequence[Condition] = CONDITIONS) -> tuple[Entry, ...]:
    """Every finished run in ``folder`` that was measured on test samples, by name.

    Runs on validation samples belong to a search. A warning lists runs without a hash. Raises
    ``DataError`` if there are no runs, if one is damaged, or if one of ``conditions`` has another
    run's name.
    """
    entries = _read_entries(folder, conditions)
    runs = tuple(each for each in entries if each.spec.get("part", "test") == "test")
    if not runs:
        raise DataError(
            f"there are no finished runs in {folder}",
            help="name the folder that `volr experiment` wrote to (--out)",
        )
    _warn_of_unchecked(runs, folder)
    return runs


def _warn_of_unchecked(entries: Sequence[Entry], folder: Path) -> None:
    """Log a warning with the runs that have no hash, in one line, since there may be many."""
    keys = [each.key for each in entries if not each.checked]
    if not keys:
        return
    shown = ", ".join(f"{key}.json" for key in keys[:3])
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    logging.getLogger("volr").warning(
        "%s: %s%s of Volr 0.1.0, without a hash: whether %s damaged cannot be seen",
        folder / RUNS,
        shown,
        f"{more} is" if len(keys) == 1 else f"{more} are",
        "it was" if len(keys) == 1 else "they were",
    )


def read_plan(folder: Path, name: str = PLAN) -> dict[str, Any]:
    """The plan; empty if there is none."""
    found = read_hashed(folder / name, "remove it: the runs stay, and go on without it")
    return {} if found is None else found[0]


def _digest(model: bytes) -> str:
    return hashlib.sha256(model).hexdigest()


def _counted_as(spec: Mapping[str, Any]) -> tuple[object, ...]:
    """What specs as JSON have in common if a table counts their runs together."""
    settings: Mapping[str, Any] = spec.get("settings", {})
    return spec.get("task"), spec.get("condition"), settings.get("neuron")


def _without(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key != name}


def _read_entries(folder: Path, conditions: Sequence[Condition] = CONDITIONS) -> list[Entry]:
    """All finished runs in a folder, in the order of their names."""
    paths = sorted((folder / RUNS).glob("*.json"))
    found = [_read_entry(path, conditions) for path in paths]
    return [each for each in found if each is not None]


def _read_entry(path: Path, conditions: Sequence[Condition] = CONDITIONS) -> Entry | None:
    """The run in a file; None if there is no such file."""
    found = read_hashed(path, "remove it, and the run is made again")
    if found is None:
        return None
    content, checked = found
    try:
        spec, run = spec_entries(content["spec"]), run_from(content["run"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path} is not what this version of Volr writes of a run",
            help="remove it, and the run is made again; or begin anew with --fresh",
        ) from error
    # A copy under another name would be counted twice.
    if (key := key_in(spec, conditions) or path.stem) != path.stem:
        raise DataError(
            f"{path} is the run {key}, and has another name than {key}.json",
            help=f"remove it if it is a copy, or else call it {key}.json",
        )
    return Entry(path.stem, spec, run, content.get("model"), checked)
