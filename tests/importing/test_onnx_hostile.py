"""ONNX files that are damaged, or made to do harm: each ends in one error."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from volr.errors import ModelFileError, UnsupportedError, VolrError
from volr.importing import import_onnx

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

WEIGHT = np.array([[1, 2, 3], [4, 5, 6.5]], np.float32)


def model_of(nodes: list[Any], tensors: list[Any]) -> Any:
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=8)


def layer(weight: Any = None) -> Any:
    """A layer of these weights."""
    tensor = numpy_helper.from_array(WEIGHT, "w") if weight is None else weight
    return model_of([helper.make_node("Gemm", ["x", "w"], ["y"], "layer", transB=1)], [tensor])


def outside(location: str, **place: str) -> Any:
    """A layer whose weights are in another file."""
    tensor = TensorProto(name="w", dims=[2, 3], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **place}.items():
        tensor.external_data.add(key=key, value=value)
    return layer(tensor)


def saved(model: Any, folder: Path) -> Path:
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_data_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(b"head" + WEIGHT.tobytes() + b"tail")
    path = saved(outside("data/w.bin", offset="4", length="24"), tmp_path)
    found = import_onnx(path)
    assert np.array_equal(found.model.parameters["input->dense_1.weight"], WEIGHT)
    with pytest.raises(ModelFileError, match=r"in another file, 'data/w\.bin'"):
        import_onnx(path.read_bytes())


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/hostname", "data/../../secret", "link", "", "a\\..\\b", "x\0y"]
)
def test_no_file_outside_the_folder_is_read(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(WEIGHT.tobytes())
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFileError, match="outside of the folder"):
        import_onnx(saved(outside(location), folder))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"length": "23"}, "takes 24 bytes, and lies at"),
        ({"length": "-24"}, "takes 24 bytes, and lies at"),
        ({"offset": "-1"}, "takes 24 bytes, and lies at"),
        ({"offset": "x"}, "takes 24 bytes, and lies at"),
        ({"offset": "8"}, "from byte 8 on, and there are 16"),
        ({"offset": "9" * 18}, "there are 0|cannot be read"),
    ],
)
def test_places_in_other_files(place: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    with pytest.raises(ModelFileError, match=said):
        import_onnx(saved(outside("w.bin", **place), tmp_path))


def test_another_file_that_is_missing_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="belongs into"):
        import_onnx(saved(outside("w.bin"), tmp_path))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelFileError, match="cannot be read"):
        import_onnx(saved(outside("folder"), tmp_path))


def test_numbers_that_are_not_there() -> None:
    many = TensorProto(name="w", dims=[2, 1 << 30], data_type=TensorProto.FLOAT, raw_data=b"1234")
    with pytest.raises(ModelFileError, match="numbers for 1 of its 2,147,483,648 places"):
        import_onnx(layer(many).SerializeToString())
    few = TensorProto(name="w", dims=[2, 3], data_type=TensorProto.FLOAT, float_data=[1.0, 2.0])
    with pytest.raises(ModelFileError, match="numbers for 2 of its 6"):
        import_onnx(layer(few).SerializeToString())
    negative = TensorProto(name="w", dims=[-2, 3], data_type=TensorProto.FLOAT)
    with pytest.raises(ModelFileError, match=r"the shape \[-2, 3\]"):
        import_onnx(layer(negative).SerializeToString())
    nan = numpy_helper.from_array(np.full((2, 3), np.nan, np.float32), "w")
    with pytest.raises(ModelFileError, match="not finite"):
        import_onnx(layer(nan).SerializeToString())
    complex_ = TensorProto(name="w", dims=[2, 3], data_type=TensorProto.COMPLEX64)
    with pytest.raises(ModelFileError, match="no numbers that Volr reads"):
        import_onnx(layer(complex_).SerializeToString())


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("ConstantOfShape", [np.array([1 << 20, 1 << 20])]),
        ("Expand", [np.ones(1, np.float32), np.array([1 << 20, 1 << 20])]),
        ("Tile", [np.ones(4, np.float32), np.array([1 << 40])]),
        ("Range", [np.int64(0), np.int64(1 << 40), np.int64(1)]),
        ("Add", [np.ones((1 << 15, 1), np.float32), np.ones((1, 1 << 15), np.float32)]),
    ],
)
def test_nodes_that_make_far_too_much(kind: str, given: list[Any]) -> None:
    names = [f"c{number}" for number in range(len(given))]
    tensors = [numpy_helper.from_array(np.asarray(e), n) for n, e in zip(names, given, strict=True)]
    nodes = [
        helper.make_node(kind, names, ["w"], "bomb"),
        helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
    ]
    with pytest.raises(UnsupportedError, match=r"bomb \(.*\): it makes .* numbers, more than"):
        import_onnx(model_of(nodes, tensors).SerializeToString())


def test_what_is_no_onnx_file(tmp_path: Path) -> None:
    whole = layer().SerializeToString()
    for data in (b"", b"\x00" * 40, b"PK\x03\x04", whole[: len(whole) // 2], whole[:-9]):
        with pytest.raises(ModelFileError, match=r"not an ONNX file|is damaged"):
            import_onnx(data)
    with pytest.raises(ModelFileError, match="cannot read"):
        import_onnx(tmp_path / "missing.onnx")
    with pytest.raises(ModelFileError, match="cannot read"):
        import_onnx(tmp_path)


def test_damaged_bytes_end_in_an_error_or_in_a_model() -> None:
    whole = layer().SerializeToString()
    rng = random.Random(0)
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            import_onnx(bytes(data))
        except VolrError:
            refused += 1
    assert refused > 200


def test_nodes_of_other_forms_end_in_an_error() -> None:
    # Each operator that is read, with too few inputs and with inputs of other shapes.
    from volr.backends.onnx.import_operations import OPERATIONS

    tensors = [
        numpy_helper.from_array(np.asarray(each), name)
        for name, each in {
            "w": WEIGHT,
            "one": np.float32(1),
            "none": np.zeros((0,), np.float32),
            "cube": np.ones((2, 2, 2), np.float32),
            "whole": np.array([7, -3], np.int64),
        }.items()
    ]
    found: list[str] = []
    for kind in OPERATIONS:
        for names in (["x"], ["x", "one"], ["x", "none"], ["x", "cube"], ["x", "whole"], ["", "x"]):
            nodes = [
                helper.make_node(kind, names, ["z"], "odd"),
                helper.make_node("Gemm", ["z", "w"], ["y"], transB=1),
            ]
            try:
                import_onnx(model_of(nodes, tensors).SerializeToString())
            except VolrError as error:
                found.append(str(error))
    assert len(found) > 100
    assert not [each for each in found if "a mistake of Volr's" in each]


@pytest.mark.parametrize("axes", [[10**12, 3], [-1, 3], [1, 10**12], [1, 10**9], [10**8, 3]])
def test_inputs_that_are_far_too_large(axes: list[int]) -> None:
    model = layer()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, axes))
    with pytest.raises(ModelFileError, match="values at once, and Volr reads"):
        import_onnx(model.SerializeToString())


def test_more_bytes_of_another_file_than_it_has(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    tensor = outside("w.bin").graph.initializer[0]
    tensor.dims[0] = 10**15
    with pytest.raises(ModelFileError, match="from byte 0 on, and there are 24"):
        import_onnx(saved(layer(tensor), tmp_path))


def test_many_nodes_that_make_too_much_together() -> None:
    names = [f"t{number}" for number in range(9)]
    nodes = [
        *(helper.make_node("ConstantOfShape", ["s"], [each]) for each in names),
        helper.make_node("Concat", names, ["all"], axis=0),
        helper.make_node("ReduceSum", ["all"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["x", "sum"], ["y"]),
    ]
    shape = numpy_helper.from_array(np.array([1 << 27]), "s")
    with pytest.raises(UnsupportedError, match="it and the nodes before it make more than"):
        import_onnx(model_of(nodes, [shape]).SerializeToString())


def test_many_values_side_by_side() -> None:
    nodes = [
        helper.make_node("Concat", ["x"] * 200, ["h"], axis=1),
        helper.make_node("Concat", ["h"] * 200, ["y"], axis=1),
    ]
    with pytest.raises(UnsupportedError, match="puts 40,000 parts side by side"):
        import_onnx(model_of(nodes, [numpy_helper.from_array(WEIGHT, "w")]).SerializeToString())
