"""ONNX files of any origin, read with care: operators of known versions, numbers that are there.

Nothing outside the file's own folder is read, and nothing of the size that a file claims is made
before the bytes for it are found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from volr.backends.foreign_files import read_bytes
from volr.errors import ModelFileError
from volr.system.incoming import check_ordinary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto

OLDEST = 13
"""The first set of operators in which sizes and axes are tensors everywhere."""

NUMBERS = (
    *(TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16),
    *(TensorProto.INT64, TensorProto.INT32, TensorProto.INT16, TensorProto.INT8),
    *(TensorProto.UINT64, TensorProto.UINT32, TensorProto.UINT16, TensorProto.UINT8),
    TensorProto.BOOL,
)
"""The types of numbers that are read."""
_PLACE = ("location", "offset", "length")


@dataclass(frozen=True)
class Contents:
    """A parsed file: the ``model``, and the numbers of its initializers by their names."""

    model: ModelProto
    arrays: dict[str, NDArray[Any]]

    @property
    def version(self) -> int:
        """The version of ONNX's own operators."""
        return version_of(self.model)

    @property
    def graph(self) -> GraphProto:
        """The graph that the model is."""
        return self.model.graph


def read_file(file: str | Path | bytes) -> Contents:
    """The contents of a file, or of its bytes; ``ModelFileError`` where it is damaged or hostile.

    Bytes have no folder, so they cannot have data in other files.
    """
    folder: Path | None = None
    if isinstance(file, bytes):
        data, name = file, "this ONNX file"
    else:
        path = Path(file)
        data, name, folder = read_bytes(path), str(path), path.parent
    model = parsed(data, name)
    _check(model, name)
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in model.graph.initializer:
        if tensor.name in arrays:
            raise ModelFileError(f"{name}: two tensors are called {tensor.name!r}")
        # The names of classes stand behind the logits.
        if tensor.data_type == TensorProto.STRING:
            continue
        _bring_in(tensor, folder, name)
        arrays[tensor.name] = array_of(tensor, name)
    return Contents(model, arrays)


def parsed(data: bytes, name: str) -> ModelProto:
    """The model in the bytes of a file; ``ModelFileError`` if there is none."""
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelFileError(
            f"{name} is not an ONNX file, or not all of one: it cannot be parsed"
        ) from error
    if not model.graph.node and not model.graph.initializer:
        raise ModelFileError(f"{name} is not an ONNX file, or not all of one: it has no graph")
    return model


def version_of(model: ModelProto) -> int:
    """The version of ONNX's own operators that a model has; 0 where it has none."""
    versions = {each.domain: each.version for each in model.opset_import}
    return versions.get("", versions.get("ai.onnx", 0))


def _check(model: ModelProto, name: str) -> None:
    version, newest = version_of(model), onnx.defs.onnx_opset_version()
    if version < OLDEST:
        raise ModelFileError(
            f"{name} has operators of version {version}, and Volr reads {OLDEST} to {newest}",
            help=f"onnx.version_converter.convert_version(model, {OLDEST}) makes them newer",
        )
    if version > newest:
        raise ModelFileError(
            f"{name} has operators of version {version}, and the onnx package knows {newest}",
            help=f"update the package, or export with opset_version={newest}",
        )
    if not all(isinstance(each, str) for each in _texts(model)):
        raise ModelFileError(f"{name} is damaged: a name in it is not UTF-8")
    if model.functions:
        raise ModelFileError(
            f"{name} has functions of its own, such as {model.functions[0].name!r}",
            help="onnx.inliner.inline_local_functions(model) writes them out",
        )
    if model.graph.sparse_initializer:
        raise ModelFileError(f"{name} has sparse tensors", help="make them dense")


def _texts(model: ModelProto) -> Iterator[object]:
    """All names that are read. What is not UTF-8 comes out of protobuf as bytes."""
    graph = model.graph
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (each.name for each in node.attribute)
    for value in (*graph.input, *graph.output):
        yield value.name
        yield from (each.dim_param for each in value.type.tensor_type.shape.dim)
    for tensor in graph.initializer:
        yield tensor.name
        yield from (text for each in tensor.external_data for text in (each.key, each.value))
    for each in model.metadata_props:
        yield from (each.key, each.value)


