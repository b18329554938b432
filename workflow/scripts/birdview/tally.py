"""Tallies: what became of the points of all scans, as a table and as a chart."""

from statistics import median

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from birdview.charts import STYLE
from birdview.manifest import read_manifest
from birdview.raster import Counts
from birdview.render import write

WORDS = {
    "drawn": "points drawn",
    "cells": "pixels with a point",
    "outside": "points outside the region",
    "nonfinite": "points that are not finite",
}


def write_tally(manifest, table, chart):
    """Write the least, the middle and the greatest of each count, and draw them all.

    Parameters
    ----------
    manifest : path-like
    table, chart : path-like
        The files to write: a table with tabs, with a line for each encoding and count,
        and an SVG of the counts over the scans.

    Raises
    ------
    OSError, ValueError
        As `birdview.manifest.read_manifest` does.
    """
    _, rows = read_manifest(manifest)
    names = sorted({row.encoding for row in rows})
    counts = {
        name: {
            key: [getattr(row, key) for row in rows if row.encoding == name]
            for key in Counts._fields
        }
        for name in names
    }
    lines = [("encoding", "count", "scans", "least", "median", "greatest", "sum")]
    for name, columns in counts.items():
        for key, values in columns.items():
            figures = min(values), median(values), max(values), sum(values)
            lines.append((name, key, len(values), *(f"{n:.0f}" for n in figures)))
    text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
    write(table, text.encode())
    with rc_context(STYLE):
        figure = _draw(counts)
        figure.savefig(chart, format="svg", metadata={"Date": None})


def _draw(counts):
    """Draw a panel for each count, with a line for each encoding."""
    figure = Figure(figsize=(8, 1.9 * len(WORDS)), layout="constrained")
    panels = figure.subplots(len(WORDS), sharex=True)
    for panel, (key, words) in zip(panels, WORDS.items(), strict=True):
        for name, columns in counts.items():
            panel.plot(columns[key], linewidth=1, label=name)
        panel.set_title(words, fontsize=10)
        panel.set_ylim(0, max(1, panel.get_ylim()[1]))
        panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(ncols=4, fontsize=8, frameon=False)
    panels[-1].set_xlabel("scan, in the order of their names")
    return figure
