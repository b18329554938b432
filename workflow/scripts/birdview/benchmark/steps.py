r"""Measure the steps from scan to image, by birdview and by other implementations.

    python -m birdview.benchmark.steps \
        --snakefile Snakefile --cores 2 --folder FOLDER SCAN...

writes tables into the folder: readers, rasterisers, encoders, renderers, encodings,
together, formats, parallel, workflow and starts. The variants of a step take turns,
scan by scan and round by round, so that load spikes affect all of them. Each runs in a
process of its own, whose peak memory is measured. Times are medians.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, TypeAlias
from uuid import uuid4

from birdview.benchmark import formats
from birdview.benchmark.machine import (
    RUNS,
    command_line,
    link_scans,
    peak_mib,
)
from birdview.benchmark.variants import (
    ENCODERS,
    ENCODINGS,
    FLOOR,
    LOOP,
    OURS,
    PEER,
    PEERS_ENCODING,
    RASTERISERS,
    READERS,
    RENDERERS,
    SORT,
    TOGETHER,
    Variants,
    encoding_of,
)
from birdview.benchmark.workflow import (
    FIRST,
    SCANS_PER_JOB,
    Costs,
    add_round,
    tabulate,
)
from birdview.files import write_table
from birdview.pixels.scan import read_scan

Row: TypeAlias = dict[str, Any]

ROUNDS = 3
MIN_SECONDS = 0.1
"""Minimum total time per sample. Shorter steps are repeated, and the first repeat is
dropped."""
RUN_SECONDS = 1.5
"""About how long one run over many scans takes, unless it would need `MAX_SCANS`."""
MAX_SCANS = 400
WORKFLOW_SCANS = 1000
"""The number of scans that the workflow renders: two jobs of 500."""


def main(arguments: Sequence[str]) -> None:
    options = command_line(__doc__).parse_args(arguments)
    for scan in options.scans:
        read_scan(scan)  # to say what is wrong with it: the notebook's readers do not
    with TemporaryDirectory(dir=options.folder, prefix="benchmark-") as work:
        tables = run_steps(options.scans, Path(work), options.cores, options.snakefile)
        for name, rows in tables:
            print(f"{name}: measured", flush=True)
            write_table(options.folder / f"{name}.tsv", rows)


def run_steps(
    scans: Sequence[str], work: Path, cores: int, snakefile: Path
) -> Iterator[tuple[str, list[Row]]]:
    """Yield the name and the rows of each table.

    Parameters
    ----------
    scans : sequence of str
        The files to read and render, in turns.
    work : Path
        An empty folder on the disk to measure.
    cores : int
        The number of processes of a pool.
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
    yield "together", compare({"": TOGETHER}, scans, work)
    yield "formats", compare_formats(scans, work)
    counts = {
        (row["encoding"], row["variant"]): min(
            MAX_SCANS, max(2 * cores, int(RUN_SECONDS * cores * row["scans_per_s"]))
        )
        for row in renderers
    }
    yield from compare_runs(counts, scans, work, cores, snakefile)
    yield "starts", compare_starts(scans[0], work)


def compare(
    steps: Mapping[str, Variants], scans: Sequence[str], folder: Path | None = None
) -> list[Row]:
    """Time the variants of a step in each encoding; return a row for each."""
    rows = []
    for encoding, variants in steps.items():
        with ExitStack() as stack:
            processes = {name: stack.enter_context(new_pool(1)) for name in variants}
            for name, process in processes.items():
                for scan in scans:  # not measured: makes what the step needs
                    process.submit(timed, variants[name], scan, folder).result()
            seconds: dict[str, list[float]] = {name: [] for name in variants}
            for _ in range(ROUNDS):
                for scan in scans:
                    for name, process in processes.items():
                        timing = process.submit(timed, variants[name], scan, folder)
                        seconds[name] += timing.result()
            peaks = {
                name: process.submit(peak_mib).result()
                for name, process in processes.items()
            }
        first = median(seconds[next(iter(variants))])
        for name in variants:
            low, middle, high = quantiles(seconds[name], n=4)
            rows.append(
                {
                    "encoding": encoding,
                    "variant": name,
                    "ms": 1000 * middle,
                    "ms_low": 1000 * low,
                    "ms_high": 1000 * high,
                    "times_as_fast": first / middle,
                    "peak_mib": peaks[name],
                }
            )
    return rows


