"""Draw docs/images/first_spikes.svg: one digit in a network with first spikes.

    python tools/first_spikes_figure.py [FILE]

It trains a small network with a kernel and the largest of windows, quantises it to 8 levels, and
runs its spiking network on the engine. Nothing is downloaded.
"""

from __future__ import annotations

import sys
from pathlib import Path

import volr
from volr.exact.first_spikes import to_first_spikes
from volr.experiments.report.stimuli import activities
from volr.experiments.report.windows import windows_figure
from volr.quantisation import QuantisationSettings, quantise
from volr.training import TrainingSettings

PROGRAM = "conv [1 8 8] 6 3 ⦶ maxpool _ 2 ⦶ dense _ 24 ⦶ dense _ 10"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "first_spikes.svg"
LEVELS = 8


def main(picture: Path) -> None:
    """Train, quantise, transfer, simulate and draw."""
    data = volr.task("digits").load(seed=0)
    settings = TrainingSettings(epochs=20)
    ann = volr.train_ann(volr.to_network(PROGRAM), data.train, settings).model
    whole = quantise(ann, data.train, QuantisationSettings(levels=LEVELS)).model
    model = to_first_spikes(whole)
    with volr.simulator("engine") as engine:
        [shown] = activities(model, data.test, engine, most=1)
    figure = windows_figure("first-spikes", "digits", model, shown, width=6.4)
    picture.write_text(figure.svg, encoding="utf-8")
    print(f"wrote {picture}: {figure.caption}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
