"""Draw the tables of the benchmark as charts."""

from collections.abc import Mapping
from math import floor, log10
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure

from birdview.files import PathLike, read_table

OURS, OTHERS, LIMIT = "#0b6e4f", "#8d99ae", "#d9a441"
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "svg.hashsalt": "birdview",
}


class Chart(NamedTuple):
    """How a table is drawn.

    Attributes
    ----------
    title : str
    caption : str
        What was measured, and how.
    bars : str
        The column drawn as bars, by variant; "" to draw lines.
    unit : str
        The unit of the bars.
    panels : str
        The column with a panel for each of its values, if there is one.
    lines : mapping of str to mapping of str to str
        Columns drawn over the number of scans: for each unit, which has a panel of its
        own, the columns and their labels.
    """

    title: str
    caption: str
    bars: str = ""
    unit: str = ""
    panels: str = "encoding"
    lines: Mapping[str, Mapping[str, str]] = MappingProxyType({})


CHARTS = {
    "readers": Chart(
        "Reading one scan",
        "From the file to points. The notebook unpacks 16 bytes at a time; np.fromfile "
        "takes the file as it is; birdview also checks it.",
        bars="ms",
        unit="milliseconds per scan",
    ),
    "rasterisers": Chart(
        "Drawing one scan",
        "From points to pixels, identical in all variants: a Python loop over the "
        "points, NumPy with the points sorted by cell, and birdview.",
        bars="ms",
        unit="milliseconds per scan",
    ),
    "encoders": Chart(
        "Encoding one image",
        "From pixels to a PNG file on disk.",
        bars="ms",
        unit="milliseconds per image",
    ),
    "renderers": Chart(
        "From scan to image, on one core",
        "The floor is what no renderer can avoid: read the file, compress the image, "
        "write it. birdview also checks, draws and hashes. "
        "SFA3D's algorithm is how that program draws complex_yolo. In each encoding, "
        "all variants draw the same pixels.",
        bars="ms",
        unit="milliseconds per scan",
    ),
    "encodings": Chart(
        "Every encoding, from scan to image, on one core",
        "By birdview. The table also has a plain Python loop for the same encoding, "
        "which reads 16 bytes at a time and writes with OpenCV. Pixels are rows x "
        "columns x planes.",
        bars="ms",
        unit="milliseconds per scan",
    ),
    "together": Chart(
        "One scan in three encodings, on one core",
        "notebook, mv3d and pixor, written as three files: by three jobs, one encoding "
        "each, and by one job.",
        bars="ms",
        unit="milliseconds per scan",
    ),
    "formats": Chart(
        "One scan in each format, on one core",
        "From the file to an image in the encoding notebook. The table also has the "
        "time to read alone. LAS, LAZ and Feather are left out where what reads them "
        "is not installed.",
        bars="ms",
        unit="milliseconds per scan",
    ),
    "parallel": Chart(
        "Many scans, on several cores",
        "Pools of processes are started before the clock. The workflow's time is that "
        "of the whole command, with its start, when no image exists.",
        bars="scans_per_s",
        unit="scans per second",
    ),
    "workflow": Chart(
        "The workflow, run three times",
        "Seconds of the whole command: when no image exists, with nothing to do, and "
        "after one scan has changed. In the table, Snakemake's own processor time is "
        "that of the command minus that of the renderings alone.",
        bars="seconds",
        unit="seconds",
        panels="run",
    ),
    "starts": Chart(
        "Time to the first image",
        "A new process, from its start to its first image: with compiled kernels in "
        "the cache, as in all runs but the first, and with an empty cache.",
        bars="seconds",
        unit="seconds",
    ),
    "scale": Chart(
        "As the data set grows",
        "The workflow with one job per image, with 500 scans per job, and a plain pool "
        "of processes that renders the same scans. Snakemake's own processor time is "
        "that of the command minus that of the renderings alone.",
        lines={
            "ms per scan": {
                "by_image_ms_per_scan": "one job per image",
                "by_500_ms_per_scan": "500 scans per job",
                "pool_ms_per_scan": "plain pool",
            },
            "own CPU, ms per scan": {
                "by_image_own_cpu_ms_per_scan": "one job per image",
                "by_500_own_cpu_ms_per_scan": "500 scans per job",
            },
            "nothing to do, s": {
                "by_image_nothing_to_do_s": "one job per image",
                "by_500_nothing_to_do_s": "500 scans per job",
            },
            "one scan changed, s": {
                "by_image_one_changed_s": "one job per image",
                "by_500_one_changed_s": "500 scans per job",
            },
            "peak memory, MiB": {
                "by_image_peak_mib": "one job per image",
                "by_500_peak_mib": "500 scans per job",
            },
        },
    ),
    "memory": Chart(
        "Memory while rendering",
        "Memory of one process after a number of scans.",
        lines={"memory, MiB": {"memory_mib": "one process"}},
    ),
}


def draw_chart(table: PathLike, picture: PathLike) -> None:
    """Draw a table of the benchmark as an SVG; the name of its file says which."""
    chart, rows = CHARTS[Path(table).stem], read_table(table)
    with rc_context(STYLE):
        figure = _draw_bars(chart, rows) if chart.bars else _draw_lines(chart, rows)
        figure.savefig(picture, format="svg", metadata={"Date": None})


def _draw_bars(chart: Chart, rows: list[dict[str, str]]) -> Figure:
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row.get(chart.panels, ""), []).append(row)
    heights = [0.9 + 0.42 * len(group) for group in groups.values()]
    figure = Figure(figsize=(8, sum(heights)), layout="constrained")
    panels = figure.subplots(
        len(groups), sharex=True, squeeze=False, height_ratios=heights
    )[:, 0]
    for panel, (of_panel, group) in zip(panels, groups.items(), strict=True):
        names = [row["variant"] for row in group]
        values = [float(row[chart.bars]) for row in group]
        ours = [name for name in names if "birdview" in name or "workflow" in name]
        colours = [
            OURS if name in (ours or names) else LIMIT if name == "floor" else OTHERS
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
        title = f"encoding {of_panel}" if chart.panels == "encoding" else of_panel
        panel.set_title(title if of_panel else "", fontsize=10)
        panel.tick_params(axis="y", length=0)
    # Start at a power of ten, and leave room for the label of the longest bar.
    values = [float(row[chart.bars]) for row in rows]
    panels[-1].set_xlim(10 ** floor(log10(min(values) / 1.5)), max(values) * 8)
    figure.suptitle(chart.title, x=0.01, ha="left", weight="bold")
    note = "; in brackets: speed relative to the first" * ("times_as_fast" in rows[0])
    panels[-1].set_xlabel(f"{chart.unit} (logarithmic{note})")
    return figure


def _shorten(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _draw_lines(chart: Chart, rows: list[dict[str, str]]) -> Figure:
    scans = [int(row["scans"]) for row in rows]
    figure = Figure(figsize=(8, 0.6 + 2.4 * len(chart.lines)), layout="constrained")
    panels = figure.subplots(len(chart.lines), sharex=True, squeeze=False)[:, 0]
    for panel, (unit, columns) in zip(panels, chart.lines.items(), strict=True):
        for column, label in columns.items():
            values = [float(row[column]) for row in rows]
            panel.plot(scans, values, marker="o", markersize=4, label=label)
        panel.set_ylabel(unit)
        panel.set_ylim(0, 1.1 * panel.get_ylim()[1])
        if len(columns) > 1:
            panel.legend()
    panels[-1].set_xlabel("scans")
    figure.suptitle(chart.title, x=0.01, ha="left", weight="bold")
    return figure
