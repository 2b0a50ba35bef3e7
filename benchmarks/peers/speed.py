"""The engines beside each other: the same spikes first, then time and memory."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from peers.catalogue import DENSE, PEERS, VOLR
from peers.dynamics import compare, respond
from peers.memory import peak
from peers.tables import Cell, Row, say, show
from peers.timing import Task, medians
from peers.workloads import DECAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from peers.catalogue import Entry
    from peers.dynamics import Agreement
    from peers.workloads import Workload

_PEERS = {each.name for each in PEERS}


def check(entries: Sequence[Entry], workloads: Sequence[Workload], device: str) -> list[Row]:
    """Each engine's spikes beside the oracle's (``peers.dynamics``), layer by layer."""
    rows: list[Row] = []
    summary: list[dict[str, Cell]] = []
    for workload in workloads:
        say(f"comparing spikes: {workload}, density {workload.density:g}, {device}")
        weights, spikes = workload.weights(), workload.spikes()
        expected: dict[int, list[NDArray[np.bool_]]] = {}
        common: dict[str, Cell] = {"network": f"{workload}", "input": workload.density}
        summary.append(dict(common))
        for entry in entries:
            engine = entry.build(weights, DECAY, device)
            given = engine.prepare(spikes)
            layers = engine.spikes(given)
            if layers is None:
                continue
            counts = engine.forward(given).cpu().numpy()
            if not np.array_equal(counts, layers[-1].sum(axis=0)):
                raise AssertionError(f"{entry.name}: what is timed is not what is compared")
            if engine.latency not in expected:
                expected[engine.latency] = respond(weights, DECAY, spikes, engine.latency)
            found = compare(
                weights, DECAY, spikes, layers, expected[engine.latency], engine.latency
            )
            rows += [{**common, "engine": entry.name, **asdict(each)} for each in found]
            summary[-1] |= {f"layer {each.layer}": each.density for each in found}
            summary[-1][entry.name] = _verdict(found)
    depth = max(len(workload.sizes) for workload in workloads)
    show(
        f"Spikes compared with a NumPy program in float64 ({device}), the density of each layer",
        summary,
        {"network": "", "input": ".2f"}
        | {f"layer {number}": ".3f" for number in range(1, depth)}
        | {entry.name: "" for entry in entries if entry != DENSE},
    )
    for entry in entries:
        note = entry.build(workloads[0].weights(), DECAY).note
        if note:
            print(f"{entry.name}: {note}")
    return rows


def _verdict(found: Sequence[Agreement]) -> str:
    differing = sum(each.differing for each in found)
    if not differing:
        return "same"
    of = f"{differing:,} of {sum(each.spikes for each in found):,}"
    if any(each.wrong for each in found):
        return f"{of} differ"
    ties = sum(each.ties for each in found)
    return f"{of} after {ties} tie{'' if ties == 1 else 's'}"


def unlike(rows: Iterable[Row]) -> set[str]:
    """The engines that some row of ``check`` finds to be wrong, ties apart."""
    return {str(row["engine"]) for row in rows if row["wrong"]}


def compete(
    entries: Sequence[Entry],
    workload: Workload,
    rounds: int,
    wrong: set[str],
    device: str,
    **turn: int,
) -> list[Row]:
    """Time a forward pass and a training step of each engine, in turns; ``turn`` as ``medians``."""
    say(f"timing: {workload}, density {workload.density:g}, {device}")
    weights, spikes = workload.weights(), workload.spikes()
    wanted = torch.full((workload.batch, workload.sizes[-1]), 3.0, device=device)
    tasks: dict[str, Task] = {}
    for entry in entries:
        engine = entry.build(weights, DECAY, device)
        given = engine.prepare(spikes)
        forward, step = partial(engine.forward, given), partial(engine.step, given, wanted)
        tasks[f"forward {entry.name}"] = Task(_whole(forward, device))
        tasks[f"step {entry.name}"] = Task(_whole(step, device), engine.forget)
    timed = medians(tasks, rounds, **turn)
    seconds = timed.seconds
    rows: list[Row] = []
    for entry in entries:
        row: dict[str, Cell] = {
            "network": f"{workload}",
            "input": workload.density,
            "device": device,
            "others": timed.others,
            "engine": entry.name + (" (other spikes)" if entry.name in wrong else ""),
        }
        for what in ("forward", "step"):
            own = seconds[f"{what} {entry.name}"]
            others = [seconds[f"{what} {e.name}"] for e in entries if e.name in _PEERS]
            row[f"{what} ms"] = own * 1000.0
            row[f"{what} × peer"] = min(others) / own if others else None
            row[f"{what} × dense"] = seconds[f"{what} {DENSE.name}"] / own
        rows.append(row)
    formats = {"engine": ""}
    for what in ("forward", "step"):
        formats |= {f"{what} ms": ".1f", f"{what} × peer": ".2f", f"{what} × dense": ".2f"}
    show(
        f"{workload}, input density {workload.density:g}, {device}; others had "
        f"{timed.others:.0%} of the processors",
        rows,
        formats,
    )
    return rows


def occupy(
    entries: Sequence[Entry], workloads: Iterable[Workload], passes: Sequence[str]
) -> list[Row]:
    """Peak memory of each engine in some ``passes``, each in a process of its own."""
    rows: list[Row] = []
    for workload in workloads:
        for entry in entries:
            if entry == DENSE:
                continue
            say(f"memory: {entry.name}, {workload}")
            rows.append(
                {
                    "network": f"{workload}",
                    "input": workload.density,
                    "engine": entry.name,
                    **{f"{w} MiB": peak(entry.name, w, workload) for w in passes},
                }
            )
    show(
        "Peak memory beyond weights and input",
        rows,
        {"network": "", "engine": ""} | {f"{each} MiB": ".1f" for each in passes},
    )
    return rows


def grow(workloads: Iterable[tuple[str, float, Workload]], rounds: int) -> list[Row]:
    """Volr's own cost as one thing grows: name and amount of it, and the workload."""
    rows: list[Row] = []
    for what, amount, workload in workloads:
        say(f"the curve: {what} {amount:,.0f}")
        engine = VOLR.build(workload.weights(), DECAY)
        spikes = workload.spikes()
        wanted = torch.zeros(workload.batch, workload.sizes[-1])
        timed = medians(
            {
                "forward": Task(partial(engine.forward, spikes)),
                "step": Task(partial(engine.step, spikes, wanted), engine.forget),
            },
            rounds,
        )
        rows.append(
            {
                "what": what,
                "number": amount,
                "synapses": workload.synapses,
                "forward ms": timed.seconds["forward"] * 1e3,
                "µs each": timed.seconds["forward"] / amount * 1e6,
                "step ms": timed.seconds["step"] * 1e3,
                "µs each (step)": timed.seconds["step"] / amount * 1e6,
            }
        )
    show(
        "Volr's cost as one thing grows, all else as in the base",
        rows,
        {
            "what": "",
            "number": ",.0f",
            "synapses": ",",
            "forward ms": ".2f",
            "µs each": ".3f",
            "step ms": ".2f",
            "µs each (step)": ".3f",
        },
    )
    return rows


def _whole(run: Callable[[], object], device: str) -> Callable[[], object]:
    """A GPU works behind our back: wait for it."""
    return run if device == "cpu" else partial(_wait_for, run)


def _wait_for(run: Callable[[], object]) -> None:
    run()
    torch.cuda.synchronize()
