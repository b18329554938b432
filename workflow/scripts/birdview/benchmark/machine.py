"""Describe this machine, and measure the time and the memory of processes on it."""

import argparse
import os
import platform
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psutil

import birdview

MIB = 1 << 20
RUNS = 3
"""How often a run over many scans is measured."""


def command_line(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of the options that all commands of the benchmark have."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--snakefile", type=Path, required=True)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("scans", nargs="+")
    return parser


def peak_mib() -> float:
    """Return the peak memory of this process so far, in MiB."""
    try:
        # Not by getrusage(): it starts with that of the process that started this one.
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except FileNotFoundError:  # macOS, in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


class Cost(NamedTuple):
    """What a command costs.

    Attributes
    ----------
    seconds : float
        The time of the whole command.
    cpu_s : float
        The processor time of all its threads, in seconds.
    peak_mib : float
        The peak memory of all its processes, sampled ten times a second.
    """

    seconds: float
    cpu_s: float
    peak_mib: float


def run_workflow(
    snakefile: Path,
    scans: Path,
    folder: Path,
    cores: int,
    scans_per_job: int | None = None,
) -> Cost:
    """Run the workflow in a folder on a folder of scans, in the encoding `notebook`.

    No other process that this one started may end meanwhile: its processor time would
    count.

    Raises
    ------
    RuntimeError
        If the workflow fails.
    """
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)),
        *("--directory", str(folder), "--cores", str(cores)),
        *("--config", f"scans={Path(scans).absolute()}", "encodings=[notebook]"),
        f"scans_per_job={'null' if scans_per_job is None else scans_per_job}",
    ]
    with open(folder / "snakemake.log", "w+") as log:
        start, cpu_before = time.perf_counter(), _cpu_of_ended_processes()
        process = psutil.Popen(command, stdout=log, stderr=log)
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory_of(process))
            try:
                process.wait(0.1)
            except psutil.TimeoutExpired:
                continue
        seconds = time.perf_counter() - start
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"the workflow failed:\n{log.read()}")
    return Cost(seconds, _cpu_of_ended_processes() - cpu_before, peak / MIB)


def memory_of(process: psutil.Process) -> int:
    """Return the memory of a process and of those that it started, in bytes.

    What they share counts for each.
    """
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    return total


def _cpu_of_ended_processes() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def link_scans(scans: Sequence[str], folder: Path, count: int) -> Path:
    """Fill a folder with `count` hard links to copies of a few scans."""
    folder.mkdir(parents=True)
    originals = []
    for number, scan in enumerate(scans):
        # A hard link cannot cross from one file system to another, but a copy can.
        originals.append(folder.parent / f"{folder.name}-original-{number}")
        shutil.copy(scan, originals[-1])
    for number in range(count):
        os.link(originals[number % len(originals)], folder / f"{number:06}.bin")
    return folder


def change_scan(scan: Path) -> None:
    """Replace a link to a scan by a file without the last point of it."""
    content = scan.read_bytes()
    scan.unlink()
    scan.write_bytes(content[:-16])


def describe_machine() -> list[dict[str, object]]:
    """Return facts about this machine, as rows of a fact and its value."""
    facts = {
        "processor": _name_processor(),
        "cores": os.cpu_count(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(),
        "Python": platform.python_version(),
        "birdview": birdview.__version__,
    } | {name: version(name) for name in ("snakemake", "numpy", "numba")}
    return [{"fact": fact, "value": value} for fact, value in facts.items()]


def _name_processor() -> str:
    try:
        cpus = Path("/proc/cpuinfo").read_text()
        return cpus.split("model name")[1].splitlines()[0].strip("\t: ")
    except (FileNotFoundError, IndexError):
        return platform.processor()
