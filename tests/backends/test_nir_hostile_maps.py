"""NIR files of maps whose numbers lie: each is read or refused, with a word, and soon."""

from __future__ import annotations

import io
import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.importers import maps
from tests.importers.files import file_of

from volr.backends.nir.hdf5_write import write_graph
from volr.backends.nir.lint import lint
from volr.backends.nir.read import read_nir
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

h5py = pytest.importorskip("h5py")

LIES: tuple[Any, ...] = (
    0, -1, 1.5, 1e300, 2**62, [], [1, 2, 3], [-3, 0], np.zeros((2, 2, 3)), "same", "full",
)  # fmt: skip
NUMBERS = {
    "c": ("input_shape", "stride", "padding", "dilation", "groups", "bias", "weight"),
    "p": ("kernel_size", "stride", "padding"),
    "f": ("start_dim", "end_dim", "input_type"),
    "input": ("shape",),
}
BODY = file_of(maps.FILES["maps, sums"][0])


def lied(node: str, key: str, lie: Any) -> bytes:
    body = io.BytesIO(BODY)
    with h5py.File(body, "r+") as file:
        del file[f"node/nodes/{node}/{key}"]
        file[f"node/nodes/{node}/{key}"] = lie
    return body.getvalue()


def cases() -> Iterator[tuple[str, str, Any]]:
    for node, keys in NUMBERS.items():
        yield from ((node, key, lie) for key, lie in itertools.product(keys, LIES))


@pytest.mark.filterwarnings("error")
def test_every_lie_is_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volr.system.memory.available", lambda: 200_000_000)
    read = 0
    for node, key, lie in cases():
        body = lied(node, key, lie)
        for act in (read_nir, lint):
            try:
                act(body)
            except ModelFileError as error:
                assert error.message, (node, key, lie)  # noqa: PT017 - of hundreds of files
            else:
                read += act is read_nir
    # What says the same in other words, and what nobody looks at.
    assert 10 < read < 60


def test_a_small_file_of_kernels_cannot_ask_for_a_large_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("volr.system.memory.available", lambda: 200_000_000)
    wide = maps.kernel(np.ones((1, 1, 1, 1)), input_shape=np.array([3000.0, 3000.0]))
    shape = (1, 3000, 3000)
    plain = maps.net(
        maps.pool("AvgPool2d", 2, 2), conv=wide, shape=shape, maps=(1, 1502, 3002), pooled=(1, 1, 1)
    )
    with pytest.raises(ModelFileError):
        read_nir(file_of(plain))
    # A mean of nearly everything behind a kernel is a kernel as large as that.
    values = {**wide.values, "padding": np.zeros(2), "stride": np.ones(2), "bias": np.zeros(1)}
    nodes = dict(plain.nodes)
    for name in ("x", "f", "a", "y"):
        del nodes[name]
    nodes["c"] = type(wide)("Conv2d", values)
    nodes["p"] = maps.pool("AvgPool2d", 2999, 2999)
    edges = tuple(itertools.pairwise(("input", "c", "p", "output")))
    nodes["input"] = type(wide)("Input", {"shape": np.array(shape, dtype=float)})
    nodes["output"] = type(wide)("Output", {"shape": np.array([1.0, 1.0, 1.0])})
    many = type(plain)(nodes, edges)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read_nir(write_graph(many))
        except ModelFileError as error:
            assert "not enough memory" in error.message  # noqa: PT017 - or there is enough
