"""The confusion matrix as a figure: which label got which answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgba

from volr.experiments.report.style import BLUE, ORANGE, SMALL, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from volr.experiments.report.groups import Group
    from volr.experiments.report.style import Drawing

_LABEL_CELLS = 12  # with more classes, a cell is too small for a number
_SHOWN_SHARE = 0.0005  # smaller shares would be shown as 0.0


def confusion_figure(name: str, group: Group) -> Drawing | None:
    """The answers to each label over all runs, in per cent of the label's samples."""
    tables = [np.array(run.confusion, dtype=np.float64) for run in group.runs if run.confusion]
    if not tables:
        return None
    # Files that were changed by hand may differ in their classes. The caption has the number used.
    tables = [each for each in tables if each.shape == tables[0].shape]
    table = np.array(tables).sum(axis=0)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    wrong = shares * (1.0 - np.eye(len(shares)))
    worst = max(float(wrong.max()), 1e-9)
    label, answer = divmod(int(wrong.argmax()), len(wrong))

    def draw(figure: Figure) -> None:
        axes: Any = figure.add_subplot()  # whose types lack `bar_label`
        classes = len(shares)
        # Even the deepest cell is pale enough for letters on it.
        depths = 0.04 + 0.46 * np.where(np.eye(classes), shares, np.sqrt(wrong / worst))
        for row, depth in enumerate(depths):
            cells = axes.bar(
                range(classes),
                0.96,
                width=0.96,
                bottom=row - 0.48,
                color=[to_rgba(BLUE if row == k else ORANGE, a) for k, a in enumerate(depth)],
                linewidth=0.0,
            )
            if classes <= _LABEL_CELLS:
                texts = [f"{100 * s:.1f}" if s >= _SHOWN_SHARE else "" for s in shares[row]]
                axes.bar_label(cells, texts, label_type="center", fontsize=SMALL, in_layout=False)
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
