"""Jobs and answers as messages between processes: text, and the bytes of model files.

``volr.backends.processes`` sends arrays and JSON, Dask any bytes. Nothing else is sent.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from volr.experiments.execution.job import Done, Failed, Job
from volr.experiments.plan import spec_from, spec_json
from volr.experiments.store.runs import run_from, run_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.backends.messages import Arrays, Request, Settings


def job_text(job: Job) -> str:
    """The job as JSON, without its models."""
    return json.dumps(
        {
            "spec": spec_json(job.spec),
            "home": job.spec.condition.home,
            "data_dir": job.data_dir,
        }
    )


def job_from(text: str, models: Sequence[bytes]) -> Job:
    """The job that ``job_text`` wrote, with its models."""
    entries: dict[str, Any] = json.loads(text)
    # The text comes from this version of Volr, so the module is that of a condition.
    conditions = import_module(entries["home"]).CONDITIONS
    return Job(spec_from(entries["spec"], conditions), tuple(models), entries["data_dir"])


def answer_text(answer: Done | Failed) -> tuple[str, bytes]:
    """The answer as JSON, and the file of its model, empty if there is none."""
    match answer:
        case Done():
            return json.dumps({"run": run_json(answer.run)}), answer.model
        case Failed():
            return json.dumps({"failed": answer.message, "help": answer.help}), b""


def answer_from(text: str, model: bytes) -> Done | Failed:
    """The answer that ``answer_text`` wrote."""
    entries: dict[str, Any] = json.loads(text)
    if "failed" in entries:
        return Failed(entries["failed"], entries["help"])
    return Done(run_from(entries["run"]), model)


def request_of(job: Job) -> Request:
    """The job as a request to one of our processes."""
    arrays = {f"model.{index}": _array(body) for index, body in enumerate(job.models)}
    return arrays, {"job": job_text(job), "models": len(arrays)}


def job_of(arrays: Arrays, settings: Settings) -> Job:
    """The job that ``request_of`` wrote."""
    bodies = [arrays[f"model.{index}"].tobytes() for index in range(settings["models"])]
    return job_from(settings["job"], bodies)


def arrays_of(answer: Done | Failed) -> Arrays:
    """The answer as the message of one of our processes."""
    text, model = answer_text(answer)
    return {"text": _array(text.encode()), "model": _array(model)}


def answer_of(arrays: Arrays) -> Done | Failed:
    """The answer that ``arrays_of`` wrote."""
    return answer_from(arrays["text"].tobytes().decode(), arrays["model"].tobytes())


def _array(body: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.frombuffer(body, dtype=np.uint8)
