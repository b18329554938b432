"""Measure planning very many scans, and finding that there is nothing to do.

    python tests/soak/plans.py [100000] [400000]

in the environment of the tests. All scans are links to one with 100 points. All images
but the first are links to that one, each with a copy of Snakemake's record of it:
Snakemake takes as long to check them. With several scans per job, the first run finds
that all these images are up to date, and records it. The figures are in
docs/cluster.md.
"""

import base64
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from birdview.search import find_scans

ROOT = Path(__file__).parents[2]
MAX_LINKS = 50_000  # file systems limit the links to a file
SCANS_PER_JOB, BATCH_SIZE = 500, 5000


def link(source, target, number):
    """Link a file, or copy it if it has many links; return the file to link next."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if number % MAX_LINKS == 0:
        target.write_bytes(source.read_bytes())
        return target
    os.link(source, target)
    return source


def write_scans(folder, count):
    """Write scans in folders of 1,000."""
    first = folder / "scan"
    points = np.random.default_rng(0).normal(0, 20, (100, 4))
    (points / [1, 1, 20, 50]).astype("<f4").tofile(first)
    for number in range(count):
        name = f"drive_{number // 1000:04}/{number % 1000:06}.bin"
        first = link(first, folder / "scans" / name, number)


def pretend(folder):
    """Write the images and records that a complete run would have left."""
    first, *others = find_scans(folder / "scans").names
    measure(folder, f"results/lyft/{first}.png", "results/lyft/grid.json")
    source = folder / "results" / "lyft" / f"{first}.png"
    records = folder / ".snakemake" / "metadata"

    def record(name):
        return records / base64.b64encode(f"results/lyft/{name}.png".encode()).decode()

    text = record(first).read_text()
    for number, name in enumerate(others, 1):
        source = link(source, folder / "results" / "lyft" / f"{name}.png", number)
        record(name).write_text(text.replace(first, name))


def measure(folder, *arguments, scans_per_job="null"):
    """Run snakemake; return its seconds and MiB, and what it printed."""
    command = [
        *("/usr/bin/time", "--format", "%e s %M KB", sys.executable, "-m", "snakemake"),
        *("--snakefile", ROOT / "Snakefile", "--cores", "2", *arguments, "--config"),
        *("scans=scans", "encodings=[lyft]", f"scans_per_job={scans_per_job}"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    *_, figures = re.findall(r"^(\S+) s (\d+) KB$", done.stderr, re.MULTILINE)
    seconds, kilobytes = figures
    return f"{float(seconds):.0f} s, {int(kilobytes) / 1024:.0f} MiB", done.stderr


def main():
    """Measure for each number of scans."""
    for count in map(int, sys.argv[1:] or (100_000, 400_000)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_scans(folder, count)
            batch = ("--batch", f"all=1/{max(1, count // BATCH_SIZE)}")
            plans = {
                "one job per image": ((), "null"),
                f"one job per image, --batch of {BATCH_SIZE}": (batch, "null"),
                f"{SCANS_PER_JOB} scans per job": ((), SCANS_PER_JOB),
            }
            dry_run = ("--dry-run", "--quiet", "all")
            for what, (arguments, size) in plans.items():
                dry, _ = measure(folder, *arguments, *dry_run, scans_per_job=size)
                print(f"{count} scans, plan, {what}: {dry}", flush=True)
            pretend(folder)
            last = (
                folder
                / "results"
                / "lyft"
                / f"{find_scans(folder / 'scans').names[-1]}.png"
            )
            before = last.stat().st_mtime_ns
            figures, _ = measure(folder, scans_per_job=SCANS_PER_JOB)
            print(
                f"{count} scans, first look at images made singly: {figures}",
                flush=True,
            )
            assert last.stat().st_mtime_ns == before, "rendered again"
            for what, (arguments, size) in plans.items():
                figures, output = measure(folder, *arguments, scans_per_job=size)
                assert "Nothing to be done" in output, output
                print(f"{count} scans, nothing to do, {what}: {figures}", flush=True)


if __name__ == "__main__":
    main()
