"""The study's command line: `python -m studies.pedersen2019`, from the root of a checkout."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from volr.cli import main

NAME = "python -m studies.pedersen2019"
HELP = """The work that Volr re-implements (Pedersen 2019), beside Volr.

\b
  python -m studies.pedersen2019 experiment nand xor --out original
  python -m studies.pedersen2019 report original
  python -m studies.pedersen2019 theory
"""
EXPERIMENT = """Measure the original's recipe and each repair of it.

As `volr experiment`, with other conditions: on the original's neuron, if_cond_exp, unless told
otherwise, and beside Volr's own ann-original, original-random, original-transferred and the steps
of the ablation: original, "+ initialisation", "+ signs", "+ biases", "+ scaling", ours,
"ours - initialisation", "ours - signs", "ours - biases", "ours - scaling".
"""
REPORT = "Write a report with the original's numbers and figures."
ROOT = Path(__file__).resolve().parents[2]


def commands() -> typer.Typer:
    """The commands of the study, two of which are Volr's own."""
    from studies.pedersen2019.theory_command import theory

    from volr.cli.app import command_line
    from volr.cli.command import Command
    from volr.cli.experiment import experiment
    from volr.cli.report import report

    app = command_line(NAME, HELP)
    app.command("experiment", cls=Command, help=EXPERIMENT)(experiment)
    app.command("report", cls=Command, help=REPORT)(report)
    app.command("theory", cls=Command)(theory)
    app.callback()(_begin)
    return app


def _begin(context: typer.Context) -> None:
    from studies.pedersen2019.study import STUDY

    from volr.system.cores import cores
    from volr.system.current_folder import absolute_path_list

    cores()  # A wrong limit is told at once, and not after some of the work.
    context.obj = STUDY
    # The processes that make runs have another current folder, and need the study too.
    folders = absolute_path_list("PYTHONPATH")
    if str(ROOT) not in folders:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *folders])


if __name__ == "__main__":
    main(commands=commands)
