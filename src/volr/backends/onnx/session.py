"""An ONNX graph in ONNX Runtime, on the CPU.

The session runs the graph node by node as it was written. ONNX Runtime's own rewriting of graphs
has next to nothing to gain here (measured: no difference from 784-512-10 upwards), and without it
what the session holds can be read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from volr.backends.onnx.graph import LOGITS, STIMULI, onnx_bytes
from volr.backends.onnx.read_back import contents
from volr.checks.batches import check_batch
from volr.system.temporary import Workplace

if TYPE_CHECKING:
    from pathlib import Path

    from volr.backends.base import Forward
    from volr.backends.readback import ArtificialReadback
    from volr.checks.arrays import Floats
    from volr.models.model import ArtificialModel

LARGE = 200_000
"""Synapses of a network that is worth more than one thread: twice as fast on two cores at 400,000,
a sixth at 10,000."""
ERRORS = 3
"""The severity from which on ONNX Runtime logs."""
FATAL = 4
"""The same for files that may be wrong: their errors are raised, too."""


def build(model: ArtificialModel) -> Forward:
    """The model's forward function in float32; ``DataError`` for stimuli that do not fit."""
    session = _session(model)
    size = model.network.input_size

    def forward(stimuli: Floats) -> Floats:
        check_batch(stimuli.shape, size)
        (logits,) = session.run([LOGITS], {STIMULI: stimuli.astype(np.float32)})
        return logits.astype(np.float64)

    return forward


def read_back(model: ArtificialModel) -> ArtificialReadback:
    """What a session holds: the graph that it writes down when it is asked to."""
    with Workplace("volr-onnx") as folder:
        written = folder / "held.onnx"
        _session(model, written)
        return contents(written.read_bytes())


def _session(model: ArtificialModel, written: Path | None = None) -> onnxruntime.InferenceSession:
    return opened(
        onnx_bytes(model), threads=1 if model.network.synapse_count < LARGE else 0, written=written
    )


def opened(
    data: bytes, *, threads: int = 0, written: Path | None = None, severity: int = ERRORS
) -> onnxruntime.InferenceSession:
    """A session with the file of these bytes.

    It has as many ``threads`` as there are cores, if not told otherwise. It writes what it holds to
    the file ``written``, if that is given. It logs what is of this ``severity`` or worse.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = severity
    options.intra_op_num_threads = threads
    # Threads that wait for work in a loop take the cores from whatever comes next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if written is not None:
        options.optimized_model_filepath = str(written)
    return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
