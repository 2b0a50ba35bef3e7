"""Futhark: programs that compute the reference and its gradient, and what keeps them compiled."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.needs import skip_without

pytest.importorskip("futhark_ffi")
skip_without("futhark", "cc")

from tests.cli.running import has_ended, wait_until
from tests.oracles import chain, fork, random_parameters
from tests.readbacks import plain

from volr.backends.expected import expected
from volr.backends.futhark import FUTHARK, FUTHARK_PROGRAM, compiler, library_of, program
from volr.backends.futhark.compiler import chosen_target, compiled, library_file
from volr.backends.futhark.library import Library
from volr.backends.futhark.parameter_vector import flattened, from_bytes, to_bytes, unflattened
from volr.backends.futhark.program import RESERVED
from volr.backends.futhark.read_back import parse
from volr.backends.readback import SINGLE, Readback
from volr.backends.reference import forward
from volr.backends.refusals import missing_programs, require
from volr.errors import (
    BackendError,
    DataError,
    MissingError,
    SimulatorError,
    UnsupportedError,
)
from volr.models.activations import ACTIVATIONS, Activation, ReLU, Sigmoid
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.system.caches import cache_path, foreign_hands

if TYPE_CHECKING:
    from volr.backends.futhark.program_body import Loss
    from volr.checks.arrays import Floats, Integers

# Names that are code somewhere; two inputs, the second one first; projections that skip
# populations, in no order; an output that feeds another, and an input that is an output.
ODD = Network(
    populations=tuple(
        Population(name, (size,))
        for name, size in {"λ'": 4, '"];import"/x"': 3, "def": 5, "logits": 6, "out": 2}.items()
    ),
    projections=(
        Projection("logits", "out"),
        Projection("λ'", "out"),
        Projection("λ'", "def"),
        Projection("def", "out"),
        Projection('"];import"/x"', "logits"),
        Projection("def", "logits"),
    ),
    inputs=('"];import"/x"', "λ'"),
    outputs=("out", "λ'", "def"),
)
SMALL = chain(3, 5, 4)
TINY = "entry more (x: i64) : i64 = x + {}\n"


def model_of(
    network: Network, activation: Activation = ReLU(), size: float = 0.5
) -> ArtificialModel:
    values = random_parameters(network, np.random.default_rng(1), weight=size, bias=0.3)
    return ArtificialModel(network, values, activation)


def stimuli_for(network: Network, count: int = 7) -> Floats:
    """Numbers that float32 has, so that only the arithmetic differs."""
    drawn = np.random.default_rng(2).random((count, network.input_size), dtype=np.float32)
    return drawn.astype(np.float64)


def mean_loss(model: ArtificialModel, x: Floats, labels: Integers, loss: Loss) -> float:
    z = forward(model, x)
    onehot = np.eye(z.shape[1])[labels]
    if loss == "mse":
        return float(((z - onehot) ** 2).mean())
    top = z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z - top).sum(axis=1)) - ((z - top) * onehot).sum(axis=1)))


def assert_equal(said: Readback, model: ArtificialModel) -> None:
    found, wanted = plain(said), expected(model, SINGLE)
    assert found.populations == wanted.populations
    assert (found.inputs, found.outputs) == (wanted.inputs, wanted.outputs)
    assert found.activations == wanted.activations
    assert found.weights.keys() == wanted.weights.keys()
    assert found.biases.keys() == wanted.biases.keys()
    pairs = [(found.weights[key], value) for key, value in wanted.weights.items()]
    pairs += [(found.biases[key], value) for key, value in wanted.biases.items()]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=wanted.precision, atol=0)


# The program


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.name)
def test_the_compiler_accepts_the_program_without_a_warning(
    activation: Activation, tmp_path: Path
) -> None:
    text = program(ODD, activation, "mse" if activation == ReLU() else "cross_entropy")
    path = tmp_path / "network.fut"
    path.write_text(text, encoding="utf-8")
    # Whatever the locale.
    environment = os.environ | {"LC_ALL": "C"}
    result = subprocess.run(
        ["futhark", "check", "--Werror", path],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert max(map(len, text.splitlines())) <= 100


def test_no_name_reaches_the_code() -> None:
    text = program(ODD)
    code = [line for line in text.splitlines() if not line.startswith("--")]
    assert "\n".join(code).isascii()
    assert '"' not in "\n".join(code)
    locals_ = re.findall(r"^  let (\w+) =", text, flags=re.MULTILINE)
    parameters = re.findall(r"^entry (\w+_(?:weight|bias)\w*) ", text, flags=re.MULTILINE)
    assert not RESERVED & {*locals_[:7], *parameters}
    assert len(parameters) == 9


def test_a_program_that_does_not_learn_is_not_differentiated() -> None:
    text = program(ODD, loss=None)
    assert "vjp" not in text
    assert set(re.findall(r"^entry (\w+)", text, flags=re.MULTILINE)) < set(
        re.findall(r"^entry (\w+)", program(ODD), flags=re.MULTILINE)
    )


def test_what_the_program_calls_is_reserved() -> None:
    code = "\n".join(line.partition("--")[0] for line in program(SMALL).splitlines())
    defined = set(re.findall(r"^(?:def|entry|type) (\w+)", code, flags=re.MULTILINE))
    own = {name for name in defined if name.endswith(("_weight", "_bias"))}
    assert defined - own <= RESERVED


def test_the_network_reads_like_one() -> None:
    text = program(fork(4, 3, 6, 5))
    assert (
        """\
  let input = x :> [4]f32
  let dense_1 =
    weighted p.input_dense_1_weight input
    |> add p.dense_1_bias
    |> map relu
  let dense_2 =
    weighted p.input_dense_2_weight input
    |> add p.dense_2_bias
    |> map relu
  let dense_3 =
    weighted p.dense_1_dense_3_weight dense_1
    |> add (weighted p.dense_2_dense_3_weight dense_2)
    |> add p.dense_3_bias
  in dense_3 :> [output_size]f32
