"""Where the engine computes: on the processor, with its own kernels, or on a GPU, through PyTorch.

cpu   the processor
cuda  a GPU that PyTorch can use; an error where there is none
auto  a GPU where there is one, else the processor
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, TypeAlias, get_args

from volr.errors import BackendError, MissingError

Device: TypeAlias = Literal["cpu", "cuda", "auto"]
DEVICES: tuple[Device, ...] = get_args(Device)


def device_of(asked: Device) -> Literal["cpu", "cuda"]:
    """Where to compute. ``MissingError`` for ``cuda`` without a GPU, ``BackendError`` for a word
    that is none of ``DEVICES``.
    """
    if asked not in DEVICES:
        raise BackendError(f"{asked!r} is no device", help=f"these are: {', '.join(DEVICES)}")
    if asked == "cpu":
        return "cpu"
    problem = cuda_problem()
    if problem is None:
        return "cuda"
    if asked == "cuda":
        raise MissingError(
            f"no GPU can be used: {problem}",
            help="take the processor: --device cpu, or device='cpu' in Python",
        )
    return "cpu"


def device_name(device: Literal["cpu", "cuda"]) -> str:
    """The device in words: ``the processor``, or the name of the GPU."""
    if device == "cpu":
        return "the processor"
    import torch

    return f"the GPU {torch.cuda.get_device_name()}"


def cuda_problem() -> str | None:
    """Why no GPU can be used; None where one can."""
    if find_spec("torch") is None:
        return "PyTorch is not installed (pip install 'volr[torch]')"
    try:
        import torch
    except (ImportError, OSError) as error:
        return f"PyTorch cannot be imported: {error}"
    if torch.version.cuda is None and torch.version.hip is None:
        return f"PyTorch {torch.__version__} is a build for processors alone"
    if not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} finds none; nvidia-smi shows whether the driver does"
    return None
