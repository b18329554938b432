r"""Measure how time and memory grow with the number of scans.

    python -m birdview.benchmark.growth \
        --snakefile Snakefile --cores 2 --folder FOLDER SCAN...

writes two tables into the folder. `scale`: data sets of growing size, hard links to a
few scans, rendered by a plain pool of processes and by the workflow, and the workflow
run again with nothing to do; in turns, medians. `memory`: the memory of one process
that renders scan after scan.
"""

import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import psutil

from birdview.benchmark.machine import (
    MIB,
    RUNS,
    command_line,
    link_scans,
    run_workflow,
)
from birdview.benchmark.steps import new_pool, run_pool
from birdview.benchmark.variants import OURS
from birdview.files import write_table
from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import Renderer

SIZES = 100, 1000, 7481
"""Numbers of scans. The last is that of KITTI's object data set for training."""
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
    """Time a pool, the workflow, and the workflow again, on `size` scans."""
    many = link_scans(scans, work / "scans", size)
    pool_s, workflow_s, nothing_s = list[float](), list[float](), list[float]()
    workflow_mib, nothing_mib = list[float](), list[float]()
    with new_pool(cores) as pool:
        run_pool(pool, OURS, scans, 2 * cores, work)  # not measured: starts processes
        for _ in range(RUNS):
            pool_s.append(run_pool(pool, OURS, scans, size, work))
            folder = Path(mkdtemp(dir=work))
            for seconds, mib in (workflow_s, workflow_mib), (nothing_s, nothing_mib):
                taken, peak = run_workflow(snakefile, many, folder, cores)
                seconds.append(taken)
                mib.append(peak)
    of_pool, of_workflow = median(pool_s), median(workflow_s)
    return {
        "scans": size,
        "pool_s": of_pool,
        "workflow_s": of_workflow,
        "nothing_to_do_s": median(nothing_s),
        "times_pool": of_workflow / of_pool,
        "pool_ms_per_scan": 1000 * of_pool / size,
        "workflow_ms_per_scan": 1000 * of_workflow / size,
        "own_ms_per_scan": 1000 * (of_workflow - of_pool) / size,
        "workflow_peak_mib": max(workflow_mib),
        "nothing_to_do_peak_mib": max(nothing_mib),
    }


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
