"""The usual slips in Python are named, and the way out works."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from tests.needs import needs, needs_numba

import volr
from volr.backends.nir.read import Reading
from volr.model_files.model_file import read_model_file, save_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# As somebody without a type checker sees it.
API: Any = volr

pytestmark = [needs("sklearn"), needs_numba]


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One of each kind, and the nearest thing that is none."""
    network = volr.to_network("dense 2 4 ⦶ dense 4 2")
    values = {
        "input->dense_1.weight": [[1.0, -1.0]] * 4,
        "dense_1.bias": [0.1] * 4,
        "dense_1->dense_2.weight": [[0.5, -0.5, 0.2, 0.1]] * 2,
        "dense_2.bias": [0.0, 0.1],
    }
    ann = API.ArtificialModel(network, values)
    path: Path = tmp_path_factory.mktemp("arguments") / "ann"
    save_model(ann, path, {})
    data = volr.task("xor").load(seed=0)
    return {
        "network": network,
        "ann": ann,
        "snn": API.SpikingModel(network=network, parameters=values),
        "file": read_model_file(path),
        "data": data,
    }


def _run(snn: Any, **options: Any) -> None:
    with API.simulator() as engine:
        engine.run(snn, [[0.0, 1.0]], **options)


SLIPS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a file for its model": (
        lambda t: API.evaluate(t["file"], t["data"].test, API.backend("reference")),
        "evaluate: model is ModelFile(",
        "its `model` is one",
    ),
    "a path for a model": (
        lambda t: API.evaluate("snn.safetensors", t["data"].test),
        "evaluate: model is 'snn.safetensors', a str and not a model",
        "`volr.load_model(…)` reads one from a file",
    ),
    "a text for a network": (
        lambda t: API.train_ann("dense 2 4", t["data"].train),
        "train_ann: network is 'dense 2 4', a str and not a network",
        "`volr.to_network(…)` makes one",
    ),
    "a term for a network": (
        lambda t: API.train_snn(API.dense(2, 4) >> API.dense(4, 2), t["data"].train),
        "a Sequence and not a network",
        "`volr.to_network(…)` makes one",
    ),
    "settings where it runs": (
        lambda t: API.transfer_ann(t["ann"], t["data"].train, API.TransferSettings()),
        "transfer_ann: on is TransferSettings(",
        "`on` is 'engine' or another name, a back end, or a started simulator",
    ),
    "data for samples": (
        lambda t: API.train_ann(t["network"], t["data"]),
        "a Data and not samples",
        "its `train` and its `test` are samples",
    ),
    "a class where it runs": (
        lambda t: API.evaluate(t["ann"], t["data"].test, API.ArtificialBackend),
        "evaluate: on is <class 'volr.backends.base.ArtificialBackend'>, a type and nothing",
        "`on` is 'engine' or another name, a back end, or a started simulator",
    ),
    "nothing to start": (
        lambda _: API.simulator(None),
        "simulator: name is None, a NoneType and nothing to run on",
        "`name` is 'engine' or another name, a back end, or a started simulator",
    ),
    "a number where it trains": (
        lambda t: API.train_ann(t["network"], t["data"].train, on=5),
        "the name of a training back end is a text, not 5, an int",
        "choose one of torch, futhark",
    ),
    "a simulator where it trains": (
        lambda t: API.train_ann(t["network"], t["data"].train, on=API.backend("nest")),
        "there is no training back end 'nest'",
        "choose one of torch, futhark",
    ),
    "two names of one argument": (
        lambda t: API.train_ann(t["network"], t["data"].train, on="futhark", backend="torch"),
        "train_ann: on and backend are both given",
        "leave out `backend`",
    ),
    "settings that are none": (
        lambda t: API.transfer_ann(t["ann"], t["data"].train, settings=None),
        "transfer_ann: settings is None, a NoneType and not of the class TransferSettings",
        "`volr.TransferSettings(…)` makes one",
    ),
    "a number for settings of training": (
        lambda t: API.train_snn(t["network"], t["data"].train, 5),
        "train_snn: settings is 5, an int and not of the class TrainingSettings",
        "`volr.TrainingSettings(…)` makes one",
    ),
    "a number for spiking settings": (
        lambda t: API.train_in_loop(t["network"], t["data"].train, spiking=5),
        "train_in_loop: spiking is 5, an int and not of the class SpikingSettings",
        "`volr.SpikingSettings(…)` makes one",
    ),
    "an artificial model to start from": (
        lambda t: API.train_snn(t["network"], t["data"].train, start=t["ann"]),
        "an ArtificialModel and not a spiking model",
        (
            "`volr.transfer_ann(…)` makes one of it, "
            "and `volr.to_first_spikes(…)` one of whole numbers"
        ),
    ),
    "a spiking model to transfer": (
        lambda t: API.transfer_ann(t["snn"], t["data"].train),
        "a SpikingModel and not an artificial model",
        "`volr.train_ann(…)` makes one",
    ),
    "a spiking model to begin with": (
        lambda t: API.train_ann(t["network"], t["data"].train, initial=t["snn"]),
        "a SpikingModel and not an artificial model",
        "`volr.train_ann(…)` makes one",
    ),
    "two models in the wrong order": (
        lambda t: API.explain(t["snn"], t["ann"], t["data"].test),
        "explain: ann is SpikingModel(",
        "`volr.train_ann(…)` makes one",
    ),
    "data to transfer again on": (
        lambda t: API.explain(t["ann"], t["snn"], t["data"].test, train=t["data"]),
        "a Data and not samples",
        "its `train` and its `test` are samples",
    ),
    "a list for settings": (
        lambda t: API.explain(t["ann"], t["snn"], t["data"].test, settings=[]),
        "explain: settings is [], a list and not of the class TransferSettings",
        "`volr.TransferSettings(…)` makes one",
    ),
    "a text for progress": (
        lambda t: API.evaluate(t["ann"], t["data"].test, progress="x"),
        "evaluate: progress is 'x', a str and not a function",
        "`progress` is a function, or None",
    ),
    "a number for scales": (
        lambda t: API.transfer_ann(t["ann"], t["data"].train, scale=5),
        "scale is 5, an int and not scales by population",
        "give each population its volr.transfer.scaling.Scale: input, dense_1, dense_2",
    ),
    "no scales": (
        lambda t: API.transfer_ann(t["ann"], t["data"].train, scale={}),
        "scale has nothing for 'input', not a Scale",
        "give each population its volr.transfer.scaling.Scale: input, dense_1, dense_2",
    ),
    "a number for records": (
        lambda _: API.Record(spikes=5),
        "cannot record: spikes is 5, not the names of populations",
        "give a tuple of them, such as spikes=('dense_1',)",
    ),
    "a text for names": (
        lambda _: API.Record(counts="dense_1"),
        "cannot record: counts is 'dense_1', not the names",
        "give a tuple of them, such as counts=('dense_1',)",
    ),
    "no record": (
        lambda t: _run(t["snn"], record=None),
        "run: record is None, a NoneType and not of the class Record",
        "`volr.Record(…)` makes one",
    ),
    "no model to save": (
        lambda _: API.save_model(None, "model"),
        "save_model: model is None, a NoneType and not a model",
        "",
    ),
    "a file to save": (
        lambda t: API.save_model(t["file"], "model"),
        "save_model: model is ModelFile(",
        "its `model` is one",
    ),
    "a number for a path": (
        lambda t: API.save_model(t["ann"], 5),
        "save_model: path is 5, an int and not a path",
        "`path` is a text or a pathlib.Path",
    ),
    "no path to load": (
        lambda _: API.load_model(None),
        "load_model: path is None, a NoneType and not a path",
        "`path` is a text or a pathlib.Path",
    ),
    "a number to import": (
        lambda _: API.import_nir(5),
        "import_nir: file is 5, an int and not a path",
        "`file` is a text or a pathlib.Path",
    ),
    "an unknown setting": (
        lambda _: API.import_nir(b"", dtt=1),
        "there is no setting of import_nir 'dtt'",
        f"did you mean 'dt'? choose one of {', '.join(each.name for each in fields(Reading))}",
    ),
    "a text for a seed": (
        lambda _: API.task("xor").load(seed="x"),
        "the seed is 'x'; a seed is a whole number from 0 up",
        "",
    ),
    "nothing at all": (
        lambda t: API.train_ann(t["network"], None),
        "train_ann: samples is None, a NoneType and not samples",
        "",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_the_way_out(things: dict[str, Any], slip: str) -> None:
    call, said, way = SLIPS[slip]
    with pytest.raises(volr.VolrError) as caught:
        call(things)
    assert said in caught.value.message
    assert (caught.value.help or "") == way
