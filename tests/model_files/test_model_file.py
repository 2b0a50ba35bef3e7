"""Model files: what is written is read, and nothing else is."""

from __future__ import annotations

import json
import os
import pickle
import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import random_parameters

from volr.errors import ModelFileError
from volr.language import to_network
from volr.model_files.container import packed, unpack
from volr.model_files.model_file import read_model_file, save_model
from volr.models.activations import Tanh
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, Model, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, by_unit

PROGRAM = "// a comment stays\nlet n = 3 in dense 2 n ⦶ (dense n 4 | dense n 2) >> dense 6 2"
NETWORK = to_network(PROGRAM)
VALUES = random_parameters(NETWORK, np.random.default_rng(0), weight=1.0, bias=0.3)
ARTIFICIAL = ArtificialModel(NETWORK, VALUES, Tanh())
SPIKING = SpikingModel(
    network=NETWORK,
    parameters=VALUES,
    neuron=IFCurrDelta(tau_m=11.0, v_reset=-66.6),
    coding=Poisson(123.0),
    dt=0.1,
    duration=33.3,
    delay=0.7,
)
WRITTEN = {"name": "if_curr_delta", "parameters": SPIKING.neuron.numbers}
OTHERS = [
    replace(SPIKING, neuron=IFCurrExp(tau_syn_I=3.5, tau_refrac=1.0, reset="subtract")),
    replace(SPIKING, neuron=IFCondExp(e_rev_I=-81.0), readout="membrane"),
    replace(
        SPIKING,
        neurons={"dense_2": IFCurrExp(tau_m=float("inf"), tau_syn_I=3.5), "input": IFCondExp()},
        delays={"input->dense_1": 1.4},
    ),
    replace(SPIKING, neurons={"dense_1": by_unit(IFCurrDelta(), tau_m=[3.0, float("inf"), 5.0])}),
]


# Not by ==, which is the code under test.
def same(a: Model, b: Model) -> bool:
    if type(a) is not type(b) or a.network != b.network:
        return False
    for name, array in a.parameters.items():
        np.testing.assert_array_equal(array, b.parameters[name])
    rest = [name for name in a.__dataclass_fields__ if name not in ("network", "parameters")]
    return all(getattr(a, name) == getattr(b, name) for name in rest)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_model(SPIKING, path, {"task": "xor", "seed": 3})
    return path


def rewritten(path: Path, **changes: Any) -> Path:
    """The file with parts of its description replaced, and the right hash; None takes one out."""
    described = json.loads(unpack(path).description) | changes
    described = {key: value for key, value in described.items() if value is not None}
    path.write_bytes(packed(unpack(path).arrays, json.dumps(described)))
    return path


@pytest.mark.parametrize(
    "model",
    [ARTIFICIAL, SPIKING, *OTHERS],
    ids=["artificial", "spiking", "currents", "membranes", "own", "by unit"],
)
def test_a_model_comes_back_as_it_was(tmp_path: Path, model: Model) -> None:
    path = tmp_path / "deep" / "down" / "model.safetensors"
    save_model(model, path, {"task": "xor", "seed": 7})
    found = read_model_file(path)
    assert same(found.model, model)
    assert found.origin == {"task": "xor", "seed": 7}
    assert found.model.network.source is not None
    assert found.model.network.source.text == PROGRAM
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_from_before_there_were_resets_and_readouts_has_the_first_of_each(
    saved: Path,
) -> None:
    found = read_model_file(rewritten(saved, neuron=WRITTEN, readout=None)).model
    assert same(found, SPIKING)
    assert isinstance(found, SpikingModel)
    assert (found.neuron.reset, found.readout) == ("hard", "count")


def test_any_safetensors_reader_reads_the_parameters(saved: Path) -> None:
    arrays = safetensors.numpy.load_file(saved)
    assert set(arrays) == set(VALUES)
    for name, array in VALUES.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_every_truncation_is_told(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (0, 5, 8, 9, 50, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match="is cut short"):
            read_model_file(saved)


@given(st.binary(max_size=200))
def test_no_bytes_are_a_traceback(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "model.safetensors"
    path.write_bytes(body)
    with pytest.raises(ModelFileError):
        read_model_file(path)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_no_damaged_byte_is_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    path = tmp_path_factory.mktemp("damage") / "model.safetensors"
    save_model(ARTIFICIAL, path)
    body = bytearray(path.read_bytes())
    body[place % len(body)] = byte
    path.write_bytes(bytes(body))
    with suppress(ModelFileError):
        read_model_file(path)


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (trap,))

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelFileError, match="is a pickle"):
        read_model_file(path)
    path.write_bytes(b"PK\x03\x04" + bytes(26) + b"archive/data.pkl" + bytes(100))
    with pytest.raises(ModelFileError, match="PyTorch checkpoint"):
        read_model_file(path)
    assert not trap.exists()


