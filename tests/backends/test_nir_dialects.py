"""Dialects of NIR: the ring against the engine, and files in the hands of the real libraries."""

from __future__ import annotations

import io
import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")

from tests.engine.examples import ODD
from tests.importers import files, maps
from tests.importers.harness import LIBRARIES, READERS, Answer, Job, missing, run
from tests.importers.matrix import (
    CANONICAL,
    NETWORKS,
    PARALLEL,
    Run,
    engine_run,
    job_of,
    judged,
    model_of,
    neuron_of,
)
from tests.importers.updates import UPDATES
from tests.oracles import chain

from volr import backends, to_network
from volr.backends.expected import expected
from volr.backends.nir import dialects
from volr.backends.nir.dialects.ring import Ring, ring
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.lint import of_importers
from volr.errors import BackendError, ModelFileError, UnsupportedError
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, Reset
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from volr.backends.base import Document
    from volr.backends.nir.lint import Finding
    from volr.checks.arrays import Booleans, Floats

RESETS: tuple[Reset, ...] = ("hard", "subtract")
KINDS = ("delta", "exp")
# Maps, windows, strides and paddings that are not square, groups, and two ways into one population.
LENET = to_network(
    """
conv [1 7 8] 2 [3 2] stride:[1 2] pad:[0 1] ⦶ avgpool _ [2 1]
⦶ (conv _ 4 3 pad:1 groups:2 ⊕ conv _ 4 [1 3] pad:[0 1])
⦶ (conv _ 4 3 pad:1 ⊕ id _ ⊕ id _) ⦶ avgpool _ 2 ⦶ dense _ 3
"""
)
SHAPES = {
    "parallel": (PARALLEL, 1),
    "chain": (chain(7, 5, 3), 3),
    "odd": (ODD, 2),
    "lenet": (LENET, 2),
}


def ties(reset: Reset, tau_m: float) -> SpikingModel:
    """Each neuron of a layer hears one input, whose spike lifts it to the threshold exactly."""
    neuron = IFCurrDelta(v_thresh=-50.3, tau_m=tau_m, reset=reset)
    weight = np.zeros((5, 7))
    weight[:, :5] = neuron.theta * np.eye(5)
    values = {"input->dense_1.weight": weight, "dense_1.bias": np.zeros(5)}
    return SpikingModel(
        network=chain(7, 5), parameters=values, neuron=neuron, coding=Poisson(300.0), delay=0.5
    )


def models(resets: Collection[str]) -> dict[str, SpikingModel]:
    wanted: list[Reset] = [reset for reset in RESETS if reset in resets]
    found = {
        f"{shape} {kind} {reset}": model_of(network, neuron_of(kind, reset), delay=delay)
        for (shape, (network, delay)), kind, reset in itertools.product(
            SHAPES.items(), KINDS, wanted
        )
    }
    for reset, tau_m in itertools.product(wanted, (20.0, 3.3)):
        found[f"ties {tau_m:g} {reset}"] = ties(reset, tau_m)
    return found


# --- without the libraries ----------------------------------------------------------------------


def simulated(made: Ring, frames: Floats) -> Booleans:
    """The ring's outputs by the update that it stands for, ``[time, batch, unit]``."""
    u = np.zeros((frames.shape[1], made.units))
    i, spikes = np.zeros(u.shape), np.zeros(u.shape)
    given: list[Floats] = []
    for frame in frames:
        x = frame @ made.into.T + made.bias + spikes @ made.recurrent.T
        i = x if made.b is None else made.b * i + x
        u = made.a * u + i
        spikes = (u >= made.theta * (1 - 1e-9)).astype(np.float64)
        u = u * (1 - spikes) if made.reset == "hard" else u - made.theta * spikes
        given.append(spikes @ made.select.T)
    return np.stack(given) > 0.5


@pytest.mark.parametrize("name", models(RESETS))
def test_a_ring_is_the_network(name: str):
    made = engine_run(models(RESETS)[name], batch=4)
    assert made.spikes.any()
    np.testing.assert_array_equal(simulated(ring(made.model), made.frames), made.spikes)


