r"""Measure how time and memory grow with the number of scans.

    python -m birdview.benchmark.growth \
        --snakefile Snakefile --cores 2 --folder FOLDER SCAN...

writes two tables into the folder. `scale`: data sets of growing size, hard links to a
few scans, rendered by a plain pool of processes, by the workflow with one job per image
and by the workflow with 500 scans per job; both run again with nothing to do, and with
one scan changed; in turns, medians. `memory`: the memory of one process that renders
scan after scan.
"""

import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from birdview.benchmark.machine import (
    MIB,
    RUNS,
    command_line,
    link_scans,
)
from birdview.benchmark.steps import new_pool, run_pool
from birdview.benchmark.variants import OURS, RENDERERS
from birdview.benchmark.workflow import (
    CHANGED,
    FIRST,
    NOTHING,
    SCANS_PER_JOB,
    Costs,
    add_round,
    own_cpu_ms,
)
from birdview.files import write_table
from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import Renderer

SIZES = 100, 1000, 7481
"""Numbers of scans. The last is that of KITTI's object data set for training."""
PREFIXES = "by_image", "by_500"
"""Of the columns of each variant of the workflow."""
RENDERED = 5000
"""The number of scans after which memory is last measured."""


def main(arguments: Sequence[str]) -> None:
    parser = command_line(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder, prefix="scale-") as folder:
        work = Path(folder)
        write_table(options.folder / "memory.tsv", watch_memory(options.scans, work))
        print("memory: measured", flush=True)
        rows = []
        for size in options.sizes:
            of_size = work / str(size)
            of_size.mkdir()
            rows.append(
                compare_at(
                    size, options.scans, of_size, options.cores, options.snakefile
                )
            )
            print(f"scale: {size} scans measured", flush=True)
        write_table(options.folder / "scale.tsv", rows)


def compare_at(
    size: int, scans: Sequence[str], work: Path, cores: int, snakefile: Path
) -> dict[str, Any]:
    """Time a pool, and three runs of each variant of the workflow, on `size` scans."""
    many = link_scans(scans, work / "scans", size)
    pool_s, pool_cpu_s = list[float](), list[float]()
    costs_of: dict[str, Costs] = {name: {} for name in SCANS_PER_JOB}
    render = RENDERERS["notebook"][OURS]
    with new_pool(cores) as pool:
        run_pool(pool, render, scans, 2 * cores, work)  # not measured: starts processes
        for _ in range(RUNS):
            taken, cpu = run_pool(pool, render, scans, size, work)
            pool_s.append(taken)
            pool_cpu_s.append(cpu)
            add_round(costs_of, snakefile, many, work, cores)
    of_pool, render_cpu_s = median(pool_s), median(pool_cpu_s) / size
    row: dict[str, Any] = {
        "scans": size,
        "pool_s": of_pool,
        "pool_ms_per_scan": 1000 * of_pool / size,
    }
    for prefix, costs in zip(PREFIXES, costs_of.values(), strict=True):
        seconds = {run: median(cost.seconds for cost in costs[run]) for run in costs}
        columns = {
            "s": seconds[FIRST],
            "times_pool": seconds[FIRST] / of_pool,
            "ms_per_scan": 1000 * seconds[FIRST] / size,
            "own_cpu_ms_per_scan": own_cpu_ms(costs, FIRST, size, render_cpu_s),
            "nothing_to_do_s": seconds[NOTHING],
            "one_changed_s": seconds[CHANGED],
            "peak_mib": max(cost.peak_mib for cost in costs[FIRST]),
            "nothing_to_do_peak_mib": max(cost.peak_mib for cost in costs[NOTHING]),
        }
        row |= {f"{prefix}_{column}": value for column, value in columns.items()}
    return row


def watch_memory(scans: Sequence[str], work: Path) -> list[dict[str, Any]]:
    """Render scan after scan in this process, and sample its memory."""
    rows: list[dict[str, Any]] = []
    renderer, image = Renderer(load_encoding("notebook")), work / "image.png"
    for number, scan in enumerate(islice(cycle(scans), RENDERED), start=1):
        renderer.render(scan, image)
        if number == 1 or number % 100 == 0:
            memory = psutil.Process().memory_info().rss / MIB
            rows.append({"scans": number, "memory_mib": memory})
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
