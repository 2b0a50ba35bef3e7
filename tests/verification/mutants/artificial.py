"""The reference, PyTorch, ONNX and Futhark, changed after they were built."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.verification.mutants import NotPlantedError, one_more

from volr.backends.futhark import FUTHARK_PROGRAM, program
from volr.backends.futhark.parameter_vector import flattened
from volr.backends.onnx import ONNX_FILE
from volr.backends.reference import contents as reference_contents
from volr.backends.reference import program_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.readback import Readback
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel


def reference(model: ArtificialModel, mutation: str | None) -> Readback:
    whole = program_of(model)
    steps = {step.name: step for step in whole.steps}
    square = steps["square"]
    left, right = square.terms
    weights = model.parameters["left->square.weight"]

    def other(changed: Any) -> Callable[[Floats], Floats]:
        return lambda values: values @ changed.T

    match mutation:
        case None:
            pass
        case "population":
            names = {"left": "last", "last": "left"}
            renamed = (
                replace(
                    each,
                    name=names.get(each.name, each.name),
                    terms=tuple((names.get(source, source), w) for source, w in each.terms),
                )
                for each in whole.steps
            )
            return reference_contents(replace(whole, steps=tuple(renamed)))
        case "inputs":
            whole = replace(whole, inputs=whole.inputs[::-1])
        case "outputs":
            whole = replace(whole, outputs=("left", "side"))
        case "missing projection":
            square = replace(square, terms=(right,))
        case "transposed":
            square = replace(square, terms=((left[0], other(weights.T)), right))
        case "weight":
            square = replace(square, terms=((left[0], other(one_more(weights))), right))
        case "bias":
            square = replace(square, bias=one_more(square.bias))
        case "activation":
            square = replace(square, activation=np.tanh)
        case _:
            single = [
                (source, other(model.parameters[f"{source}->square.weight"].astype(np.float32)))
                for source, _ in square.terms
            ]
            square = replace(square, bias=square.bias.astype(np.float32), terms=tuple(single))
    changed = (square if each.name == "square" else each for each in whole.steps)
    return reference_contents(replace(whole, steps=tuple(changed)))


def torch(model: ArtificialModel, mutation: str | None) -> Readback:
    import torch as library

    from volr.backends.torch.module import module_from
    from volr.backends.torch.read_back import contents
    from volr.models.activations import Tanh

    module = module_from(model)
    values = module.named_values()
    steps = {step.target: step for step in module.plan.steps}
    left, right = steps["square"].terms
    with library.no_grad():
        match mutation:
            case None:
                pass
            case "population":
                for name in ("left.bias", "input->left.weight"):
                    values[name].data = values[name].data[:-1].clone()
                for name in ("left->square.weight", "left->last.weight"):
                    values[name].data = values[name].data[:, :-1].clone()
            case "inputs":
                module.plan = replace(module.plan, inputs=module.plan.inputs[::-1])
            case "outputs":
                module.plan = replace(module.plan, outputs=("side", "last"))
            case "missing projection":
                changed = replace(steps["square"], terms=(right,))
                steps["square"] = changed
                # Nothing else needs what `left` sends.
                module.plan = replace(module.plan, steps=tuple(steps.values()))
            case "transposed":
                values["left->square.weight"].copy_(values["left->square.weight"].T.clone())
            case "weight":
                values["left->square.weight"][1, 2] += 0.1
            case "bias":
                values["square.bias"][1] += 0.1
            case "activation":
                steps["square"] = replace(steps["square"], activation=Tanh())
                module.plan = replace(module.plan, steps=tuple(steps.values()))
            case _:
                module.half()
    del left
    return contents(module)


def onnx(model: ArtificialModel, mutation: str | None) -> Readback:
    """What a session holds that was given another graph."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import onnxruntime

    from volr.backends.onnx.read_back import contents

    with TemporaryDirectory() as folder:
        written = Path(folder) / "held.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.optimized_model_filepath = str(written)
        body = _changed_graph(ONNX_FILE.write(model)[".onnx"], mutation)
        onnxruntime.InferenceSession(body, options, ["CPUExecutionProvider"])
        return contents(written.read_bytes())


