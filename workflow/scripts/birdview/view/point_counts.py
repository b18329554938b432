"""Summarise what happened to the points of all scans, as a table and as a chart."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from birdview.counts import Counts
from birdview.files import PathLike, format_table, write_atomically
from birdview.reproduce.manifest import Row, read_manifest
from birdview.view.charts import STYLE

TITLES = {
    "drawn": "points drawn",
    "cells": "pixels with a point",
    "outside": "points outside the region",
    "outside_height": "points outside only because of their height",
    "no_return": "beams without a return",
    "dropped": "points left out by the layout's keep or drop",
    "vehicle": "points on the vehicle",
    "duplicate": "duplicates of points",
    "hidden": "points that the camera does not see",
    "nonfinite": "points that are not finite",
}
"""The panels of the chart."""
OUTLIER_LIMIT = 6
"""An outlier is more than so many times as far from the median as is usual."""
MAX_NAMED, MAX_LETTERS = 3, 40
"""Outliers whose names are in a panel, and letters of a name."""
FEW_SCANS = 50
"""So few scans have a dot each: of a single one, no line is seen."""
ALWAYS_SHOWN = "drawn", "cells", "outside", "nonfinite"
"""Panels that the chart has even if all of their values are 0."""


class _Mark(NamedTuple):
    """An outlier in a panel: its excess, its position and the colour of its line."""

    excess: float
    place: int
    value: int
    colour: str


def write_point_counts(manifest: PathLike, table: PathLike, chart: PathLike) -> None:
    """Write the minimum, median and maximum of each count, and plot all scans.

    Parameters
    ----------
    manifest : path-like
    table, chart : path-like
        The files to write: a tab-separated table with a row for each encoding and
        count, and an SVG of the counts over the scans, with the names of outliers.

    Raises
    ------
    OSError, ValueError
        As `birdview.reproduce.manifest.read_manifest` does.
    """
    _, rows = read_manifest(manifest)
    names = sorted({row.encoding for row in rows})
    counts = {
        name: {
            key: [getattr(row.counts, key) for row in rows if row.encoding == name]
            for key in Counts._fields
        }
        for name in names
    }
    lines: list[tuple[object, ...]] = []
    for name, columns in counts.items():
        for key, values in columns.items():
            figures = min(values), median(values), max(values), sum(values)
            lines.append((name, key, len(values), *(f"{n:.0f}" for n in figures)))
    header = "encoding", "count", "scans", "least", "median", "greatest", "sum"
    write_atomically(table, format_table(header, lines).encode())
    with rc_context(STYLE):
        figure = _plot(rows)
        figure.savefig(chart, format="svg", metadata={"Date": None})


def find_outliers(values: Sequence[int]) -> dict[int, float]:
    """Find the values far from most others, by the rule of the gallery.

    Returns
    -------
    dict of int to float
        For the number of each, how many times as far it is as one may be.
    """
    middle = median(values)
    usual = 1.4826 * median(abs(value - middle) for value in values)
    # If most counts are equal, `usual` is 0: take a hundredth of the median instead.
    limit = OUTLIER_LIMIT * max(usual, 0.01 * middle, 1)
    excess = {k: abs(value - middle) / limit for k, value in enumerate(values)}
    return {k: one for k, one in excess.items() if one > 1}


def _plot(rows: Sequence[Row]) -> Figure:
    """Plot a panel for each count that is not 0, with a line for each encoding."""
    scans = {scan: k for k, scan in enumerate(sorted({row.scan for row in rows}))}
    names = sorted({row.encoding for row in rows})
    shown = [
        key
        for key in TITLES
        if key in ALWAYS_SHOWN or any(getattr(row.counts, key) for row in rows)
    ]
    figure = Figure(figsize=(8, 1.2 + 1.9 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), sharex=True)
    for panel, key in zip(panels, shown, strict=True):
        marks: dict[str, _Mark] = {}
        for number, name in enumerate(names):
            drawn = [row for row in rows if row.encoding == name]
            places = [scans[row.scan] for row in drawn]
            values = [getattr(row.counts, key) for row in drawn]
            (line,) = panel.plot(
                places,
                values,
                # Lines of other encodings are seen below one that is the same.
                linewidth=2.5 - 1.5 * number / max(1, len(names) - 1),
                marker="o" if len(scans) <= FEW_SCANS else "",
                markersize=3,
                label=name,
            )
            for index, excess in find_outliers(values).items():
                mark = _Mark(excess, places[index], values[index], line.get_color())
                scan = drawn[index].scan
                marks[scan] = max(mark, marks.get(scan, mark))
        _name_outliers(panel, marks, len(scans))
        panel.set_title(TITLES[key], fontsize=10)
        top = max(1, panel.get_ylim()[1])
        panel.set_ylim(-0.05 * top, 1.1 * top)
        panel.axhline(0, color="black", linewidth=0.8, zorder=0)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(axis="x", length=0)
        panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    count = "one scan" if len(scans) == 1 else f"{len(scans):,} scans"
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        title=f"What became of the points of {count}",
        title_fontproperties={"size": 12, "weight": "bold"},
        alignment="left",
        loc="outside upper left",
        ncols=4,
        fontsize=8,
        frameon=False,
    )
    panels[-1].set_xlabel("scan, in the order of their names, from 0")
    return figure


def _name_outliers(panel: Axes, marks: Mapping[str, _Mark], count: int) -> None:
    """Put a dot on each outlier, and the names of the farthest beside them."""
    named = sorted(marks, key=lambda scan: marks[scan], reverse=True)[:MAX_NAMED]
    for scan, mark in marks.items():
        panel.plot(mark.place, mark.value, "o", markersize=4, color=mark.colour)
        if scan in named:
            is_left = mark.place < count / 2
            panel.annotate(
                scan if len(scan) <= MAX_LETTERS else f"…{scan[1 - MAX_LETTERS :]}",
                (mark.place, mark.value),
                xytext=(6 if is_left else -6, 5),
                textcoords="offset points",
                ha="left" if is_left else "right",
                va="center",
                fontsize=8,
                bbox={
                    "facecolor": "white",
                    "edgecolor": "none",
                    "alpha": 0.7,
                    "pad": 1,
                },
            )
