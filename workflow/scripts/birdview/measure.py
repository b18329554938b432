"""Measuring: the time and the memory of a process, and tables of them."""

import csv
import os
import platform
import resource
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psutil

import birdview

MIB = 1 << 20


def peak_mib():
    """Return the most memory that this process has had so far, in MiB."""
    try:
        # Not by getrusage(): it starts with that of the process that started this one.
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except FileNotFoundError:  # macOS, in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def run_workflow(snakefile, scans, folder, cores):
    """Run the workflow in a folder on a folder of scans, in the encoding `notebook`.

    Returns
    -------
    seconds, peak_mib : float
        The time of the whole command, and the most memory it had, looked up ten times a
        second.

    Raises
    ------
    RuntimeError
        If the workflow fails.
    """
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", snakefile),
        *("--directory", folder, "--cores", str(cores)),
        *("--config", f"scans={Path(scans).absolute()}", "encodings=[notebook]"),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "snakemake.log", "w+") as log:
        start = time.perf_counter()
        process = psutil.Popen(command, stdout=log, stderr=log)
        peak = 0
        while process.poll() is None:
            peak = max(peak, process.memory_info().rss)
            try:
                process.wait(0.1)
            except psutil.TimeoutExpired:
                continue
        seconds = time.perf_counter() - start
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"the workflow failed:\n{log.read()}")
    return seconds, peak / MIB


def link_scans(scans, folder, count):
    """Fill a folder with so many scans: some, over and over, by hard links."""
    folder.mkdir(parents=True)
    originals = []
    for number, scan in enumerate(scans):
        # A hard link cannot cross from one file system to another, but a copy can.
        originals.append(folder.parent / f"{folder.name}-original-{number}")
        shutil.copy(scan, originals[-1])
    for number in range(count):
        os.link(originals[number % len(originals)], folder / f"{number:06}.bin")
    return folder


def write_table(path, rows):
    """Write rows, mappings with the same keys, as a table with tabs."""
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, rows[0], delimiter="\t", lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow(
                {
                    key: f"{value:.4g}" if isinstance(value, float) else value
                    for key, value in row.items()
                }
            )


def describe_machine():
    """Say what is measured on, in rows of a fact and its value."""
    facts = {
        "processor": _name_processor(),
        "cores": os.cpu_count(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(),
        "Python": platform.python_version(),
        "birdview": birdview.__version__,
    } | {name: version(name) for name in ("snakemake", "numpy", "numba")}
    return [{"fact": fact, "value": value} for fact, value in facts.items()]


def _name_processor():
    try:
        cpus = Path("/proc/cpuinfo").read_text()
        return cpus.split("model name")[1].splitlines()[0].strip("\t: ")
    except (FileNotFoundError, IndexError):
        return platform.processor()