def test_other_formats_are_told(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("dense 2 4 >> dense 4 2\n" * 10)
    with pytest.raises(ModelFileError, match="no safetensors file"):
        read_model_file(path)
    safetensors.numpy.save_file({"x": np.zeros(3)}, path)
    with pytest.raises(ModelFileError, match="but not a model of Volr's"):
        read_model_file(path)
    safetensors.numpy.save_file({}, path, {"volr.model": "{}"})
    with pytest.raises(ModelFileError, match="but not a model of Volr's"):
        read_model_file(path)
    header = b'{"x":{"dtype":"F64","shape":[9999999999],"data_offsets":[0,79999999992]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(64))
    with pytest.raises(ModelFileError, match="cut short"):
        read_model_file(path)


def test_a_file_of_a_later_layout_says_so(saved: Path) -> None:
    with safetensors.safe_open(saved, framework="numpy") as file:
        metadata = file.metadata() or {}
    safetensors.numpy.save_file({}, saved, {**metadata, "volr.version": "99"})
    with pytest.raises(ModelFileError, match="layout '99'"):
        read_model_file(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"program": "dense 2 3 >> dense 3 2"}, "dense_3.bias is not a parameter"),
        ({"program": "dense 2 4 ⦶ dense 3 2"}, "takes 3"),
        ({"program": None}, "no 'program'"),
        ({"program": 7}, "no 'program'"),
        ({"kind": "quantum"}, "kind 'quantum'"),
        ({"neuron": None}, "no 'neuron'"),
        ({"neuron": {"name": "hodgkin", "parameters": {}}}, "no neuron model 'hodgkin'"),
        ({"neuron": {"name": "if_curr_delta", "parameters": {"tau_m": "x"}}}, "'tau_m'"),
        ({"neuron": {"name": "if_curr_delta", "parameters": {"tau_m": -1}}}, "tau_m is -1"),
        ({"neuron": {**WRITTEN, "reset": "soft"}}, "reset is 'soft'"),
        ({"neuron": {**WRITTEN, "reset": 3}}, "reset is 3"),
        ({"readout": "rate"}, "readout is 'rate'"),
        ({"readout": 3}, "readout is 3"),
        ({"coding": {"name": "current"}}, "'rate_max'"),
        ({"dt": True}, "'dt'"),
        ({"dt": 0.4}, "whole number"),
        ({"duration": 1e400}, "duration is inf"),
        ({"duration": 10**400}, "'duration' beyond all numbers"),
        ({"duration": 1e12}, "more than 1,000,000 steps"),
        ({"neuron": {"name": "if_curr_delta", "parameters": {}}}, "lacks the neuron parameters"),
        ({"origin": {"seed": -1}}, "the seed -1"),
        ({"origin": {"seed": "x"}}, "the seed 'x'"),
        ({"origin": {"seed": True}}, "'seed' is neither"),
        ({"origin": {"task": 3}}, "the task 3"),
    ],
)
def test_a_description_that_disagrees_is_told(
    saved: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        read_model_file(rewritten(saved, **changes))
    assert str(saved) in str(caught.value)
    assert message in str(caught.value)


def test_shapes_that_disagree_with_the_program_are_told(saved: Path) -> None:
    text = unpack(saved).description
    saved.write_bytes(packed({**VALUES, "dense_1.bias": np.zeros(4)}, text))
    with pytest.raises(ModelFileError, match=r"dense_1\.bias has the shape \(4,\)"):
        read_model_file(saved)
    saved.write_bytes(packed({**VALUES, "dense_1.bias": np.full(3, np.nan)}, text))
    with pytest.raises(ModelFileError, match="not finite"):
        read_model_file(saved)


def test_places_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="No such file"):
        read_model_file(tmp_path / "nowhere")
    with pytest.raises(ModelFileError, match="Is a directory"):
        read_model_file(tmp_path)
    with pytest.raises(ModelFileError, match="cannot write"):
        save_model(ARTIFICIAL, tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ModelFileError, match="cannot write"):
        save_model(ARTIFICIAL, blocked / "model.safetensors")


