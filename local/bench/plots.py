"""Plots of what was measured, as PNG beside docs/measured.md."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from local.bench.report import PLOTS

DOTS_PER_INCH = 110
mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})


# A part has one colour in every plot.
COLORS = {
    "botocore": "C0",
    "pydantic": "C1",
    "powertools": "C2",
    "tillflow": "C3",
    "Python": "C4",
    "running": "C5",
    "cryptography": "C6",
}


def parts(name: str, title: str, bars: Mapping[str, Mapping[str, float]], limits: Mapping[str, float], unit: str) -> None:
    """Draw a bar for each of *bars*, stacked of its parts, with a mark at its limit; the first is at the top."""
    figure = Figure(figsize=(9, 1.5 + 0.28 * len(bars)), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots()
    left = dict.fromkeys(bars, 0.0)
    for part in next(iter(bars.values())):
        widths = [bar[part] for bar in bars.values()]
        axes.barh(list(bars), widths, left=list(left.values()), label=part, height=0.7, color=COLORS[part])
        left = {bar: left[bar] + bars[bar][part] for bar in bars}
    rows = list(bars)
    axes.plot(list(limits.values()), [rows.index(bar) for bar in limits], "k|", markersize=11, label="budget")
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    figure.legend(loc="outside lower center", ncols=len(next(iter(bars.values()))) + 1, frameon=False)
    _save(figure, name)


def curves(
    name: str, title: str, across: str, steps: Sequence[float], panels: Mapping[str, Mapping[str, tuple[Sequence[float], str]]]
) -> None:
    """
    Draw panels side by side, each with its curves (their values and matplotlib's style) over the same *steps*.

    What they show lies orders of magnitude apart: both scales are logarithmic.
    """
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    figure.suptitle(title)
    for axes, (unit, lines) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for label, (values, style) in lines.items():
            axes.plot(steps, values, style, marker="o", label=label, markersize=4)
        axes.set(
            xlabel=across, ylabel=unit, xscale="log", yscale="log", xticks=steps, xticklabels=[f"{step:g}" for step in steps]
        )
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(axis="y", alpha=0.3)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    _save(figure, name)


def _save(figure: Figure, name: str) -> None:
    PLOTS.mkdir(parents=True, exist_ok=True)
    # Without the date in it, an equal plot is an equal file.
    figure.savefig(PLOTS / f"{name}.png", dpi=DOTS_PER_INCH, metadata={"Software": None})