def _bring_in(tensor: TensorProto, folder: Path | None, name: str) -> None:
    """Put numbers that lie in another file of the ``folder`` into a tensor itself."""
    if tensor.data_location != TensorProto.EXTERNAL and not tensor.external_data:
        return
    what, size = _checked(tensor, name)
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    data = _outside(tensor, folder, what, size * kind.itemsize)
    tensor.ClearField("external_data")
    tensor.data_location = TensorProto.DEFAULT
    tensor.raw_data = data


def _checked(tensor: TensorProto, name: str) -> tuple[str, int]:
    """What messages call a tensor, and how many numbers its shape has."""
    what, dims = f"{name}: the tensor {tensor.name!r}", list(tensor.dims)
    if tensor.data_type not in NUMBERS:
        raise ModelFileError(f"{what} holds no numbers that Volr reads")
    if min(dims, default=1) < 0:
        raise ModelFileError(f"{what} has the shape {dims}")
    return what, math.prod(dims)


def array_of(tensor: TensorProto, name: str) -> NDArray[Any]:
    """The numbers of a tensor of the file ``name``, which has to hold them itself.

    Real numbers are in float64. Raises ``ModelFileError`` unless all are there, and finite.
    """
    what, size = _checked(tensor, name)
    dims = list(tensor.dims)
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ModelFileError(f"{what} is in another file, and no initializer")
    if _held(tensor) < size:
        raise ModelFileError(
            f"{what} has the shape {dims}, and numbers for {_held(tensor):,} of its {size:,} places"
        )
    try:
        array = numpy_helper.to_array(tensor)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{what} is damaged") from error
    if array.dtype.kind not in "biu":
        with np.errstate(all="ignore"):
            array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise ModelFileError(f"{what} has values that are not finite numbers")
    return array


def _held(tensor: TensorProto) -> int:
    """How many numbers a tensor has at most, by the bytes that are there."""
    if tensor.HasField("raw_data"):
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        return len(tensor.raw_data) // kind.itemsize
    lists: Iterable[Any] = (
        tensor.float_data,
        tensor.double_data,
        tensor.int32_data,
        tensor.int64_data,
        tensor.uint64_data,
    )
    return max(len(each) for each in lists)


def _outside(tensor: TensorProto, folder: Path | None, what: str, size: int) -> bytes:
    """The bytes of a tensor in another file, which has to lie in the folder."""
    place = {each.key: each.value for each in tensor.external_data}
    location = place.get("location", "")
    if folder is None:
        raise ModelFileError(
            f"{what} is in another file, {location!r}", help="give the path of the ONNX file"
        )
    offset, length = _whole(place.get("offset", "0")), _whole(place.get("length", str(size)))
    if offset is None or length != size:
        given = {key: place[key] for key in _PLACE if key in place}
        raise ModelFileError(f"{what} takes {size:,} bytes, and lies at {given}")
    path = _inside(folder, location, what)
    try:
        there = max(check_ordinary(path) - offset, 0)
        with path.open("rb") as opened:
            opened.seek(offset if size <= there else 0)
            # A file may say any size: no more is asked for than there is.
            data = opened.read(size) if size <= there else b""
    except OSError as error:
        raise ModelFileError(
            f"{what} is in the file {location!r}, which cannot be read: {error.strerror}",
            help=f"the file belongs into {folder.resolve()}, beside the ONNX file",
        ) from error
    if len(data) != size:
        raise ModelFileError(
            f"{what} takes {size:,} bytes of {location!r} from byte {offset:,} on, and there are "
            f"{there:,}",
            help="that file is of another export, or was not copied to its end",
        )
    return data


def _inside(folder: Path, location: str, what: str) -> Path:
    """The path of a file of the folder; ``ModelFileError`` for one that leaves it."""
    given = PurePosixPath(location)
    path = folder / given
    leaves = given.is_absolute() or "\\" in location or ".." in given.parts or "\0" in location
    if not location or leaves or not path.resolve().is_relative_to(folder.resolve()):
        raise ModelFileError(
            f"{what} is in the file {location!r}, outside of the folder of the ONNX file",
            help="such a file is not read: it may be anybody's",
        )
    return path


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
