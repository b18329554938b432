"""Scale: how time and memory grow with the number of scans.

    python -m birdview.scale --snakefile Snakefile --cores 2 --folder FOLDER SCAN...

writes two tables into the folder. `scale`: data sets of growing size, made of a few
scans by hard links, rendered by a plain pool of processes and by the workflow, and the
workflow run again with nothing to do; in turns, medians. `memory`: what one process
holds while it renders scan after scan.
"""

import argparse
import sys
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp

import psutil

from birdview.benchmark import processes_to_work, run_pool
from birdview.encoding import load_encoding
from birdview.measure import MIB, link_scans, run_workflow, write_table
from birdview.render import render
from birdview.ways import OURS

SIZES = 100, 1000, 7481
"""Scans. The last is the number of KITTI's object data set, for training."""
RUNS = 3
RENDERED = 5000


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--snakefile", type=Path, required=True)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("scans", nargs="+")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder, prefix="scale-") as work:
        work = Path(work)
        write_table(options.folder / "memory.tsv", watch_memory(options.scans, work))
        print("memory: measured", flush=True)
        rows = []
        for size in options.sizes:
            folder = work / str(size)
            folder.mkdir()
            rows.append(
                compare_at(
                    size, options.scans, folder, options.cores, options.snakefile
                )
            )
            print(f"scale: {size} scans measured", flush=True)
        write_table(options.folder / "scale.tsv", rows)


def compare_at(size, scans, work, cores, snakefile):
    """Time the pool, the workflow, and the workflow again, on so many scans."""
    many = link_scans(scans, work / "scans", size)
    pool_s, workflow_s, nothing_s, workflow_mib, nothing_mib = [], [], [], [], []
    with processes_to_work(cores) as pool:
        run_pool(pool, OURS, scans, 2 * cores, work)  # not timed: it starts them
        for _ in range(RUNS):
            pool_s.append(run_pool(pool, OURS, scans, size, work))
            folder = Path(mkdtemp(dir=work))
            for seconds, mib in (workflow_s, workflow_mib), (nothing_s, nothing_mib):
                taken, peak = run_workflow(snakefile, many, folder, cores)
                seconds.append(taken)
                mib.append(peak)
    pool, workflow, nothing = map(median, (pool_s, workflow_s, nothing_s))
    return {
        "scans": size,
        "pool_s": pool,
        "workflow_s": workflow,
        "nothing_to_do_s": nothing,
        "times_pool": workflow / pool,
        "pool_ms_per_scan": 1000 * pool / size,
        "workflow_ms_per_scan": 1000 * workflow / size,
        "own_ms_per_scan": 1000 * (workflow - pool) / size,
        "workflow_peak_mib": max(workflow_mib),
        "nothing_to_do_peak_mib": max(nothing_mib),
    }


def watch_memory(scans, work):
    """Render scan after scan in this process, and note its memory now and then."""
    rows, encoding, image = [], load_encoding("notebook"), work / "image.png"
    for number, scan in enumerate(islice(cycle(scans), RENDERED), start=1):
        render(scan, image, encoding)
        if number == 1 or number % 100 == 0:
            memory = psutil.Process().memory_info().rss / MIB
            rows.append({"scans": number, "memory_mib": memory})
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
