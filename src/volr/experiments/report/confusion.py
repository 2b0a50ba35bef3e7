"""Which label got which answer: a table of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from volr.experiments.report.style import BLUE, ORANGE, SMALL, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from volr.experiments.report.groups import Group
    from volr.experiments.report.style import Drawing

_LABEL_CELLS = 12  # classes beyond which a cell of a confusion matrix is too small for a number
_SHOWN_SHARE = 0.0005  # shares below would read 0.0


def confusion_figure(name: str, group: Group) -> Drawing | None:
    """Which label got which answer, all runs together, in per cent of the label's samples."""
    tables = [np.array(run.confusion, dtype=np.float64) for run in group.runs if run.confusion]
    if not tables:
        return None
    # Files that were changed by hand may differ in their classes: how many are shown is told.
    tables = [each for each in tables if each.shape == tables[0].shape]
    table = np.array(tables).sum(axis=0)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    wrong = shares * (1.0 - np.eye(len(shares)))
    worst = max(float(wrong.max()), 1e-9)
    label, answer = divmod(int(wrong.argmax()), len(wrong))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        classes = len(shares)
        for row in range(classes):
            for column in range(classes):
                share = float(shares[row, column])
                right = row == column
                depth = share if right else float(np.sqrt(share / worst))
                axes.add_patch(
                    Rectangle(
                        (column - 0.48, row - 0.48),
                        0.96,
                        0.96,
                        facecolor=BLUE if right else ORANGE,
                        # Never so deep that the letters on it could not be read.
                        alpha=0.04 + 0.46 * depth,
                        linewidth=0.0,
                    )
                )
                if share >= _SHOWN_SHARE and classes <= _LABEL_CELLS:
                    axes.text(
                        column,
                        row,
                        f"{100 * share:.1f}",
                        ha="center",
                        va="center",
                        fontsize=SMALL,
                        in_layout=False,
                    )
        axes.set_xlim(-0.5, classes - 0.5)
        axes.set_ylim(classes - 0.5, -0.5)
        axes.set_aspect("equal")
        ticks = range(0, classes, 1 if classes <= _LABEL_CELLS else classes // 10)
        axes.set_xticks(ticks)
        axes.set_yticks(ticks)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel("answer")
        axes.set_ylabel("label")

    most = (
        f"The commonest mistake: {answer} for {label}, {100 * wrong.max():.1f} %."
        if wrong.max() > 0
        else "There is no mistake."
    )
    many = len(table) > 4
    return drawing(
        name,
        f"Answers of {group.label}",
        f"Per cent of each label's samples, {len(tables)} runs together. {most}",
        draw,
        height=4.3 if many else 2.4,
    )