def test_a_ring_needs_no_clock_where_the_membrane_starts_at_its_reset():
    model = model_of(chain(7, 5), IFCurrDelta())
    assert ring(model).units == 12
    assert ring(replace(model, neuron=IFCurrDelta(v_reset=-66.0))).units == 13
    assert ring(replace(model, neuron=IFCurrExp())).units == 7 + 5 + 7 + 2


REFUSED = {
    "no neuron": (IFCondExp(tau_refrac=0.0), "if_cond_exp", "--neuron if_curr_delta"),
    "refractory": (IFCurrDelta(tau_refrac=2.0), "refractory period", "tau_refrac=0"),
    "two currents": (IFCurrExp(tau_syn_I=7.0), "tau_syn_I 7 ms", "tau_syn_I=5"),
    "endless": (IFCurrDelta(tau_m=1e6), "tau_m is 1e+06 ms", "another --neuron-parameter tau_m"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_importer_can_say_is_refused(case: str):
    neuron, why, way = REFUSED[case]
    with pytest.raises(UnsupportedError, match="cannot express this model") as caught:
        backends.document("nir.norse").write(model_of(chain(7, 5), neuron))
    assert why in caught.value.message
    assert caught.value.help is not None
    assert way in caught.value.help


@pytest.mark.parametrize(
    ("name", "reset", "way"),
    [
        ("snntorch", "subtract", "--reset hard"),
        ("spikingjelly", "subtract", "--reset hard"),
        ("sinabs", "hard", "--reset subtract"),
    ],
)
def test_a_reset_that_the_importer_lacks_is_refused(name: str, reset: Reset, way: str):
    with pytest.raises(UnsupportedError, match="at a spike, whatever the file says") as caught:
        backends.document(f"nir.{name}").write(model_of(chain(7, 5), IFCurrDelta(reset=reset)))
    assert caught.value.help is not None
    assert way in caught.value.help


def test_more_spikes_in_a_step_than_sinabs_can_tell_are_refused():
    model = model_of(chain(7, 5), IFCurrDelta(reset="subtract", tau_m=1000.0))
    heavy = {name: 1e3 * value for name, value in model.parameters.items()}
    with pytest.raises(UnsupportedError, match="spike as often in one step"):
        backends.document("nir.sinabs").write(replace(model, parameters=heavy))


def test_membranes_that_are_read_and_artificial_models_are_refused():
    model = replace(model_of(chain(7, 5), IFCurrDelta()), readout="membrane")
    with pytest.raises(UnsupportedError, match="readout is the membrane"):
        backends.document("nir.norse").write(model)
    with pytest.raises(UnsupportedError, match="this one is artificial"):
        backends.document("nir.norse").write(ArtificialModel(model.network, model.parameters))
    with pytest.raises(BackendError, match="norse"):
        backends.document("nir.norsk")


@pytest.mark.parametrize("document", dialects.DOCUMENTS, ids=lambda each: each.name)
def test_the_largest_of_windows_is_refused_at_its_place(document: Document):
    network = to_network("conv [1 4 6] 2 3 pad:1 ⦶ maxpool _ 2")
    neuron = IFCurrDelta(reset=document.resets[0])
    with pytest.raises(UnsupportedError, match="lacks `maxpool`") as caught:
        document.write(model_of(network, neuron))
    assert "maxpool _ 2" in str(caught.value)


@pytest.mark.parametrize("name", dialects.DIALECTS)
def test_a_file_is_a_sound_one_for_whoever_it_is_meant(name: str):
    reset = "subtract" if name == "sinabs" else "hard"
    model = model_of(PARALLEL, neuron_of("exp", reset))
    data = backends.document(f"nir.{name}").write(model)[".nir"]
    assert data == backends.document(f"nir.{name}").write(model)[".nir"]
    with h5py.File(io.BytesIO(data)) as file:
        # nir 1.0.4 cannot read it.
        assert "v_reset" not in file["node/nodes/cells"]
    findings = of_importers(read_graph(data))
    assert [each.severity for each in findings if each.importer == name] == ["note"]
    for other in set(LIBRARIES) - {name}:
        assert any(
            f"for {name} alone" in each.message for each in findings if each.importer == other
        )
    python = "\n".join(backends.document(f"nir.{name}").how_to('a"b.nir'))
    compile(python, "how to", "exec")
    assert ("volr.dt" in python) == (name in {"norse", "spikingjelly"})


@pytest.mark.parametrize("document", dialects.DOCUMENTS, ids=lambda each: each.name)
def test_a_file_says_what_the_model_is(document: Document):
    for name, model in models(document.resets).items():
        assert not compare(
            expected(model, document.precision), document.read_back(document.write(model))
        ).differences, name


def test_what_differs_in_a_file_is_found():
    model = model_of(PARALLEL, IFCurrDelta(), delay=2)
    other = {name: value.copy() for name, value in model.parameters.items()}
    other["first->left.weight"][1, 2] *= -1.0
    for changed, where in (
        (replace(model, parameters=other), "first->left"),
        (replace(model, delay=1.5), "first->left"),
        (replace(model, neuron=IFCurrDelta(tau_m=19.0)), "last"),
        (replace(model, neuron=IFCurrDelta(v_thresh=-51.0)), "last"),
    ):
        document = dialects.DOCUMENTS[0]
        found = compare(
            expected(model, document.precision), document.read_back(document.write(changed))
        ).differences
        assert where in {each.where for each in found}


@pytest.mark.parametrize("document", dialects.DOCUMENTS, ids=lambda each: each.name)
def test_what_is_none_of_ours_is_refused(document: Document):
    model = model_of(
        PARALLEL, neuron_of("exp", "subtract" if "subtract" in document.resets else "hard")
    )
    data = document.write(model)[".nir"]
    other = next(each for each in dialects.DOCUMENTS if each.name != document.name)
    for garbage in (b"", b"\xff\x00" * 50, data[:-9], files.file_of(files.FILES["lif"])):
        with pytest.raises(ModelFileError):
            document.read_back({".nir": garbage})
    with pytest.raises(ModelFileError, match="did not write this NIR file for"):
        other.read_back({".nir": data})
    # As long as it was, with another name in it.
    assert b'"last"' in data
    with pytest.raises(ModelFileError):
        document.read_back({".nir": data.replace(b'["left", "last"]', b'["left", "lost"]')})


def messages(file: str, importer: str) -> list[str]:
    graph = read_graph(files.file_of(files.FILES[file]))
    return [each.message for each in of_importers(graph) if each.importer == importer]


@pytest.mark.parametrize(
    ("file", "importer", "said"),
    [
        ("lif, v_reset", "norse", "ignores v_reset = -0.3: it resets to 0"),
        ("lif", "snntorch", "takes dt = 0.0001 s, whatever the file means: beta = 0.95"),
        ("lif", "sinabs", "takes tau = 0.002 for steps"),
        ("if, r 1/dt", "spikingjelly", "takes it with `dt=0.001` alone"),
        ("branches", "norse", "gets what 'd' gave a step before"),
        ("branches", "sinabs", "reaches it after the output, depth first"),
        ("lif, several tau", "spikingjelly", "refuses neurons of different tau"),
        ("lif, several tau", "snntorch", "scales all thresholds by the least r/tau"),
        ("threshold", "norse", "leaves out Threshold, silently"),
    ],
)
def test_lint_says_what_will_be_made_of_it(file: str, importer: str, said: str):
    assert any(each.startswith(said) for each in messages(file, importer))


# --- with the libraries -------------------------------------------------------------------------


class Peers:
    """All that the libraries are asked, each of them once: importing one takes seconds."""

    def __init__(self, folder: pytest.TempPathFactory) -> None:
        self.runs: dict[str, dict[str, Run]] = {}
        self.written: dict[str, Run] = {}
        for name, each in dialects.DIALECTS.items():
            self.runs[name] = {k: engine_run(m, batch=4) for k, m in models(each.resets).items()}
        for name in (CANONICAL, *dialects.DIALECTS):
            neuron = neuron_of("delta", "subtract" if name == "sinabs" else "hard")
            self.written[name] = engine_run(model_of(NETWORKS["parallel"], neuron))
        shared = {
            f"file {k}": Job(files.file_of(g), files.FRAMES, files.DT)
            for k, g in files.FILES.items()
        }
        shared |= {f"written {k}": job_of(made, k) for k, made in self.written.items()}
        random = np.random.default_rng(1)

        def frames(*shape: int) -> Floats:
            return (random.random((6, 2, *shape)) < 0.5).astype(np.float64)

        odd = {
            f"file {k}": Job(files.file_of(g), frames(*shape), files.DT)
            for k, (g, shape) in files.ODD_FILES.items()
        }
        for name, (graph, shape) in maps.FILES.items():
            given = maps.FRAMES if shape == maps.SHAPE else frames(*shape)
            odd[f"file {name}"] = Job(files.file_of(graph), given, files.DT)
        shared |= odd
        self.answers: dict[str, Mapping[str, Answer]] = {}
        for library in LIBRARIES:
            jobs = {f"model {k}": job_of(made, library) for k, made in self.runs[library].items()}
            self.answers[library] = run(library, jobs | shared, folder.mktemp(library))
        for reader in READERS:
            self.answers[reader] = run(reader, shared, folder.mktemp("nir"))

    def of_file(self, library: str, file: str) -> Answer:
        return self.answers[library][f"file {file}"]


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Peers:
    lack = missing()
    if lack is not None:
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    return Peers(tmp_path_factory)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_library_gives_the_engines_spikes(peers: Peers, library: str):
    for name, made in peers.runs[library].items():
        answer = peers.answers[library][f"model {name}"]
        assert not isinstance(answer, str), f"{name}: {answer}"
        assert made.spikes.any()
        np.testing.assert_array_equal(answer, made.spikes, err_msg=name)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_library_gives_them_for_its_own_dialect_and_not_for_nir(peers: Peers, library: str):
    told = {
        name: judged(made, peers.answers[library][f"written {name}"])
        for name, made in peers.written.items()
    }
    assert told[library].startswith("identical")
    assert not told[CANONICAL].startswith("identical")


ODD_FILES = {**files.ODD_FILES, **maps.FILES}
ALL_FILES = {**files.FILES, **{name: graph for name, (graph, _) in ODD_FILES.items()}}


def findings_of(file: str, importer: str) -> list[Finding]:
    """What lint says of a file to one importer, or to one reader."""
    graph = read_graph(files.file_of(ALL_FILES[file]))
    return [each for each in of_importers(graph) if each.importer == importer]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", ALL_FILES)
def test_lint_knows_which_nir_reads_a_file(peers: Peers, reader: str, file: str):
    findings = findings_of(file, reader)
    answer = peers.of_file(reader, file)
    assert [each.severity for each in findings] == ["error"] * isinstance(answer, str), answer


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("file", ALL_FILES)
def test_lint_foretells_refusals(peers: Peers, library: str, file: str):
    findings = findings_of(file, library)
    answer = peers.of_file(library, file)
    if any(each.severity == "error" for each in findings):
        assert isinstance(answer, str)
    elif isinstance(answer, str):
        # What it does with this dt is no more than what it was said to do.
        assert any("alone" in each.message or "leaves out" in each.message for each in findings)


ALL_UPDATES = {**UPDATES, **maps.UPDATES}


@pytest.mark.parametrize(("library", "file"), ALL_UPDATES)
def test_updates_are_what_lint_and_dialects_take_them_to_be(peers: Peers, library: str, file: str):
    answer = peers.of_file(library, file)
    assert not isinstance(answer, str), answer
    np.testing.assert_allclose(answer, ALL_UPDATES[library, file], atol=1e-5)
