"""Run for long and kill often: what takes too long for the tests.

    python tests/soak/run.py [kills] [scans] [threads] ...

in the environment of the tests, for all of them or for some: kills, scans, threads,
points, fuzz. Each prints its figures, or fails if anything is wrong; the figures are in
docs/reliability.md. `fuzz` needs atheris: see fuzz.py.
"""

import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np

from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import Renderer, render

ROOT = Path(__file__).parents[2]
COMMAND = (
    *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
    *("--cores", "2", "--config", "scans=scans", "encodings=[lyft]"),
)


def write_scans(folder, numbers, points):
    """Write scans of random points, all different."""
    (folder / "scans").mkdir(exist_ok=True)
    for number in numbers:
        rng = np.random.default_rng(number)
        scan = rng.normal([0, 0, -1, 0.5], [20, 20, 1, 0.1], (points, 4))
        scan.astype("<f4").tofile(folder / "scans" / f"{number:06}.bin")


def images(folder):
    """Return the modification times of all images by name."""
    times = {}
    for path in (folder / "results" / "lyft").glob("*.png"):
        with suppress(FileNotFoundError):  # Snakemake removes stale images
            times[path.name] = path.stat().st_mtime_ns
    return times


def check(folder, names):
    """Check that images show their scans, byte for byte."""
    renderer = Renderer(load_encoding("lyft"))
    for name in names:
        scan = folder / "scans" / name.replace(".png", ".bin")
        content, _ = renderer.make_image(scan)
        assert (folder / "results" / "lyft" / name).read_bytes() == content, name


def run(folder):
    """Run snakemake; return what it printed."""
    done = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def kills(folder, count=10_000, times=50):
    """Kill all processes of a run at random moments, and run again, many times."""
    write_scans(folder, range(count), 2000)
    chance, again, seen = random.Random(0), 0, {}
    for _ in range(times):
        process = subprocess.Popen(
            COMMAND,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        goal = len(seen) + chance.randrange(count * 3 // 2 // times)
        while len(images(folder)) < goal and process.poll() is None:
            time.sleep(0.1)
        time.sleep(chance.uniform(0, 0.05))
        with suppress(ProcessLookupError):  # it is done
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = images(folder)
        again += sum(now.get(name) != time for name, time in seen.items())
        seen = now
    check(folder, seen)
    unfinished = len(os.listdir(folder / ".snakemake" / "incomplete"))
    run(folder)
    last = images(folder)
    again += sum(last[name] != time for name, time in seen.items())
    assert len(last) == count
    check(folder, last)
    assert "Nothing to be done" in run(folder)
    print(
        f"{times} kills among {count} scans: all images right; {again} rendered again"
    )
    print(f"{len(seen)} were there after the last kill, {unfinished} marked unfinished")


def watch(folder):
    """Run snakemake; return its memory in MiB and its open files at each second."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(COMMAND, cwd=folder, stdout=output, stderr=output)
        seen = []
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
                files = len(os.listdir(f"/proc/{process.pid}/fd"))
            except OSError:
                continue
            words = status.split()
            if "VmRSS:" in words:
                seen.append((int(words[words.index("VmRSS:") + 1]) / 1024, files))
            time.sleep(1)
    assert process.returncode == 0
    return seen


def scans(folder, counts=(20_000, 2_000)):
    """Render many small scans, then some more."""
    before = 0
    for count in counts:
        write_scans(folder, range(before, before + count), 200)
        start = time.monotonic()
        seen = watch(folder)
        seconds = time.monotonic() - start
        before += count
        assert len(images(folder)) == before
        thirds = [seen[len(seen) * k // 6] for k in (2, 3, 4, 5)]
        memory = ", ".join(f"{mib:.0f}" for mib, _ in thirds)
        files = max(files for _, files in seen)
        print(
            f"{count} scans: {seconds:.0f} s; MiB over time: {memory}, at most "
            f"{max(mib for mib, _ in seen):.0f}; at most {files} open files"
        )
    check(folder, sorted(images(folder))[::20])
    logs = sum(p.stat().st_size for p in (folder / ".snakemake" / "log").iterdir())
    own = sum(p.stat().st_size for p in (folder / "results" / "logs").rglob("*.log"))
    print(f"logs: {logs / 2**20:.1f} MiB of Snakemake, {own} bytes of {before} jobs")


def threads(folder, times=20_000):
    """Render in 8 threads, to the same file and to different ones."""
    write_scans(folder, range(16), 20_000)
    names = ("lyft", "mv3d", "pixor", "birdnet")
    encodings = [load_encoding(name) for name in names]
    files = sorted((folder / "scans").iterdir())
    right = {}
    for encoding in encodings:
        renderer = Renderer(encoding)
        for scan in files:
            content, _ = renderer.make_image(scan)
            right[scan, encoding] = hashlib.sha256(content).digest()
    pairs = list(right)

    def once(number):
        scan, encoding = random.Random(number).choice(pairs)
        image = folder / (f"{number % 64}.png" if number % 2 else "same.png")
        render(scan, image, encoding)
        # Another thread may have replaced the same file by now.
        digest = hashlib.sha256(image.read_bytes()).digest()
        return digest in right.values()

    memory = []
    with ThreadPoolExecutor(8) as pool:
        for first in range(0, times, times // 4):
            assert all(pool.map(once, range(first, first + times // 4)))
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert not list(folder.glob(".*"))
    grown = ", ".join(f"{late - early:.1f}" for early, late in pairwise(memory))
    print(
        f"{times} images by 8 threads: all right; MiB {memory[0]:.0f}, then + {grown}"
    )


def points(folder, count=50_000_000):
    """Render one scan of very many points."""
    (folder / "scans").mkdir()
    rng = np.random.default_rng(0)
    with open(folder / "scans" / "0.bin", "wb") as file:
        for _ in range(50):
            some = rng.normal([0, 0, -1, 0.5], [20, 20, 1, 0.1], (count // 50, 4))
            file.write(some.astype("<f4").tobytes())
    seen = watch(folder)
    size, most = count * 16 / 2**20, max(mib for mib, _ in seen)
    print(f"{count} points ({size:.0f} MiB): at most {most:.0f} MiB")


def fuzz(folder, seconds=120):
    """Fuzz each reader."""
    script = Path(__file__).with_name("fuzz.py")
    for reader in ("scan", "image", "encoding", "manifest", "boxes"):
        command = [sys.executable, script, reader, str(seconds)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        print(f"{reader}: {done.stderr.splitlines()[-1]}")


def main():
    """Run those of the command line, or all, each in a new folder."""
    all_of_them = {run.__name__: run for run in (kills, scans, threads, points, fuzz)}
    for name in sys.argv[1:] or all_of_them:
        folder = Path(tempfile.mkdtemp())
        start = time.monotonic()
        print(f"{name}: {all_of_them[name].__doc__}", flush=True)
        all_of_them[name](folder)
        print(f"({time.monotonic() - start:.0f} s)\n", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
