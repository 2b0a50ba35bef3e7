"""Whole numbers told by first spikes, by the million: `python -m tests.fuzz.exact --count 1000`.

Each random network of the language, of all layers, runs on the engine. The whole numbers of all its
neurons are held against those of the artificial network. The command prints how many synaptic
events and numbers there were, in which networks, and how many numbers differ. If one does, the exit
code is 1.
"""

from __future__ import annotations

import argparse
import sys

from tests.exact.networks import fuzz


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000, help="networks")
    parser.add_argument("--stimuli", type=int, default=200, help="of each")
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args(arguments)
    found = fuzz(told.count, told.seed, stimuli=told.stimuli)
    sys.stdout.write("\n".join(found.table()) + "\n")
    return 0 if found.differ == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