def new_pool(processes: int) -> ProcessPoolExecutor:
    """Start a pool of new processes: forked ones would share this one's memory."""
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))


def timed(variant: Callable[..., Any], scan: str, folder: Path | None) -> list[float]:
    """Return how long a variant takes, in seconds, for each repeat.

    Without a folder, there is no image to write.
    """
    seconds: list[float] = []
    while sum(seconds) < MIN_SECONDS:
        # A new file each time: replacing one takes longer.
        image = [f"{folder}/{uuid4()}.png"] if folder else []
        start = time.perf_counter()
        variant(scan, *image)
        seconds.append(time.perf_counter() - start)
    # The first repeat runs with the other variants' data in the processor's caches.
    return seconds[1:] or seconds


def compare_encodings(scans: Sequence[str], work: Path) -> list[Row]:
    """Time every encoding from scan to image, by birdview and by a plain loop."""
    rows = compare(ENCODINGS, scans, work)
    row_of = {(row["encoding"], row["variant"]): row for row in rows}
    pairs = [(name, row_of[name, LOOP], row_of[name, OURS]) for name in ENCODINGS]
    return [
        {
            "variant": name,
            "pixels": " x ".join(map(str, encoding_of(name).shape)),
            "ms": ours["ms"],
            "ms_low": ours["ms_low"],
            "ms_high": ours["ms_high"],
            "loop_ms": loop["ms"],
            "times_loop": loop["ms"] / ours["ms"],
            "peak_mib": ours["peak_mib"],
        }
        for name, loop, ours in pairs
    ]


def compare_formats(scans: Sequence[str], work: Path) -> list[Row]:
    """Time scans in each format: to read one, and from there to its image."""
    folder = work / "formats"
    folder.mkdir()
    sizes = {
        form.name: median(formats.write_as(scan, folder, form) for scan in scans)
        for form in formats.installed()
    }
    read = compare({"": formats.readers(folder)}, scans)
    rendered = compare({"": formats.renderers(folder)}, scans, work)
    return [
        {
            "variant": whole["variant"],
            "mb": sizes[whole["variant"]],
            "read_ms": part["ms"],
            **{key: whole[key] for key in ("ms", "ms_low", "ms_high", "peak_mib")},
        }
        for part, whole in zip(read, rendered, strict=True)
    ]


