"""Written scripts, changed as a text editor or NumPy would change them."""

from __future__ import annotations

import ast
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.verification.mutants import OTHERWISE, NotPlantedError, one_more

from volr.backends.brian2.script import BRIAN2_SCRIPT
from volr.backends.pynn import PYNN
from volr.backends.pynn.solutions import SOLUTIONS
from volr.backends.pynn.translation import CELLS
from volr.neurons import IFCondExp

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.readback import Readback
    from volr.models.model import SpikingModel


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
            return array("left->square.weight", one_more)
        case "bias":
            return array("square.bias", one_more)
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
            return array("('left', 'square')", one_more)
        case "bias":
            return array("'square'", one_more)
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
