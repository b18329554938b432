"""Measure runs of the workflow: with one job per image, and with many scans per job."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any, TypeAlias

from birdview.benchmark.machine import Cost, change_scan, run_workflow

SCANS_PER_JOB: dict[str, int | None] = {
    "workflow, one job per image": None,
    "workflow, 500 scans per job": 500,
}
"""The variants of the workflow, and the setting `scans_per_job` of each."""
FIRST, NOTHING, CHANGED = "first run", "nothing to do", "one scan changed"

Costs: TypeAlias = dict[str, list[Cost]]
"""The costs of each of the three runs, each time they were measured."""


def run_three_times(
    snakefile: Path, scans: Path, work: Path, cores: int, scans_per_job: int | None
) -> dict[str, Cost]:
    """Render a folder of scans, run again, and again after a scan has changed.

    Parameters
    ----------
    snakefile : Path
        The workflow.
    scans : Path
        A folder that `birdview.benchmark.machine.link_scans` filled. The first scan
        loses its last point.
    work : Path
        Gets a new folder for the results.
    cores : int
    scans_per_job : int or None
    """
    folder = Path(mkdtemp(dir=work))
    costs = {}
    for run in (FIRST, NOTHING, CHANGED):
        if run == CHANGED:
            change_scan(min(scans.iterdir()))
        costs[run] = run_workflow(snakefile, scans, folder, cores, scans_per_job)
    return costs


def add_round(
    costs_of: Mapping[str, Costs], snakefile: Path, scans: Path, work: Path, cores: int
) -> None:
    """Run each variant three times, and add what that costs."""
    for variant, scans_per_job in SCANS_PER_JOB.items():
        once = run_three_times(snakefile, scans, work, cores, scans_per_job)
        for run, cost in once.items():
            costs_of[variant].setdefault(run, []).append(cost)


def own_cpu_ms(costs: Costs, run: str, scans: int, render_cpu_s: float) -> float:
    """Return Snakemake's own processor time per scan, in milliseconds.

    It is the processor time of the whole command, of all its threads and with its
    start, minus what the same renderings cost alone, divided by the number of scans.
    What a rendering costs alone is measured in a plain pool of processes.

    Parameters
    ----------
    costs : dict of str to list of Cost
    run : str
        One of the three runs.
    scans : int
        The number of scans in the folder.
    render_cpu_s : float
        The processor time of one rendering, in seconds.
    """
    rendered = {FIRST: scans, NOTHING: 0, CHANGED: 1}[run]
    cpu_s = median(cost.cpu_s for cost in costs[run])
    return 1000 * (cpu_s - rendered * render_cpu_s) / scans


def tabulate(
    costs_of: Mapping[str, Costs], scans: int, render_cpu_s: float
) -> list[dict[str, Any]]:
    """Return a row for each of the three runs of each variant."""
    return [
        {
            "run": run,
            "variant": variant,
            "scans": scans,
            "seconds": median(cost.seconds for cost in costs[run]),
            "cpu_s": median(cost.cpu_s for cost in costs[run]),
            "own_cpu_ms_per_scan": own_cpu_ms(costs, run, scans, render_cpu_s),
            "peak_mib": max(cost.peak_mib for cost in costs[run]),
        }
        for run in (FIRST, NOTHING, CHANGED)
        for variant, costs in costs_of.items()
    ]
