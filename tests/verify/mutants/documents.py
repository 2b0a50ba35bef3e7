"""Written documents, changed as a text editor or the library of their format would change them."""

from __future__ import annotations

import ast
import importlib
import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.verify.mutants import NotPlantedError
from tests.verify.mutants.engine import OTHERWISE

from volr.backends import document
from volr.backends.brian2.script import BRIAN2_SCRIPT
from volr.backends.nir import NIR
from volr.backends.pynn import PYNN
from volr.backends.pynn.translation import CELLS, SOLUTIONS
from volr.models.model import SpikingModel
from volr.models.neurons import IFCondExp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.verify.mutants import Read

    from volr.backends.base import Files
    from volr.backends.readback import Readback
    from volr.models.model import Model


def _one_more(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    changed = values.copy()
    changed[(1, 2)[: values.ndim]] += 0.1
    return changed


def _assigned(text: str, name: str, change: Callable[[Any], Any]) -> str:
    """The text with another value of a table, which is a literal of Python."""
    node = next(
        each
        for each in ast.parse(text).body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name
    )
    value = change(ast.literal_eval(node.value))
    lines = text.encode().splitlines(keepends=True)
    start, end = node.value.lineno - 1, node.value.end_lineno or 0
    before = b"".join(lines[:start]) + lines[start][: node.value.col_offset]
    after = lines[end - 1][node.value.end_col_offset :] + b"".join(lines[end:])
    return (before + ascii(value).encode() + after).decode()


def _single(archive: bytes) -> bytes:
    """The same arrays of NumPy's in single precision."""
    changed = io.BytesIO()
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        np.savez(changed, **{name: arrays[name].astype(np.float32) for name in arrays.files})
    return changed.getvalue()


def pynn(model: SpikingModel, mutation: str | None) -> Readback:
    files = dict(PYNN.write(model))
    text = files[".py"].decode()

    def table(name: str, change: Callable[[Any], Any]) -> Readback:
        return PYNN.read_back({".py": _assigned(text, name, change).encode()})

    def with_(changed: dict[str, Any]) -> Callable[[Any], Any]:
        return lambda before: {**before, **changed}

    def array(key: str, change: Callable[[np.ndarray[Any, Any]], Any]) -> Readback:
        return table(
            "ARRAYS", lambda all_: {**all_, key: np.asarray(change(np.array(all_[key]))).tolist()}
        )

    match mutation:
        case None:
            return PYNN.read_back(files)
        case "population":
            return table("NAMES", with_({"left": "last", "last": "left"}))
        case "inputs":
            return table("INPUTS", lambda before: before[::-1])
        case "outputs":
            return table("OUTPUTS", lambda _: ["left", "side"])
        case "missing projection":
            return table(
                "PROJECTIONS", lambda all_: [e for e in all_ if tuple(e) != ("left", "square")]
            )
        case "transposed":
            return array("left->square.weight", np.transpose)
        case "weight":
            return array("left->square.weight", _one_more)
        case "bias":
            return array("square.bias", _one_more)
        case "kind":
            # All three say what the cell is: a script whose tables disagree is refused.
            text = _assigned(text, "CELL", lambda _: CELLS[IFCondExp.name])
            text = _assigned(text, "SOLUTION", lambda _: SOLUTIONS[IFCondExp.name])
            return table("PARAMETERS", with_({"e_rev_E": 0.0, "e_rev_I": -70.0}))
        case "reset":
            raise NotPlantedError("PyNN has cells with one reset only, and so no word for another")
        case "delay":
            return table("DELAY_STEPS", lambda steps: steps + 1)
        case "dt":
            return table("DT", lambda dt: 2 * dt)
        case "tau_refrac":
            return table("REFRACTORY_STEPS", lambda steps: steps + 1)
        case "precision":
            return PYNN.read_back({**files, ".npz": _single(files[".npz"])})
        case _:
            return table("PARAMETERS", with_({mutation: OTHERWISE[mutation]}))


def brian2(model: SpikingModel, mutation: str | None) -> Readback:
    files = dict(BRIAN2_SCRIPT.write(model))
    text = files[".py"].decode()

    def put(before: str, after: str) -> Readback:
        assert text.count(before) == 1, before
        return BRIAN2_SCRIPT.read_back({".py": text.replace(before, after).encode()})

    def table(name: str, change: Callable[[Any], Any]) -> Readback:
        return BRIAN2_SCRIPT.read_back({".py": _assigned(text, name, change).encode()})

    def array(start: str, change: Callable[[np.ndarray[Any, Any]], Any]) -> Readback:
        found = re.search(rf"{re.escape(start)}: (\[.*\])\*", text)
        assert found is not None
        changed = np.asarray(change(np.array(ast.literal_eval(found[1])))).tolist()
        return put(found[0], found[0].replace(found[1], repr(changed)))

    if mutation in OTHERWISE:
        value = OTHERWISE[mutation]
        if mutation in {"v_reset", "v_thresh", "e_rev_E", "e_rev_I"}:
            value -= model.neuron.v_rest
        name = "c_m" if mutation == "cm" else mutation
        return BRIAN2_SCRIPT.read_back(
            {".py": re.sub(rf"('{name}': )[-\d.]+\*", rf"\g<1>{value}*", text, count=1).encode()}
        )
    match mutation:
        case None:
            return BRIAN2_SCRIPT.read_back(files)
        case "population":
            # Everywhere: a script whose sizes do not fit its weights is refused.
            names = {"'left'": "'last'", "'last'": "'left'"}
            changed = re.sub("'left'|'last'", lambda found: names[found[0]], text)
            return BRIAN2_SCRIPT.read_back({".py": changed.encode()})
        case "inputs":
            return table("INPUTS", lambda before: before[::-1])
        case "outputs":
            return table("OUTPUTS", lambda _: ("left", "side"))
        case "missing projection":
            (line,) = re.findall(r"    \('left', 'square'\): .*\n", text)
            return put(line, "")
        case "transposed":
            return array("('left', 'square')", np.transpose)
        case "weight":
            return array("('left', 'square')", _one_more)
        case "bias":
            return array("'square'", _one_more)
        case "kind":
            return put("I_E = I_E*exp(-dt/tau_syn_E)", "I_E = I_E*exp(-dt/tau_m)")
        case "reset":
            return put("RESET = 'v = v_reset'", "RESET = 'v = 0*volt'")
        case "delay":
            return put("DELAY = 1.5*ms", "DELAY = 2.0*ms")
        case "dt":
            return put("DT = 0.5*ms", "DT = 1.0*ms")
        case _:
            return BRIAN2_SCRIPT.read_back({**files, ".npz": _single(files[".npz"])})


def nir(model: Model, mutation: str | None) -> Readback:
    """A file of NIR's, read and written again by NIR's own library."""
    return NIR.read_back(
        _changed_graph(NIR.write(model), lambda g: _change_nir(g, model, mutation))
    )


def _changed_graph(files: Files, change: Callable[[Any], None]) -> Files:
    library: Any = importlib.import_module("nir")
    graph = library.read(io.BytesIO(files[".nir"]))
    change(graph)
    body = io.BytesIO()
    library.write(body, graph)
    return {".nir": body.getvalue()}


def _change_nir(graph: Any, model: Model, mutation: str | None) -> None:
    import nir as library

    nodes, told = graph.nodes, json.loads(graph.metadata["volr"])
    square, linear = nodes["square"], nodes["left_square"]
    match mutation:
        case None:
            pass
        case "population":
            rows = {row[0]: row for row in told["populations"]}
            rows["left"][2], rows["right"][2] = "square", "input"
        case "inputs":
            told["inputs"].reverse()
        case "outputs" if not isinstance(model, SpikingModel):
            raise NotPlantedError("an artificial output is whatever its weights lead to")
        case "outputs":
            graph.edges[:] = [(a, b) for a, b in graph.edges if b != "of_last"] + [
                ("left", "of_last")
            ]
        case "missing projection":
            graph.edges.remove(("left_square", "square"))
        case "transposed":
            linear.weight = linear.weight.T.copy()
        case "weight":
            linear.weight = _one_more(linear.weight)
        case "bias" if isinstance(model, SpikingModel):
            square.v_leak = _one_more(square.v_leak)
        case "bias":
            linear.bias = _one_more(linear.bias)
        case "activation":
            nodes["square"] = library.Scale(np.ones(4))
        case "kind":
            each = np.full(4, 0.015)
            nodes["square"] = library.LIF(
                tau=each, r=each, v_leak=0 * each, v_threshold=each, v_reset=0 * each
            )
        case "precision":
            for node in nodes.values():
                for name, value in vars(node).items():
                    if isinstance(value, np.ndarray) and value.dtype == np.float64:
                        setattr(node, name, value.astype(np.float32))
        case "reset":
            told["reset"] = "subtract"
        case "delay" | "dt":
            told[mutation] = 2 * told[mutation]
            told["duration"], told["delay"] = 30.0, told["delay"] if mutation == "delay" else 1.0
        case "tau_m":
            square.tau_mem = 1.1 * square.tau_mem
        case "tau_syn_E" | "tau_syn_I":
            square.tau_syn = 1.1 * square.tau_syn
        case "cm":
            square.r = 1.1 * square.r
        case "v_thresh":
            square.v_threshold = 1.1 * square.v_threshold
        case "v_reset":
            square.v_reset = 1.5 * square.v_reset
        case _:
            told["numbers"][mutation] = OTHERWISE[mutation]
    graph.metadata["volr"] = json.dumps(told)


def dialect(name: str) -> Read:
    """A file for one importer, read and written again by NIR's own library."""
    target = document(f"nir.{name}")

    def read(model: SpikingModel, mutation: str | None) -> Readback:
        files = target.write(model)
        return target.read_back(_changed_graph(files, lambda g: _change_ring(g, mutation)))

    return read


def _held(nodes: Any, units: slice) -> Any:
    """The rows of the recurrent weights that lead to these units: snnTorch's file has an order."""
    if "recurrent_rows" not in nodes:
        return np.arange(units.start, units.stop)
    return nodes["recurrent_rows"].weight[units].argmax(axis=1)


def _change_ring(graph: Any, mutation: str | None) -> None:
    nodes, told = graph.nodes, json.loads(graph.metadata["volr.ring"])
    cells, recurrent = nodes["cells"], nodes["recurrent"]
    chains = told["chains"]
    rows = slice(chains["square"][0], chains["square"][0] + 4)
    block = np.ix_(_held(nodes, rows), range(chains["left"][-1], chains["left"][-1] + 4))
    match mutation:
        case None:
            pass
        case "population":
            sizes = {row[0]: row for row in told["populations"]}
            sizes["left"][1], sizes["square"][1] = 3, 3
        case "inputs":
            told["inputs"].reverse()
        case "outputs":
            nodes["select"].weight = np.roll(nodes["select"].weight, 1, axis=1)
        case "missing projection":
            told["projections"].remove(["left", "square"])
        case "transposed":
            recurrent.weight[block] = recurrent.weight[block].T
        case "weight":
            recurrent.weight[block] = _one_more(recurrent.weight[block])
        case "bias":
            nodes["drive"].bias[rows][1] += 0.1
        case "kind":
            told["neuron"] = "if_cond_exp"
            told["numbers"] |= {"e_rev_E": 0.0, "e_rev_I": -70.0}
        case "reset":
            told["reset"] = "hard" if told["reset"] == "subtract" else "subtract"
        case "delay":
            first, second = chains["left"][:2]
            recurrent.weight[_held(nodes, slice(second, second + 4)), first : first + 4] = 0.0
        case "dt":
            told["dt"] = 2 * told["dt"]
        case "precision":
            for node in nodes.values():
                for name, value in vars(node).items():
                    if isinstance(value, np.ndarray) and value.dtype == np.float32:
                        setattr(node, name, value.astype(np.float16))
        case "tau_m":
            key = "tau" if hasattr(cells, "tau") else "tau_mem"
            setattr(cells, key, 1.1 * getattr(cells, key))
        case "tau_syn_E" | "tau_syn_I":
            node, key = (
                (cells, "tau_syn") if hasattr(cells, "tau_syn") else (nodes["currents"], "tau")
            )
            setattr(node, key, 1.1 * getattr(node, key))
        case "v_thresh":
            cells.v_threshold = 1.1 * cells.v_threshold
        case _:
            told["numbers"][mutation] = OTHERWISE[mutation]
    graph.metadata["volr.ring"] = json.dumps(told)
