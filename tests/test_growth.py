"""What a new concept needs: one is made up, in a copy of the source, and used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.needs import needs_nest, needs_numba
from tests.test_architecture import lint_imports

ROOT = Path(__file__).resolve().parents[1]

NEURON = '''"""``if_curr_short``: a spike lifts the membrane, which soon forgets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from volr.neurons.if_curr_delta import IFCurrDelta


@dataclass(frozen=True, kw_only=True, slots=True)
class IFCurrShort(IFCurrDelta):
    """As ``if_curr_delta``, with a short memory."""

    name: ClassVar[str] = "if_curr_short"

    tau_m: float = 3.0
'''
USED = """
import volr
from volr.model_files.model_file import read_model_file, save_model
from volr.neurons import neuron_model
from volr.transfer import TransferSettings
from volr.verification import verify
from volr.verification.examples import random_snn, random_stimuli

network = volr.to_network("dense 3 4 >> dense 4 2")
neuron = neuron_model("if_curr_short", {"tau_refrac": 0.5})
model = random_snn(network, TransferSettings(neuron=neuron))
save_model(model, "made_up", {})
assert read_model_file("made_up").model == model
found = verify(model, volr.backend("nest"), random_stimuli(network, 3))
assert not found.differences, found.differences
assert found.behaviour is not None and found.behaviour.first_difference is None
print(type(model.neuron).__name__, model.neuron.tau_m)
"""


CONNECTOR = '''"""``EveryOther``: the even neurons of the source, by two weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from volr.checks.arrays import Floats
from volr.network.connectors.base import Connector, Entries, Scaling, Shape


@dataclass(frozen=True, slots=True)
class EveryOther(Connector):
    """Neuron 2j of the source to neuron j of the target; even targets share one weight, odd ones
    the other."""

    name = "every_other"

    def misfit(self, source: Shape, target: Shape) -> str | None:
        return None if math.prod(source) == 2 * math.prod(target) else "it halves"

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return (2,)

    @property
    def scaling(self) -> Scaling:
        return "tied"

    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        return weights * after[0] / before[0]

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        post = np.arange(math.prod(target))
        yield Entries(post, 2 * post, post % 2, np.where(post % 3, 0.5, 1.0))

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        post = np.arange(math.prod(target))
        return values[:, ::2] * weights[post % 2] * np.where(post % 3, 0.5, 1.0)

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        post = np.arange(math.prod(target))
        back = np.zeros((len(values), math.prod(source)))
        back[:, ::2] = values * weights[post % 2] * np.where(post % 3, 0.5, 1.0)
        return back
'''
CONNECTED = """
import numpy as np

import volr
from volr.backends import BACKENDS
from volr.backends.base import ArtificialBackend
from volr.backends.reference import forward
from volr.backends.refusals import is_ready
from volr.errors import UnsupportedError
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.network.connectors import EveryOther
from volr.neurons import IFCurrExp
from volr.verification import verify
from volr.verification.examples import random_stimuli

network = Network(
    (Population("input", (2, 6)), Population("half", (6,)), Population("out", (3,))),
    (Projection("input", "half", EveryOther()), Projection("half", "out")),
    ("input",),
    ("out",),
)
assert "every_other   6 synapses" in str(network), network
counts = "24 synapses, 29 parameters (20 weights, 9 biases), 24 multiplications"
assert counts in str(network), network
values = {
    "input->half.weight": [9.0, 5.0],
    "half->out.weight": np.random.default_rng(0).normal(2.0, 3.0, (3, 6)),
    "half.bias": np.full(6, 0.1),
    "out.bias": np.full(3, 0.2),
}
spiking = SpikingModel(network=network, parameters=values, neuron=IFCurrExp(tau_refrac=0.5))
artificial = ArtificialModel(network, values)
stimuli = random_stimuli(network, 3)
assert forward(artificial, stimuli).any()
for backend in filter(is_ready, BACKENDS):
    model = artificial if isinstance(backend, ArtificialBackend) else spiking
    try:
        found = verify(model, backend, stimuli)
    except UnsupportedError as error:
        print("refused:", error.message)
        continue
    assert not found.differences, (backend.name, found.differences)
    # The reference is what the others are held to.
    if backend.name != "reference":
        assert found.behaviour is not None
        assert found.behaviour.first_difference is None, (backend.name, found.behaviour)
    print(backend.name)
"""


BACKEND = '''"""A slow simulator: the specification of spiking networks, as a back end."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.backends.base import Record, Recordings, Simulator, SpikingBackend
from volr.backends.readback import SpikingReadback, Told, all_asked, all_told
from volr.backends.refusals import check_request, check_supported
from volr.engine.reference import simulate
from volr.models.parameters import synapse_matrix

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.backends.base import Progress
    from volr.backends.readback import Ends
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel


@dataclass(frozen=True)
class Slow:
    backend: SpikingBackend

    def run(
        self,
        model: SpikingModel,
        stimuli: ArrayLike,
        *,
        record: Record = Record(),
        seed: int = 0,
        first: int = 0,
        progress: Progress | None = None,
    ) -> Recordings:
        given = check_request(self.backend, model, stimuli, record, seed, first)
        trace = simulate(model, given, seed=seed, first=first)
        if progress is not None:
            progress(len(given))
        return Recordings(
            counts={name: trace.spikes[name].sum(axis=0) for name in record.counted(model.network)},
            spikes={name: trace.spikes[name] for name in record.spikes},
            membranes={name: trace.membranes[name] for name in record.membranes},
        )

    def read_back(self, model: SpikingModel) -> SpikingReadback:
        check_supported(self.backend, model)
        why = "it is a specification, which keeps nothing"
        names = model.network.by_name
        ends = [(each.source, each.target) for each in model.network.projections]
        return SpikingReadback(
            populations=all_told(names, why),
            inputs=Told(why),
            outputs=Told(why),
            weights=all_asked({end: self._matrix(model, end) for end in ends}),
            biases=all_told((each.name for each in model.network.layers), why),
            cells=all_told(names, why),
            delays=all_told(ends, why),
            dt=Told(why),
            precision=Told(why),
        )

    def _matrix(self, model: SpikingModel, ends: Ends) -> Floats:
        [projection] = [p for p in model.network.projections if (p.source, p.target) == ends]
        return synapse_matrix(model.network, projection, model.parameters, missing=math.nan)


