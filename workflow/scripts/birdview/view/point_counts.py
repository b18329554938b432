"""Summarise what happened to the points of all scans, as a table and as a chart."""

from collections.abc import Mapping
from statistics import median
from typing import TypeAlias

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from birdview.counts import Counts
from birdview.files import PathLike, format_table, write_atomically
from birdview.reproduce.manifest import read_manifest
from birdview.view.charts import STYLE

_Values: TypeAlias = Mapping[str, Mapping[str, list[int]]]
"""For each encoding and each count, the values of all scans."""

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
ALWAYS_SHOWN = "drawn", "cells", "outside", "nonfinite"
"""Panels that the chart has even if all of their values are 0."""


def write_point_counts(manifest: PathLike, table: PathLike, chart: PathLike) -> None:
    """Write the minimum, median and maximum of each count, and plot all scans.

    Parameters
    ----------
    manifest : path-like
    table, chart : path-like
        The files to write: a tab-separated table with a row for each encoding and
        count, and an SVG of the counts over the scans.

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
        figure = _plot(counts)
        figure.savefig(chart, format="svg", metadata={"Date": None})


def _plot(counts: _Values) -> Figure:
    """Plot a panel for each count that is not 0, with a line for each encoding."""
    shown = [
        key
        for key in TITLES
        if key in ALWAYS_SHOWN or any(any(columns[key]) for columns in counts.values())
    ]
    figure = Figure(figsize=(8, 1.9 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), sharex=True)
    for panel, key in zip(panels, shown, strict=True):
        for name, columns in counts.items():
            panel.plot(columns[key], linewidth=1, label=name)
        panel.set_title(TITLES[key], fontsize=10)
        panel.set_ylim(0, max(1, panel.get_ylim()[1]))
        panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(ncols=4, fontsize=8, frameon=False)
    panels[-1].set_xlabel("scan, in the order of their names")
    return figure
