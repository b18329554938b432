"""Benchmarks: the notebook's way from scan to image, and each step away from it.

    python -m birdview.benchmark --snakefile Snakefile --cores 2 --folder FOLDER SCAN...

writes tables into the folder: readers, rasterisers, encoders, renderers, encodings,
parallel and starts. All ways to do the same thing take turns, scan by scan and round by
round, so that a change of the machine's mood meets all of them; each in a process of
its own, which tells its peak memory. Times are medians.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory, mkdtemp
from uuid import uuid4

from birdview.measure import link_scans, peak_mib, run_workflow, write_table
from birdview.scan import read_scan
from birdview.ways import (
    ENCODERS,
    ENCODINGS,
    FLOOR,
    LOOP,
    OURS,
    RASTERISERS,
    READERS,
    RENDERERS,
    SORT,
    encoding_of,
)

ROUNDS = 3
LEAST = 0.1
"""Seconds. What takes less is timed several times in a row, from the second on."""
RUNS = 3
VISIT = 1.5
"""Seconds, about: how long one run over many scans takes, if they are not too many."""
MOST = 400
"""Scans in such a run, at most."""

WORKFLOW = "birdview's workflow"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--snakefile", type=Path, required=True)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("scans", nargs="+")
    options = parser.parse_args(arguments)
    for scan in options.scans:
        read_scan(scan)  # or say what is wrong with it: the notebook's readers do not
    with TemporaryDirectory(dir=options.folder, prefix="benchmark-") as work:
        tables = measure(options.scans, Path(work), options.cores, options.snakefile)
        for name, rows in tables:
            print(f"{name}: measured", flush=True)
            write_table(options.folder / f"{name}.tsv", rows)


def measure(scans, work, cores, snakefile):
    """Yield the name and the rows of each table.

    Parameters
    ----------
    scans : list of str
        Those that are read and rendered, in turns.
    work : Path
        An empty folder on the disk that is meant.
    cores : int
        How many processes may work at a time, where several do.
    snakefile : Path
        The workflow.
    """
    yield "readers", compare({"": READERS}, scans)
    yield "rasterisers", compare(RASTERISERS, scans)
    yield "encoders", compare(ENCODERS, scans, work)
    renderers = compare(RENDERERS, scans, work)
    for row in renderers:
        row["scans_per_s"] = 1000 / row["ms"]
        (floor,) = (
            other["ms"]
            for other in renderers
            if (other["variant"], other["encoding"]) == (FLOOR, row["encoding"])
        )
        row["times_floor"] = row["ms"] / floor
    yield "renderers", renderers
    yield "encodings", compare_encodings(scans, work)
    counts = {
        row["variant"]: min(
            MOST, max(2 * cores, int(VISIT * cores * row["scans_per_s"]))
        )
        for row in renderers
        if row["encoding"] == "notebook"
    }
    yield "parallel", compare_runs(counts, scans, work, cores, snakefile)
    yield "starts", compare_starts(scans[0], work)


def compare(steps, scans, folder=None):
    """Time the ways to do a step, by encoding and name, and return a row for each."""
    rows = []
    for encoding, ways in steps.items():
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(processes_to_work(1)) for name in ways
            }
            for name, process in processes.items():
                for scan in scans:  # does not count: makes what is needed
                    process.submit(timed, ways[name], scan, folder).result()
            seconds = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for scan in scans:
                    for name, process in processes.items():
                        timing = process.submit(timed, ways[name], scan, folder)
                        seconds[name] += timing.result()
            peaks = {
                name: process.submit(peak_mib).result()
                for name, process in processes.items()
            }
        slowest = median(seconds[next(iter(ways))])
        for name in ways:
            low, middle, high = quantiles(seconds[name], n=4)
            rows.append(
                {
                    "encoding": encoding,
                    "variant": name,
                    "ms": 1000 * middle,
                    "ms_low": 1000 * low,
                    "ms_high": 1000 * high,
                    "times_as_fast": slowest / middle,
                    "peak_mib": peaks[name],
                }
            )
    return rows


def processes_to_work(count):
    # Not forked: what this process holds would be in their memory.
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


def timed(way, scan, folder):
    """Return how long a way takes, in seconds: once, or as often as is quickly done.

    Without a folder, there is no image to write.
    """
    seconds = []
    while sum(seconds) < LEAST:
        # Each time a new one: to replace a file takes longer.
        image = [f"{folder}/{uuid4()}.png"] if folder else []
        start = time.perf_counter()
        way(scan, *image)
        seconds.append(time.perf_counter() - start)
    # The first finds the processor's caches full of what others left there.
    return seconds[1:] or seconds


def compare_encodings(scans, work):
    """Time every encoding, and a plain loop of each, from scan to image."""
    rows = compare(ENCODINGS, scans, work)
    return [
        {
            "variant": ours["encoding"],
            "pixels": " x ".join(map(str, encoding_of(ours["encoding"]).shape)),
            "ms": ours["ms"],
            "ms_low": ours["ms_low"],
            "ms_high": ours["ms_high"],
            "loop_ms": loop["ms"],
            "times_loop": loop["ms"] / ours["ms"],
            "peak_mib": ours["peak_mib"],
        }
        for loop, ours in zip(rows[::2], rows[1::2], strict=True)
    ]


def compare_runs(counts, scans, work, cores, snakefile):
    """Time runs over many scans, in pools of processes and in the workflow.

    `counts` says how many scans are enough for each way to render.
    """
    runs = {
        f"{LOOP}, 1 process": (LOOP, 1),
        f"{LOOP}, pool": (LOOP, cores),
        f"{SORT}, pool": (SORT, cores),
        f"{OURS}, pool": (OURS, cores),
    }
    many = link_scans(scans, work / "scans", counts[OURS])
    seconds, peaks = {name: [] for name in [*runs, WORKFLOW]}, {}
    with ExitStack() as stack:
        pools = {
            name: stack.enter_context(processes_to_work(processes))
            for name, (_, processes) in runs.items()
        }
        for name, pool in pools.items():  # not timed: it starts the processes
            run_pool(pool, runs[name][0], scans, 2 * runs[name][1], work)
        for _ in range(RUNS):
            for name, pool in pools.items():
                way = runs[name][0]
                seconds[name].append(run_pool(pool, way, scans, counts[way], work))
            folder = Path(mkdtemp(dir=work))
            taken, peaks[WORKFLOW] = run_workflow(snakefile, many, folder, cores)
            seconds[WORKFLOW].append(taken)
        for name, pool in pools.items():
            peaks[name] = sum(dict(pool.map(tell_peak, range(8 * cores))).values())
    rows = []
    for name, taken in seconds.items():
        way, processes = runs.get(name, (OURS, cores))
        rate = counts[way] / median(taken)
        rows.append(
            {
                "variant": name,
                "processes": processes,
                "scans": counts[way],
                "seconds": median(taken),
                "scans_per_s": rate,
                "times_as_fast": rate / (rows[0]["scans_per_s"] if rows else rate),
                "peak_mib": peaks[name],
            }
        )
    return rows


def run_pool(pool, way, scans, count, work):
    """Render so many scans in a pool; return how long it takes, in seconds.

    The images stay: a file system may be slow to make files after many were removed.
    """
    folder = mkdtemp(dir=work)
    images = [f"{folder}/{number}.png" for number in range(count)]
    render = RENDERERS["notebook"][way]
    start = time.perf_counter()
    # Few at a time, so that all processes are busy to the end; slow ones one by one.
    some = 4 if count > 100 else 1
    for _ in pool.map(render, islice(cycle(scans), count), images, chunksize=some):
        pass
    return time.perf_counter() - start


def tell_peak(_):
    time.sleep(0.05)  # so that each process of a pool has its turn
    return os.getpid(), peak_mib()


def _start(code, scan, work, kernels):
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code, scan, work / "image.png"],
        env=os.environ | {"NUMBA_CACHE_DIR": str(kernels)},
        check=True,
    )
    return time.perf_counter() - start


def compare_starts(scan, work):
    """Time a process from its start to its first image, with and without a cache."""
    imports = "import sys, birdview.encoding as e, birdview.render as r"
    renders = f"{imports}; r.render(*sys.argv[1:], e.load_encoding('notebook'))"
    codes = {
        "imports alone": imports,
        "kernels from the cache": renders,
        "kernels compiled anew": renders,
    }
    seconds = {name: [] for name in codes}
    _start(renders, scan, work, work / "cache")  # not timed: it fills the cache
    for _ in range(RUNS):
        for name, code in codes.items():
            with TemporaryDirectory(dir=work) as empty:
                kernels = empty if name == "kernels compiled anew" else work / "cache"
                seconds[name].append(_start(code, scan, work, kernels))
    return [
        {"variant": name, "seconds": median(taken)} for name, taken in seconds.items()
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