def compare_runs(
    counts: Mapping[tuple[str, str], int],
    scans: Sequence[str],
    work: Path,
    cores: int,
    snakefile: Path,
) -> Iterator[tuple[str, list[Row]]]:
    """Time runs over many scans, in pools of processes and in the workflow.

    `counts` is the number of scans for each encoding and variant.

    Yields
    ------
    str, list of dict
        The tables `parallel` and `workflow`.
    """
    pools = {
        (encoding, f"{variant}, {processes_of}"): (encoding, variant, processes)
        for encoding, variant, processes_of, processes in (
            ("notebook", LOOP, "1 process", 1),
            ("notebook", LOOP, "pool", cores),
            ("notebook", SORT, "pool", cores),
            ("notebook", OURS, "pool", cores),
            (PEERS_ENCODING, PEER, "pool", cores),
            (PEERS_ENCODING, OURS, "pool", cores),
        )
    }
    seconds: dict[tuple[str, str], list[float]] = {name: [] for name in pools}
    cpu_s: dict[tuple[str, str], list[float]] = {name: [] for name in pools}
    costs_of: dict[str, Costs] = {name: {} for name in SCANS_PER_JOB}
    many = link_scans(scans, work / "scans", WORKFLOW_SCANS)
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(new_pool(processes))
            for name, (_, _, processes) in pools.items()
        }
        for name, (encoding, variant, processes) in pools.items():
            # Not measured: starts the processes.
            render = RENDERERS[encoding][variant]
            run_pool(started[name], render, scans, 2 * processes, work)
        for _ in range(RUNS):
            for name, (encoding, variant, _) in pools.items():
                render, count = RENDERERS[encoding][variant], counts[encoding, variant]
                taken, cpu = run_pool(started[name], render, scans, count, work)
                seconds[name].append(taken)
                cpu_s[name].append(cpu)
            add_round(costs_of, snakefile, many, work, cores)
        peaks = {
            name: sum(dict(pool.map(pid_and_peak, range(8 * cores))).values())
            for name, pool in started.items()
        }
    rows: list[Row] = [
        {
            "encoding": encoding,
            "variant": label,
            "cores": processes,
            "scans": counts[encoding, variant],
            "seconds": median(seconds[encoding, label]),
            "peak_mib": peaks[encoding, label],
        }
        for (_, label), (encoding, variant, processes) in pools.items()
    ]
    rows += [
        {
            "encoding": "notebook",
            "variant": workflow,
            "cores": cores,
            "scans": WORKFLOW_SCANS,
            "seconds": median(cost.seconds for cost in costs[FIRST]),
            "peak_mib": max(cost.peak_mib for cost in costs[FIRST]),
        }
        for workflow, costs in costs_of.items()
    ]
    firsts: dict[str, float] = {}
    for row in rows:
        row["scans_per_s"] = row["scans"] / row["seconds"]
        first = firsts.setdefault(row["encoding"], row["scans_per_s"])
        row["times_as_fast"] = row["scans_per_s"] / first
    yield "parallel", rows
    render_cpu_s = median(cpu_s["notebook", f"{OURS}, pool"]) / counts["notebook", OURS]
    yield "workflow", tabulate(costs_of, WORKFLOW_SCANS, render_cpu_s)


def run_pool(
    pool: ProcessPoolExecutor,
    render: Callable[[str, str], None],
    scans: Sequence[str],
    count: int,
    work: Path,
) -> tuple[float, float]:
    """Render `count` scans in a pool.

    The images stay: a file system may be slow to create files after many were removed.

    Returns
    -------
    seconds, cpu_s : float
        The time until all are rendered, and the processor time of all renderings.
    """
    folder = mkdtemp(dir=work)
    images = [f"{folder}/{number}.png" for number in range(count)]
    start = time.perf_counter()
    # Few scans at a time, so that all processes are busy to the end; slow ones singly.
    chunk = 4 if count > 100 else 1
    cpu_s = sum(
        pool.map(
            partial(cpu_seconds, render),
            islice(cycle(scans), count),
            images,
            chunksize=chunk,
        )
    )
    return time.perf_counter() - start, cpu_s


def cpu_seconds(render: Callable[[str, str], None], scan: str, image: str) -> float:
    """Render a scan; return the processor time that this process needed for it."""
    start = time.process_time()
    render(scan, image)
    return time.process_time() - start


def pid_and_peak(_: int) -> tuple[int, float]:
    time.sleep(0.05)  # so that each process of a pool gets a call
    return os.getpid(), peak_mib()


def _start(code: str, scan: str, work: Path, kernels: Path) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code, scan, work / "image.png"],
        env=os.environ | {"NUMBA_CACHE_DIR": str(kernels)},
        check=True,
    )
    return time.perf_counter() - start


def compare_starts(scan: str, work: Path) -> list[Row]:
    """Time a process from its start to its first image, with and without a cache."""
    imports = "import sys, birdview.pixels.encoding as e, birdview.pixels.render as r"
    renders = f"{imports}; r.render(*sys.argv[1:], e.load_encoding('notebook'))"
    codes = {
        "imports alone": imports,
        "kernels from the cache": renders,
        "kernels compiled": renders,
    }
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    _start(renders, scan, work, work / "cache")  # not measured: fills the cache
    for _ in range(RUNS):
        for name, code in codes.items():
            with TemporaryDirectory(dir=work) as empty:
                kernels = Path(empty) if name == "kernels compiled" else work / "cache"
                seconds[name].append(_start(code, scan, work, kernels))
    return [
        {"variant": name, "seconds": median(taken)} for name, taken in seconds.items()
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