"""
        in text
    )
    # One array or number an entry point: all versions of the compiler agree on those alone.
    results = re.findall(r"^entry [^=]*\) : ([^=]*) =$", text, flags=re.MULTILINE)
    assert len(results) == 7 + 7
    assert all(re.fullmatch(r"(\[\w+\])*f32", each) for each in results)


# What it computes


def test_logits_are_the_references() -> None:
    model = model_of(ODD)
    run = FUTHARK.build(model)
    stimuli = stimuli_for(ODD)
    wanted = forward(model, stimuli)
    found = run(stimuli)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
    assert run(stimuli[:0]).shape == (0, 11)
    np.testing.assert_array_equal(run(stimuli[2:3]), found[2:3])
    np.testing.assert_array_equal(
        np.isnan(run(np.full((1, 7), np.nan))), np.ones((1, 11), dtype=np.bool_)
    )
    with pytest.raises(DataError, match=r"\[3, 5\], the network takes \[batch, 7\]"):
        run(np.zeros((3, 5)))


@pytest.mark.parametrize(
    ("network", "activation", "loss"),
    [(ODD, ReLU(), "cross_entropy"), (SMALL, Sigmoid(), "mse")],
    ids=["odd", "small"],
)
def test_loss_accuracy_and_gradient(network: Network, activation: Activation, loss: Loss) -> None:
    model = model_of(network, activation)
    library = library_of(network, activation, loss)
    x = stimuli_for(network)
    labels = np.random.default_rng(3).integers(0, network.output_size, len(x))
    given = (flattened(network, model.parameters), x.astype(np.float32), labels)
    assert library.number("loss", *given) == pytest.approx(
        mean_loss(model, x, labels, loss), rel=1e-5
    )
    right = np.mean(forward(model, x).argmax(axis=1) == labels)
    assert library.number("accuracy", *given) == pytest.approx(right)
    found = unflattened(network, library.array(library.call("gradient", *given)))
    step = 1e-6
    for name, value in model.parameters.items():
        slopes = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            ends: list[float] = []
            for change in (-step, step):
                moved = value.copy()
                moved[index] += change
                changed = ArtificialModel(network, {**model.parameters, name: moved}, activation)
                ends.append(mean_loss(changed, x, labels, loss))
            slopes[index] = (ends[1] - ends[0]) / (2 * step)
        np.testing.assert_allclose(found[name], slopes, rtol=0, atol=2e-6)
        assert np.abs(slopes).max() > 1e-4


def test_large_sums_neither_overflow_nor_have_gradients_that_are_not_numbers() -> None:
    network, activation = SMALL, Sigmoid()
    model = model_of(network, activation, size=1e4)
    x = stimuli_for(network).astype(np.float32)
    vector, labels = flattened(network, model.parameters), np.zeros(len(x), dtype=np.int64)
    squared = library_of(network, activation, "mse")
    assert np.isfinite(squared.array(squared.call("gradient", vector, x, labels))).all()
    odd = model_of(ODD, size=100.0)
    entropy = library_of(ODD, ReLU(), "cross_entropy")
    x = stimuli_for(ODD).astype(np.float32)
    given = (flattened(ODD, odd.parameters), x, labels)
    assert entropy.number("loss", *given) == pytest.approx(
        mean_loss(odd, x.astype(np.float64), labels, "cross_entropy"), rel=1e-5
    )
    assert np.isfinite(entropy.array(entropy.call("gradient", *given))).all()


def test_a_label_that_there_is_not_is_an_error_message() -> None:
    library = library_of(ODD, ReLU(), "cross_entropy")
    vector, x = flattened(ODD, model_of(ODD).parameters), stimuli_for(ODD).astype(np.float32)
    with pytest.raises(SimulatorError, match=r"failed in loss: .*Index \[11\] out of bounds"):
        library.number("loss", vector, x, np.full(len(x), 11))


# What it says that it holds


def test_the_running_program_and_the_written_one_say_what_they_hold() -> None:
    model = model_of(ODD)
    assert_equal(FUTHARK.read_back(model), model)
    for network in (ODD, SMALL, fork(2, 3, 4, 5)):
        for activation in ACTIVATIONS:
            written = model_of(network, activation)
            assert_equal(FUTHARK_PROGRAM.read_back(FUTHARK_PROGRAM.write(written)), written)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def relu (z: f32) : f32 = if z <= 0 then 0 else z", "def relu (z: f32) : f32 = z"),
        (
            "import_x_logits_2_weight = unflatten (v[50:68]",
            "import_x_logits_2_weight = unflatten (v[49:67]",
        ),
        ("with [0:2] = out", "with [6:8] = out"),
        ("= x[0:3] :>", "= x[8:11] :>"),
        ("weighted p.def_2_out_weight def_2", "weighted p.def_2_out_weight logits_2"),
        ("--   def_2   ", "--   def_2x  "),
        ("add p.logits_2_bias\n    |> map relu", "add p.logits_2_bias"),
    ],
)
def test_another_program_says_something_else(before: str, after: str) -> None:
    model = model_of(ODD)
    files = FUTHARK_PROGRAM.write(model)
    text = files[".fut"].decode()
    assert before in text
    changed = {**files, ".fut": text.replace(before, after).encode()}
    with pytest.raises((AssertionError, BackendError)):
        assert_equal(FUTHARK_PROGRAM.read_back(changed), model)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no complete `logits`"),
        ("def logits (p: parameters) =\n  let a = p.b ++ c\n\n", "`let a = p.b \\+\\+ c`"),
        ("def logits (p: parameters) =\n  in a :> [output_size]f32\n\n", "nothing called 'a'"),
    ],
)
def test_a_program_of_somebody_else_is_refused(text: str, message: str) -> None:
    files = {".fut": text.encode(), ".data": to_bytes(np.zeros(0, dtype=np.float32))}
    with pytest.raises(BackendError, match=f"not a Futhark program of Volr's: .*{message}"):
        FUTHARK_PROGRAM.read_back(files)


def test_parameters_that_do_not_fit_the_program_are_refused() -> None:
    files = FUTHARK_PROGRAM.write(model_of(SMALL))
    for data in (b"", files[".data"][:-2], b"x" * 40):
        with pytest.raises(BackendError, match="not a vector of f32"):
            FUTHARK_PROGRAM.read_back({**files, ".data": data})
    with pytest.raises(BackendError, match="takes 44 parameters, and the file beside it has 3"):
        FUTHARK_PROGRAM.read_back({**files, ".data": to_bytes(np.zeros(3, dtype=np.float32))})


def test_parameters_lie_in_the_vector_as_the_program_says() -> None:
    model = model_of(ODD)
    vector = flattened(ODD, model.parameters)
    again = from_bytes(to_bytes(vector))
    np.testing.assert_array_equal(again, vector)
    for name, value in unflattened(ODD, again).items():
        np.testing.assert_array_equal(value, model.parameters[name].astype(np.float32))
    assert max(cut.last for cut in parse(program(ODD)).cuts.values()) == len(vector)


def test_futhark_reads_the_file_of_parameters(tmp_path: Path) -> None:
    (tmp_path / "last.fut").write_text("def main [n] (v: [n]f32) : f32 = v[n - 1] + f32.i64 n\n")
    subprocess.run(["futhark", "c", "last.fut"], cwd=tmp_path, check=True)
    data = to_bytes(np.array([1.5, -2.5, 0.25], dtype=np.float32))
    result = subprocess.run([tmp_path / "last"], input=data, capture_output=True, check=True)
    assert float(result.stdout.removesuffix(b"f32\n")) == 3.25


# What is refused


def test_refusals() -> None:
    values = {name: value * 1e300 for name, value in model_of(SMALL).parameters.items()}
    with pytest.raises(UnsupportedError, match=r"input->dense_1\.weight goes beyond it"):
        FUTHARK.build(ArtificialModel(SMALL, values))
    spiking = SpikingModel(network=SMALL, parameters=model_of(SMALL).parameters)
    with pytest.raises(UnsupportedError, match="no spiking neurons"):
        FUTHARK_PROGRAM.write(spiking)


def test_importing_the_record_imports_no_framework() -> None:
    code = "import sys, volr.backends.futhark; print({'cffi', 'futhark_ffi'} & {*sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"


# The compilers


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_path("futhark")


def tiny(number: int) -> str:
    return TINY.format(number)


def fake(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_program_is_compiled_once_and_again_where_the_cache_is_damaged(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="volr"):
        folder = compiled(tiny(1), "c")
        assert folder.parent == cache
        assert Library(folder).number("more", 4) == 5
        assert compiled(tiny(1), "c") == folder
        assert len(caplog.records) == 1
        assert "compiling the network with Futhark" in caplog.text
        # Another file: the one that is loaded must not change under its process.
        library_file(folder).rename(library_file(folder).with_suffix(".old"))
        library_file(folder).write_bytes(b"\x7fELF")
        assert compiled(tiny(1), "c") == folder
        assert Library(folder).number("more", 4) == 5
        assert len(caplog.records) == 2
    assert [path.name for path in cache.iterdir()] == [folder.name]
    names = {"network.fut", "network.h", "network.so", "SHA256SUMS"}
    assert {path.name for path in folder.iterdir()} == names


def test_two_processes_may_compile_the_same_program(cache: Path) -> None:
    code = f"""
