"""The proof in a model's file: a model that was changed after it is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.whole import POOLS, SKIP, staircase

from volr.errors import ModelFileError
from volr.exact.first_spikes import to_first_spikes
from volr.exact.proof import prove
from volr.model_files.container import packed, unpack
from volr.model_files.model_file import load_model, save_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("program", [SKIP, POOLS])
def test_models_and_their_proofs_come_back_the_same(tmp_path: Path, program: str) -> None:
    ann = staircase(program, 6)
    for model in (ann, to_first_spikes(ann, dt=0.1, delay=0.2)):
        save_model(model, tmp_path / "model")
        assert load_model(tmp_path / "model") == model
    written = json.loads(unpack(tmp_path / "model").description)
    proof = prove(to_first_spikes(ann, dt=0.1, delay=0.2))
    assert written["proof"]["hold"] == proof.hold
    assert written["proof"]["populations"]["dense_1" if program == SKIP else "conv_1"] == {
        "largest": proof.populations[0].largest,
        "error": proof.populations[0].error,
    }
    assert written["program"] == program


def test_a_model_without_a_proof_is_not_written(tmp_path: Path) -> None:
    model = to_first_spikes(staircase(SKIP, 6))
    leaky = replace(model, neuron=replace(model.neuron, tau_m=1e5))
    with pytest.raises(ModelFileError, match=r"tau_m is 100000.0, not inf"):
        save_model(leaky, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_model_that_was_changed_after_its_proof_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    model = to_first_spikes(staircase(SKIP, 6))
    save_model(model, path)
    contents = unpack(path)
    described = json.loads(contents.description)

    def written(**changes: object) -> None:
        path.write_bytes(packed(arrays, json.dumps({**described, **changes})))

    arrays = {name: np.array(each) for name, each in contents.arrays.items()}
    arrays["dense_1->dense_2.weight"][1, 2] += 2.0**-8
    written()
    with pytest.raises(ModelFileError, match=r"changed after its proof: .*clock->dense_2"):
        load_model(path)
    arrays = dict(contents.arrays)
    # A later Volr may know better what simulators round.
    written(
        proof={
            **described["proof"],
            "populations": {
                name: {**each, "error": 0.125}
                for name, each in described["proof"]["populations"].items()
            },
        }
    )
    assert load_model(path) == model
    for change, said in (
        ({"proof": {**described["proof"], "hold": 1}}, "proof, which is of other numbers"),
        ({"proof": {**described["proof"], "populations": {}}}, "proof, which is of other"),
        ({"proof": {**described["proof"], "populations": [1]}}, "proof, which is of other"),
        ({"proof": None}, "first spikes and no proof"),
        ({"coding": {"name": "first-spike", "levels": 6, "step": 199}}, "v_thresh"),
        ({"coding": {"name": "first-spike", "levels": 1, "step": 201}}, "2 are the fewest"),
        ({"coding": {"name": "first-spike", "levels": 6}}, "no 'step'"),
        ({"delays": {}}, "arrive from the steps"),
        ({"delays": {"input->nowhere": 3.0}}, "no projection"),
        ({"program": "dense 3 5 ⦶ (dense 5 5 ↺ dense 5 5)"}, "leads back"),
        ({"readout": "count"}, "readout is count"),
    ):
        written(**change)
        with pytest.raises(ModelFileError, match=said):
            load_model(path)


def test_a_staircase_network_has_whole_numbers(tmp_path: Path) -> None:
    path, ann = tmp_path / "model", staircase(SKIP, 6)
    save_model(ann, path)
    kept, contents = path.read_bytes(), unpack(path)
    arrays = {name: np.array(each) for name, each in contents.arrays.items()}
    arrays["dense_1->dense_2.weight"][1, 2] += 0.25
    said = r"a weight of dense_1->dense_2 is -?\d+\.[27]5, and in a staircase network"
    with pytest.raises(ModelFileError, match=f"cannot be written: {said}"):
        save_model(replace(ann, parameters=arrays), path)
    assert path.read_bytes() == kept
    path.write_bytes(packed(arrays, contents.description))
    with pytest.raises(ModelFileError, match=f"model: {said}") as caught:
        load_model(path)
    assert "`volr quantise` makes a staircase network" in (caught.value.help or "")