def onnx_file(model: ArtificialModel, mutation: str | None) -> Readback:
    body = _changed_graph(ONNX_FILE.write(model)[".onnx"], mutation)
    return ONNX_FILE.read_back({".onnx": body})


def _changed_graph(body: bytes, mutation: str | None) -> bytes:
    import onnx as library
    from onnx import numpy_helper

    model = library.load_model_from_string(body)
    graph = model.graph
    tensors = {each.name: each for each in graph.initializer}
    values = {each.doc_string: each for each in (*graph.input, *graph.value_info, *graph.output)}
    nodes = {each.output[0]: each for each in graph.node}
    key = next(name for name in tensors if "left" in name and "square" in name)

    def change(name: str, array: np.ndarray[Any, Any]) -> None:
        tensors[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), name))

    match mutation:
        case None:
            pass
        case "population":
            values["left"].doc_string, values["last"].doc_string = "last", "left"
        case "inputs":
            values["input"].doc_string, values["other"].doc_string = "other", "input"
        case "outputs":
            parts = nodes["logits"].input
            parts[0], parts[1] = parts[1], parts[0]
        case "missing projection":
            (gone,) = (each for each in graph.node if key in each.input)
            (after,) = (each for each in graph.node if gone.output[0] in each.input)
            after.input[2] = gone.input[2]
            graph.node.remove(gone)
        case "transposed":
            change(key, numpy_helper.to_array(tensors[key]).T)
        case "weight":
            change(key, one_more(numpy_helper.to_array(tensors[key])))
        case "bias":
            name = next(each for each in tensors if "square" in each and "bias" in each)
            change(name, one_more(numpy_helper.to_array(tensors[name])))
        case "activation":
            next(each for each in graph.node if each.op_type == "Relu").op_type = "Tanh"
        case _:
            raise NotPlantedError("a file with numbers of another type is refused as a whole")
    return model.SerializeToString()


def futhark(model: ArtificialModel, mutation: str | None) -> Readback:
    """What another program says, compiled; and with another vector."""
    from volr.backends.futhark.library import load
    from volr.backends.futhark.read_back import parse, readback

    # Without what training takes: it compiles in a fraction of the time.
    text = _changed_program(program(model.network, model.activation, None), mutation)
    library = load(text, "c")
    vector = library.hold(_changed_vector(model, mutation))
    return readback(parse(library.text), lambda name: library.array(library.call(name, vector)))


def futhark_file(model: ArtificialModel, mutation: str | None) -> Readback:
    from volr.backends.futhark.parameter_vector import to_bytes

    text = _changed_program(program(model.network, model.activation), mutation)
    data = to_bytes(_changed_vector(model, mutation))
    return FUTHARK_PROGRAM.read_back({".fut": text.encode(), ".data": data})


def _changed_program(text: str, mutation: str | None) -> str:
    def exchanged(first: str, second: str, pattern: str) -> str:
        names = {first: second, second: first}
        return re.sub(pattern, lambda m: m[1] + names[m[2]], text, flags=re.MULTILINE)

    match mutation:
        case "population":
            return exchanged("left", "last", r"^(--   \w+ +\d+  )(left|last)$")
        case "inputs":
            return exchanged("input", "other", r"^(--   \w+ +\d+  )(input|other)$")
        case "outputs":
            changed = text.replace("with [0:3] = last", "with [2:5] = last")
            return changed.replace("with [3:5] = side", "with [0:2] = side")
        case "missing projection":
            changed, count = re.subn(
                r"    weighted p\.left_square_weight left\n    \|> add \((.*)\)",
                r"    \1",
                text,
            )
            assert count == 1
            return changed
        case "activation":
            line = "def relu (z: f32) : f32 = if z <= 0 then 0 else z"
            assert line in text
            return text.replace(line, "def relu (z: f32) : f32 = f32.tanh z")
        case "precision":
            raise NotPlantedError("its programs compute in f32 throughout")
        case _:
            return text


def _changed_vector(model: ArtificialModel, mutation: str | None) -> Any:
    values = dict(model.parameters)
    match mutation:
        case "transposed":
            values["left->square.weight"] = values["left->square.weight"].T
        case "weight":
            values["left->square.weight"] = one_more(values["left->square.weight"])
        case "bias":
            values["square.bias"] = one_more(values["square.bias"])
        case _:
            pass
    return flattened(model.network, values)