def _start() -> AbstractContextManager[Simulator]:
    return nullcontext(Slow(SLOW))


SLOW = SpikingBackend(
    name="slow",
    summary="the specification of spiking networks, step by step",
    neurons=("if_curr_delta",),
    exact=("if_curr_delta",),
    codings=("current",),
    start=_start,
)
'''


SUPPORTED = """
from volr.backends.support import support_table

print(support_table())
"""


def insert(path: Path, after: str, line: str) -> None:
    """Add a line after the one that there is."""
    text = path.read_text(encoding="utf-8")
    assert text.count(after) == 1
    path.write_text(text.replace(after, f"{after}\n{line}"), encoding="utf-8")


def run(program: str, folder: Path) -> list[str]:
    """The lines that a program prints with the copy of Volr in ``folder``."""
    return run_python(folder, "-P", "-c", program)


def run_python(folder: Path, *arguments: str) -> list[str]:
    """The lines that Python prints with the copy of Volr in ``folder``."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def run_module(folder: Path, module: str, *arguments: str) -> list[str]:
    """The lines that ``python -m`` prints with the copy of Volr in ``folder``."""
    return run_python(folder, "-m", module, *arguments)


def copy(folder: Path) -> Path:
    """A copy of the package to add to, with the kernels that are already compiled."""
    volr = folder / "src" / "volr"
    # Another test may be writing one: Numba gives it its name once it is whole.
    ignored = shutil.ignore_patterns("*.pyc*", "*.tmp.*")
    shutil.copytree(ROOT / "src" / "volr", volr, ignore=ignored)
    return volr


@needs_nest
@needs_numba
def test_a_connector_is_a_file_and_its_name_among_the_others(tmp_path: Path) -> None:
    connectors = copy(tmp_path) / "network" / "connectors"
    (connectors / "every_other.py").write_text(CONNECTOR, encoding="utf-8")
    insert(
        connectors / "__init__.py",
        "from volr.network.connectors.base import Connector, Entries, Scaling, Shape, by_channel",
        "from volr.network.connectors.every_other import EveryOther",
    )
    said = run(CONNECTED, tmp_path)
    assert {"reference", "engine", "nest"} <= set(said)
    refused = [line for line in said if line.startswith("refused: ")]
    assert all("lacks the connector 'every_other'" in line for line in refused)
    assert {line.split()[1] for line in refused} <= {"torch", "onnx", "futhark"}


@needs_nest
@needs_numba
def test_a_neuron_model_is_a_file_and_a_row_for_each_back_end(tmp_path: Path) -> None:
    volr = copy(tmp_path)
    neurons = volr / "neurons"
    (neurons / "if_curr_short.py").write_text(NEURON, encoding="utf-8")
    # Its name among the others, the engine's row with the kernels that it has, and NEST's.
    insert(
        neurons / "__init__.py",
        "from volr.neurons.if_curr_exp import IFCurrExp",
        "from volr.neurons.if_curr_short import IFCurrShort",
    )
    models = neurons / "__init__.py"
    text = models.read_text(encoding="utf-8")
    models.write_text(text.replace("IFCurrExp, IFCondExp)", "IFCurrExp, IFCondExp, IFCurrShort)"))
    dynamics = volr / "engine" / "cpu" / "dynamics.py"
    insert(
        dynamics,
        "from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel",
        "from volr.neurons import IFCurrShort",
    )
    insert(
        dynamics,
        "KERNELS: Mapping[type[NeuronModel], _Kernels] = {",
        "    IFCurrShort: _Kernels(_delta, _delta, _delta_back),",
    )
    insert(
        volr / "backends" / "nest" / "translation.py",
        "NEURONS: dict[tuple[str, str], Translation] = {",
        '    ("if_curr_short", "hard"): '
        'Translation("iaf_psc_delta", "V_th", 1.0, (*_LEAKY, *_HARD)),',
    )
    assert run(USED, tmp_path) == ["IFCurrShort 3.0"]


@needs_numba
def test_a_back_end_is_a_file_and_its_place_in_the_list(tmp_path: Path) -> None:
    """Whatever goes through the list has it then: the conformance suite, the table of what is
    supported, the contracts on imports.
    """
    backends = copy(tmp_path) / "backends"
    (backends / "slow.py").write_text(BACKEND, encoding="utf-8")
    insert(
        backends / "__init__.py",
        "from volr.backends.reference import REFERENCE",
        "from volr.backends.slow import SLOW",
    )
    listed = backends / "__init__.py"
    text = listed.read_text(encoding="utf-8")
    assert text.count("*(ENGINE, NEST,") == 1
    listed.write_text(text.replace("*(ENGINE, NEST,", "*(ENGINE, SLOW, NEST,"), encoding="utf-8")
    for name in ("tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    suite = "tests/backends/test_conformance.py"
    said = run_module(tmp_path, "pytest", suite, "-q", "-k", "slow", "-p", "no:cacheprovider")
    assert "passed" in said[-1], said
    assert "failed" not in said[-1], said
    assert lint_imports(tmp_path).returncode == 0
    [row] = [line for line in run(SUPPORTED, tmp_path) if "slow" in line]
    assert "if_curr_delta" in row
