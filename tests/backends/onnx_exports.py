"""ONNX files as other programs export them: PyTorch by both exporters, Keras and scikit-learn."""

from __future__ import annotations

import io
import logging
import os
import warnings
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

# Keras chooses what it runs on when it is imported first.
os.environ["KERAS_BACKEND"] = "torch"

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn


class Quiet:
    """Exporters tell what they do, and warn of what they will do in later versions."""

    def __enter__(self) -> None:
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")
        self._out, self._err = redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO())
        self._out.__enter__()
        self._err.__enter__()
        self._level = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *given: object) -> None:
        logging.disable(self._level)
        self._err.__exit__(None, None, None)
        self._out.__exit__(None, None, None)
        self._caught.__exit__(None, None, None)


def by_torchscript(module: nn.Module, shape: tuple[int, ...], path: Path, **more: Any) -> Path:
    """The file of PyTorch's older exporter."""
    with Quiet():
        torch.onnx.export(
            module.eval(),
            (torch.zeros(2, *shape),),
            path,
            dynamo=False,
            input_names=["stimuli"],
            dynamic_axes={"stimuli": {0: "batch"}},
            **more,
        )
    return path


def by_dynamo(module: nn.Module, shape: tuple[int, ...], path: Path, **more: Any) -> Path:
    """The file of PyTorch's newer exporter, and another one with its numbers."""
    pytest.importorskip("onnxscript")
    with Quiet():
        torch.onnx.export(
            module.eval(),
            (torch.zeros(2, *shape),),
            path,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
            verbose=False,
            **more,
        )
    return path


def by_keras(model: Any, path: Path) -> Path:
    """The file of Keras 3 on PyTorch."""
    model(np.zeros((2, *model.input_shape[1:]), dtype=np.float32))
    with Quiet():
        model.export(path, format="onnx", verbose=False)
    return path


def by_skl2onnx(fitted: Any, size: int, path: Path, **more: Any) -> Path:
    """The file of scikit-learn's own converter."""
    convert = pytest.importorskip("skl2onnx").to_onnx
    with Quiet():
        path.write_bytes(
            convert(fitted, np.zeros((1, size), np.float32), **more).SerializeToString()
        )
    return path