def test_a_write_that_fails_leaves_the_old_file(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match="No space left"):
        save_model(ARTIFICIAL, saved)
    monkeypatch.undo()
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


OLD = Path(__file__).with_name("written_by_0_1_0")


@pytest.mark.parametrize("name", ["ann", "snn", "membrane"])
def test_files_of_0_1_0_are_read_and_said_to_be_unchecked(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    network = to_network("// kept\ndense 2 3 ⦶ dense 3 2")
    values = json.loads((OLD / "parameters.json").read_text())
    written: dict[str, tuple[Model, dict[str, str | int]]] = {
        "ann": (ArtificialModel(network, values, Tanh()), {"task": "xor", "seed": 3}),
        "snn": (
            SpikingModel(
                network=network,
                parameters=values,
                neuron=IFCurrExp(tau_m=11.0, v_reset=-66.5, reset="subtract"),
                coding=Poisson(123.0),
                dt=0.1,
                duration=33.3,
                delay=0.7,
            ),
            {"task": "nand", "seed": 0, "ann": "ann.safetensors"},
        ),
        "membrane": (
            SpikingModel(
                network=network,
                parameters=values,
                neuron=IFCondExp(e_rev_I=-81.0),
                coding=ConstantCurrent(500.0),
                readout="membrane",
            ),
            {},
        ),
    }
    found = read_model_file(OLD / f"{name}.safetensors")
    model, origin = written[name]
    assert same(found.model, model)
    assert found.origin == origin
    assert not found.checked
    assert "of Volr 0.1.0, without a hash" in caplog.text


def test_a_file_of_now_is_checked(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_model_file(saved).checked
    assert not caplog.records


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ({"seed": -1}, "the seed -1, not a whole number"),
        ({"seed": 1.5}, "the seed 1.5"),
        ({"seed": "3"}, "the seed '3'"),
        ({"seed": True}, "whose 'seed' is neither text nor a number"),
        ({"task": 3}, "the task 3"),
        ({"note": None}, "whose 'note' is neither"),
        ({"note": [1]}, "whose 'note' is neither"),
        ({"note": Path("x")}, "whose 'note' is neither"),
        ({"note": float("nan")}, "whose 'note' is nan"),
        ({"note": 1e400}, "whose 'note' is inf"),
        ({"note": 10**5000}, "whose 'note' is a number beyond"),
        ({"note": 2**63}, "whose 'note' is a number beyond"),
        ({7: "x"}, "the name 7"),
        ("xor", "that is 'xor'"),
        ([("task", "xor")], "not texts and numbers by name"),
    ],
)
def test_an_origin_that_would_not_be_read_is_not_written(
    saved: Path, origin: Any, said: str
) -> None:
    before = saved.read_bytes()
    with pytest.raises(ModelFileError, match="cannot be written") as caught:
        save_model(ARTIFICIAL, saved, origin)
    assert said in str(caught.value)
    assert saved.read_bytes() == before


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.text(max_size=8) | st.integers(-(2**70), 2**70) | st.floats() | st.none(),
        max_size=4,
    )
)
def test_what_is_written_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, origin: Any
) -> None:
    path = tmp_path_factory.mktemp("origin") / "model.safetensors"
    try:
        save_model(ARTIFICIAL, path, origin)
    except ModelFileError:
        assert not path.exists()
    else:
        found = read_model_file(path)
        assert found.origin == origin
        assert same(found.model, ARTIFICIAL)


def test_numbers_of_numpys_are_written_as_pythons(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = replace(SPIKING, dt=np.float32(0.5), duration=50, delay=np.int64(1))
    save_model(model, path, {"seed": np.int64(3), "rate": np.float32(0.5)})  # type: ignore[dict-item]
    found = read_model_file(path)
    assert same(found.model, replace(SPIKING, dt=0.5, duration=50.0, delay=1.0))
    assert found.origin == {"seed": 3, "rate": 0.5}


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    save_model(SPIKING, a, {"seed": 1, "task": "xor"})
    save_model(read_model_file(a).model, b, {"task": "xor", "seed": 1})
    assert a.read_bytes() == b.read_bytes()


def test_a_network_that_is_not_its_programs_is_not_written(tmp_path: Path) -> None:
    other = replace(NETWORK, source=to_network("dense 2 3 ⦶ dense 3 2").source)
    with pytest.raises(ModelFileError, match="not the one that its program describes"):
        save_model(ArtificialModel(other, VALUES), tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