from volr.backends.futhark import compiler
from volr.backends.futhark.compiler import compiled
from volr.backends.futhark.library import Library
print(Library(compiled({tiny(2)!r}, "multicore")).number("more", 40))
"""
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [each.communicate()[0] for each in started] == ["42.0\n"] * 2
    assert len(list(cache.iterdir())) == 1


def test_where_the_cache_cannot_be_written_a_temporary_folder_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = compiled(tiny(3), "c")
    assert tmp_path not in folder.parents
    assert Library(folder).number("more", 4) == 7


def test_a_program_that_another_user_has_made_is_not_loaded(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    folder = compiled(tiny(7), "c")
    assert foreign_hands(cache) is None
    os.chown(library_file(folder), 12345, 12345)
    with caplog.at_level(logging.WARNING, logger="volr"):
        own = compiled(tiny(7), "c")
    assert cache not in own.parents
    assert Library(own).number("more", 4) == 11
    assert f"{library_file(folder)} belongs to another user" in caplog.text


def test_what_is_compiled_is_closed_to_others(cache: Path) -> None:
    before = os.umask(0)
    try:
        compiled(tiny(8), "c")
    finally:
        os.umask(before)
    assert foreign_hands(cache) is None


def test_where_the_cache_is_full_a_temporary_folder_does(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A compiler that fails for want of room, and no room for anything else there.
    real = shutil.which("futhark")
    script = f'case "$PWD" in {cache}/*) echo backtrace; exit 1;; esac; exec {real} "$@"'
    fake(tmp_path / "bin", "futhark", script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def allocate(descriptor: int, start: int, size: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(cache):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        assert (start, size > 0) == (0, True)

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", allocate)
        with caplog.at_level(logging.WARNING, logger="volr"):
            folder = compiled(tiny(9), "c")
            assert compiled(tiny(9), "c") == folder
    assert cache not in folder.parents
    assert Library(folder).number("more", 4) == 13
    assert caplog.text.count("No space left on device") == 1
    assert list(cache.iterdir()) == []
    # With room, what the compiler says is what is wrong.
    monkeypatch.setattr(compiler, "_full", set[str]())
    with pytest.raises(SimulatorError, match="backtrace"):
        compiled(tiny(10), "c")


def test_a_program_that_the_compiler_refuses(cache: Path) -> None:
    with pytest.raises(SimulatorError) as caught:
        compiled("entry more (x: i64) : i64 = y\n", "c")
    assert "futhark was ended with exit code" in caught.value.message
    assert 'Unknown name "y"' in caught.value.message
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no such flag; exit 3", "cc was ended with exit code 3 .*\nno such flag"),
        ("kill -9 $$", "cc was ended by SIGKILL"),
    ],
)
def test_a_c_compiler_that_fails(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    fake(tmp_path / "bin", "cc", script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    with pytest.raises(SimulatorError, match=message):
        compiled(tiny(4), "c")
    assert not cache.exists() or list(cache.iterdir()) == []


def test_without_a_compiler_it_is_said_how_to_get_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "bin", "cc", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert set(missing_programs(FUTHARK)) == {"futhark"}
    with pytest.raises(MissingError, match="futhark needs futhark") as caught:
        FUTHARK.build(model_of(SMALL))
    assert caught.value.help is not None
    assert "apt install futhark" in caught.value.help
    with pytest.raises(MissingError, match="futhark was not found"):
        compiled(tiny(5), "c")
    with pytest.raises(MissingError):
        require(FUTHARK)
    assert not cache.exists()


def test_an_interruption_ends_the_compiler_and_leaves_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "started"
    script = f'[ "$1" = --version ] || {{ sleep 60 & echo $! > {mark}; wait; }}'
    fake(tmp_path / "bin", "futhark", script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def interrupt() -> None:
        while not mark.exists() or not mark.read_text():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    # What a shell starts in the background ignores interruptions.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            compiled(tiny(6), "c")
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    assert list(cache.iterdir()) == []
    child = Path(f"/proc/{mark.read_text().strip()}/stat")
    deadline = time.monotonic() + 5
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_the_target_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_target() == "c"
    monkeypatch.setenv("VOLR_FUTHARK", "multicore")
    assert chosen_target() == "multicore"
    monkeypatch.setenv("VOLR_FUTHARK", "multicor")
    with pytest.raises(BackendError, match="no Futhark target 'multicor'"):
        chosen_target()


@pytest.mark.parametrize("files", [{}, {".fut": b"\xff"}, {".fut": b"\xff", ".data": b""}])
def test_what_is_no_document_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(BackendError):
        FUTHARK_PROGRAM.read_back(files)


ALONE = """
import sys
from volr.backends.futhark import compiler
from volr.backends.futhark.compiler import compiled
compiled(sys.argv[1], "c")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_takes_the_compiler_with_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    mark = tmp_path / "started"
    script = f'[ "$1" = --version ] || {{ sleep 600 & echo $$ $! > {mark}; wait; }}'
    fake(tmp_path / "bin", "futhark", script)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    with subprocess.Popen([sys.executable, "-c", ALONE, tiny(7)]) as process:
        wait_until(lambda: mark.exists() and mark.read_text().endswith("\n"))
        process.send_signal(number)
    wait_until(lambda: all(has_ended(int(each)) for each in mark.read_text().split()))
    (left,) = cache.iterdir()
    # What it has left behind is removed by the next one that compiles.
    monkeypatch.setenv("PATH", path)
    folder = compiled(tiny(7), "c")
    assert not left.exists()
    assert [*cache.iterdir()] == [folder]
