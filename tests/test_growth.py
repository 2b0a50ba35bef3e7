"""What a new concept needs: one is made up, in a copy of the source, and used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.needs import needs_nest, needs_numba

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
from volr.models.files import load_model, save_model
from volr.neurons import neuron_model
from volr.transfer import TransferSettings
from volr.verification import verify
from volr.verification.examples import random_snn, random_stimuli

network = volr.to_network("dense 3 4 >> dense 4 2")
neuron = neuron_model("if_curr_short", {"tau_refrac": 0.5})
model = random_snn(network, TransferSettings(neuron=neuron))
save_model(model, "made_up", {})
assert load_model("made_up").model == model
found = verify(model, volr.backend("nest"), random_stimuli(network, 3))
assert not found.differences, found.differences
assert found.behaviour is not None and found.behaviour.first_difference is None
print(type(model.neuron).__name__, model.neuron.tau_m)
"""


def insert(path: Path, after: str, line: str) -> None:
    """Add a line after the one that there is."""
    text = path.read_text(encoding="utf-8")
    assert text.count(after) == 1
    path.write_text(text.replace(after, f"{after}\n{line}"), encoding="utf-8")


@needs_nest
@needs_numba
def test_a_neuron_model_is_a_file_and_a_row_for_each_back_end(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    volr = tmp_path / "src" / "volr"
    shutil.copytree(ROOT / "src" / "volr", volr, ignore=ignored)
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
    done = subprocess.run(
        [sys.executable, "-P", "-c", USED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "IFCurrShort 3.0\n"
