"""How checking and lowering grow with the program: time and peak memory, a process each.

Both growths should be linear: the columns per layer stay level from top to bottom. The last
programs have a mistake, and are not lowered; checking them should be linear, too. At the end stands
a VGG-11 of some ten million weights: the time of everything but the start of Python, and the memory
of the network and of a model of it.
"""

from __future__ import annotations

import subprocess
import sys

SHAPES = {
    "in sequence": "' ⦶ '.join(['dense 1 1'] * n)",
    "side by side": "' ⊖ '.join(['dense 1 1'] * n)",
    "nested in parentheses": "'(' * n + 'dense 1 1' + ')' * n",
    "nested to the right": "'dense 1 1 ⦶ (' * n + 'dense 1 1' + ')' * n",
    "calls of a function": "'let f n = dense _ n in dense 1 2 ⦶ ' + ' ⦶ '.join("
    "f'f {i % 7 + 1}' for i in range(n))",
    "functions of functions": "'let f0 x = x in ' + ''.join("
    "f'let f{i + 1} x = f{i} x in ' for i in range(n)) + f'f{n} (dense 1 1)'",
    "nested calls": "'let f x = x ⦶ dense _ 1 in ' + 'f (' * n + 'dense 1 1' + ')' * n",
    "nested brackets": "'dense ' + '[' * n + '1' + ']' * n + ' 1'",
    "nested sums": "'dense 1 1 ⊕ (' * n + 'dense 1 1' + ')' * n",
    "nested loops": "'dense 1 1 ↺ (' * n + 'dense 1 1' + ')' * n",
    "nested lets": "''.join(f'let x{i} = dense 1 1 in ' for i in range(n)) + 'x0'",
    "one without a size": "' ⦶ '.join(['dense 1 1'] * n) + ' ⦶ dense 1 ⦶ dense 1 1'",
    "never closed": "'(' * n + 'dense 1 1'",
    "one wrong number": "'let a = 2 in ' + ' ⦶ '.join(['dense 1 1 ⦶ dense a a'] * (n // 2))",
}
MEASURE = """
import resource, time
from volr.errors import ProgramError
from volr.language import check, lower
n = {n}
text = {text}
started = middle = time.perf_counter()
try:
    checked = check(text)
    middle = time.perf_counter()
    lower(checked.term)
    done = time.perf_counter()
except ProgramError:
    done = middle = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(middle - started, done - middle, peak)
"""
VGG = """
let layer n = conv _ n 3 pad:1 in
conv [3 32 32] 64 3 pad:1 ⦶ maxpool _ 2 ⦶ layer 128 ⦶ maxpool _ 2
⦶ layer 256 ⦶ layer 256 ⦶ maxpool _ 2 ⦶ layer 512 ⦶ layer 512 ⦶ maxpool _ 2
⦶ layer 512 ⦶ layer 512 ⦶ maxpool _ 2 ⦶ dense _ 1024 ⦶ dense _ 10
"""
MEASURE_VGG = """
import time
started = time.perf_counter()
from volr.language import check, lower
network = lower(check({text!r}).term)
lowered = time.perf_counter()
str(network)
listed = time.perf_counter()
import tracemalloc
import numpy as np
from volr import ArtificialModel
from volr.models.parameters import parameter_shapes
shapes = parameter_shapes(network)
tracemalloc.start()
again = lower(check({text!r}).term)
alone, _ = tracemalloc.get_traced_memory()
values = dict((name, np.zeros(shape)) for name, shape in shapes.items())
before, _ = tracemalloc.get_traced_memory()
tracemalloc.reset_peak()
model = ArtificialModel(again, values)
after, peak = tracemalloc.get_traced_memory()
weights = sum(each.nbytes for each in values.values())
print(lowered - started, listed - lowered, alone, after - before, peak - before, weights)
"""


def vgg() -> None:
    command = [sys.executable, "-c", MEASURE_VGG.format(text=VGG)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, listing, network, model, peak, weights = map(float, printed.split())
    print(f"VGG-11: import, check and lower {seconds:.2f} s, listing {listing:.3f} s")
    print(
        f"  weights {weights / 2**20:.1f} MiB, network {network / 2**20:.2f} MiB, "
        f"model {model / 2**20:.1f} MiB, at most {peak / 2**20:.1f} MiB"
    )


def main() -> None:
    print(f"{'program':<22} {'layers':>8} {'check s':>8} {'lower s':>8} {'µs/layer':>9} {'MB':>6}")
    for name, text in SHAPES.items():
        for n in (1_000, 10_000, 100_000):
            command = [sys.executable, "-c", MEASURE.format(n=n, text=text)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            check, lower, peak = map(float, printed.split())
            each = (check + lower) / n * 1e6
            print(f"{name:<22} {n:>8,} {check:>8.2f} {lower:>8.2f} {each:>9.1f} {peak:>6.0f}")
    vgg()


if __name__ == "__main__":
    main()
