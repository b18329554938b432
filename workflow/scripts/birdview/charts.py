"""Charts: a table of measurements becomes a picture, one kind for each table."""

import csv
from math import floor, log10
from pathlib import Path
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure

OURS, OTHERS, LIMIT = "#0b6e4f", "#8d99ae", "#d9a441"
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "svg.hashsalt": "birdview",
}


class Chart(NamedTuple):
    """What is drawn of a table.

    Attributes
    ----------
    title : str
    caption : str
        What was measured, and how.
    unit : str
        The axis of the values.
    bars : str
        The column whose values become bars, a panel for each encoding; "" for lines.
    panels : tuple of mapping of str to str
        Lines over the number of scans, otherwise: for each panel, the columns with
        their labels.
    """

    title: str
    caption: str
    unit: str
    bars: str = ""
    panels: tuple[dict[str, str], ...] = ()
    units: tuple[str, ...] = ()


CHARTS = {
    "readers": Chart(
        "Reading one scan",
        "The file becomes points. The notebook unpacks 16 bytes at a time; np.fromfile "
        "takes the file as it is; birdview also checks it.",
        "milliseconds per scan",
        bars="ms",
    ),
    "rasterisers": Chart(
        "Drawing one scan",
        "Points become pixels, the same ones each way: by a Python loop over the "
        "points, by NumPy with the points sorted by cell, and by birdview.",
        "milliseconds per scan",
        bars="ms",
    ),
    "encoders": Chart(
        "Encoding one image",
        "Pixels become a PNG file on the disk.",
        "milliseconds per image",
        bars="ms",
    ),
    "renderers": Chart(
        "From scan to image, on one core",
        "The floor is what no renderer can do without: read the file, clear a raster, "
        "deflate the image, write it. birdview also checks, draws and hashes the scan.",
        "milliseconds per scan",
        bars="ms",
    ),
    "parallel": Chart(
        "Many scans, on several cores",
        "Pools are started before the clock is; the workflow's time is that of the "
        "whole command. The encoding is notebook.",
        "scans per second",
        bars="scans_per_s",
    ),
    "starts": Chart(
        "To the first image",
        "A new process, from its start to its first image: with the compiled kernels "
        "in their cache, as for all but the first; and with an empty cache.",
        "seconds",
        bars="seconds",
    ),
    "scale": Chart(
        "As the data set grows",
        "The workflow, a plain pool of processes that renders the same scans, and the "
        "workflow again with nothing to do.",
        "",
        panels=(
            {
                "workflow_ms_per_scan": "workflow",
                "pool_ms_per_scan": "plain pool",
                "own_ms_per_scan": "the workflow's own part",
            },
            {
                "workflow_s": "workflow",
                "pool_s": "pool",
                "nothing_to_do_s": "nothing to do",
            },
            {
                "workflow_peak_mib": "workflow",
                "nothing_to_do_peak_mib": "nothing to do",
            },
        ),
        units=("milliseconds per scan", "seconds", "peak memory, MiB"),
    ),
    "memory": Chart(
        "Memory while rendering",
        "What one process holds after so many scans.",
        "",
        panels=({"memory_mib": "one process"},),
        units=("memory, MiB",),
    ),
}


def read_table(path):
    """Read a table with tabs.

    Returns
    -------
    list of dict of str to str
    """
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def draw_chart(table, picture):
    """Draw the table that was measured, by the name of its file, as an SVG."""
    chart, rows = CHARTS[Path(table).stem], read_table(table)
    with rc_context(STYLE):
        figure = _draw_bars(chart, rows) if chart.bars else _draw_lines(chart, rows)
        figure.savefig(picture, format="svg", metadata={"Date": None})


def _draw_bars(chart, rows):
    groups = {}
    for row in rows:
        groups.setdefault(row.get("encoding", ""), []).append(row)
    most = max(len(group) for group in groups.values())
    figure = Figure(
        figsize=(8, len(groups) * (0.9 + 0.42 * most)), layout="constrained"
    )
    panels = figure.subplots(len(groups), sharex=True, squeeze=False)[:, 0]
    for panel, (encoding, group) in zip(panels, groups.items(), strict=True):
        names = [row["variant"] for row in group]
        values = [float(row[chart.bars]) for row in group]
        colours = [
            OURS if "birdview" in name else LIMIT if name == "floor" else OTHERS
            for name in names
        ]
        bars = panel.barh(names, values, color=colours, height=0.7)
        labels = [_shorten(value) for value in values]
        if "times_as_fast" in group[0]:
            times = [_shorten(float(row["times_as_fast"])) for row in group]
            labels = [f"{a}  ({b} x)" for a, b in zip(labels, times, strict=True)]
        panel.bar_label(bars, labels, padding=4)
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter("")
        panel.invert_yaxis()
        panel.set_title(f"encoding {encoding}" if encoding else "", fontsize=10)
        panel.tick_params(axis="y", length=0)
    # From a power of ten on, with room for the longest bar's label.
    values = [float(row[chart.bars]) for row in rows]
    panels[-1].set_xlim(10 ** floor(log10(min(values) / 1.5)), max(values) * 8)
    figure.suptitle(chart.title, x=0.01, ha="left", weight="bold")
    note = "; in brackets: times as fast as the first" * ("times_as_fast" in rows[0])
    panels[-1].set_xlabel(f"{chart.unit} (logarithmic{note})")
    return figure


def _shorten(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _draw_lines(chart, rows):
    scans = [int(row["scans"]) for row in rows]
    figure = Figure(figsize=(8, 0.6 + 2.4 * len(chart.panels)), layout="constrained")
    panels = figure.subplots(len(chart.panels), sharex=True, squeeze=False)[:, 0]
    for panel, columns, unit in zip(panels, chart.panels, chart.units, strict=True):
        for column, label in columns.items():
            panel.plot(scans, [float(row[column]) for row in rows], label=label)
        panel.set_ylabel(unit)
        panel.legend()
        panel.set_ylim(bottom=0)
    panels[-1].set_xlabel("scans")
    figure.suptitle(chart.title, x=0.01, ha="left", weight="bold")
    return figure
