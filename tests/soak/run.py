"""Run for long and kill often: what takes too long for the tests.

    python tests/soak/run.py [kills 10000 50] [batches 3000 50] [jobs 2000 8000] ...

in the environment of the tests, for all of them or for some: kills, batches, jobs,
tables, scans, threads, points, fuzz. The numbers after a name are those of the function
of this name. Each prints its figures, or fails if anything is wrong; the figures are in
docs/reliability.md. `jobs` and `tables` use the scans of the folder BIRDVIEW_SCANS, if
it is set, instead of random ones. `fuzz` needs atheris: see fuzz.py.
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
import psutil

from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import Renderer, render

ROOT = Path(__file__).parents[2]
COMMAND = (
    *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
    *("--cores", "2", "--config", "scans=scans", "encodings=[lyft]"),
)
SCANS_PER_JOB = 100
IN_JOBS = (*COMMAND, f"scans_per_job={SCANS_PER_JOB}")


def write_scans(folder, numbers, points):
    """Write scans of random points, all different."""
    (folder / "scans").mkdir(parents=True, exist_ok=True)
    for number in numbers:
        rng = np.random.default_rng(number)
        scan = rng.normal([0, 0, -1, 0.5], [20, 20, 1, 0.1], (points, 4))
        scan.astype("<f4").tofile(folder / "scans" / f"{number:06}.bin")


def link_scans(folder, count):
    """Fill a folder with links to the scans of BIRDVIEW_SCANS, or to random ones."""
    originals = sorted(Path(os.environ.get("BIRDVIEW_SCANS", "-")).glob("*.bin"))
    if not originals:
        write_scans(folder / "originals", range(8), 120_000)
        originals = sorted((folder / "originals" / "scans").iterdir())
    (folder / "scans").mkdir(parents=True)
    for number in range(count):
        target = originals[number % len(originals)].resolve()
        (folder / "scans" / f"{number:06}.bin").symlink_to(target)


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


def run(folder, command=COMMAND):
    """Run snakemake; return what it printed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def start(folder, command):
    """Start snakemake in a process group of its own; return the process."""
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kills(folder, count=10_000, times=50):
    """Kill all processes of a run at random moments, and run again, many times."""
    write_scans(folder, range(count), 2000)
    chance, again, seen = random.Random(0), 0, {}
    for _ in range(times):
        process = start(folder, COMMAND)
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


def digests(folder):
    """Return the SHA-256 of all images by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "results" / "lyft").glob("*.png")
    }


def kill_at(folder, goal, seconds):
    """Start a run, and kill its processes; return whether there still were any.

    It is killed some seconds after its start, or as soon as there are `goal` images.
    """
    end = time.monotonic() + seconds
    process = start(folder, IN_JOBS)
    while process.poll() is None and time.monotonic() < end:
        if len(images(folder)) >= goal:
            break
        time.sleep(0.002)
    is_running = process.poll() is None
    if is_running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return is_running


def batches(folder, count=3000, times=50):
    """Kill runs with several scans per job at random moments, and run again.

    One kill in five is at a random time of the first two seconds; the others when a
    random number of images is there.
    """
    for name in ("killed", "undisturbed"):
        write_scans(folder / name, range(count), 20_000)
    run(folder / "undisturbed", IN_JOBS)
    expected = digests(folder / "undisturbed")
    assert len(expected) == count
    folder = folder / "killed"
    chance, seen, kills, early = random.Random(0), {}, 0, 0
    while kills < times:
        is_early = chance.random() < 0.2
        # So that the last kill still finds something to do.
        due = (count - len(seen)) / (times - kills)
        goal = len(seen) + chance.randrange(1 + round(1.5 * due))
        seconds = chance.uniform(0, 2) if is_early else 60
        if not kill_at(folder, count if is_early else goal, seconds):
            break
        kills, early = kills + 1, early + is_early
        now = images(folder)
        for name, time_ns in seen.items():
            assert now.get(name) == time_ns, f"{name}: lost, or rendered again"
        for name, digest in digests(folder).items():
            assert digest == expected[name], f"{name}: not whole"
        seen = now
    left = count - len(seen)
    run(folder, IN_JOBS)
    last = images(folder)
    assert digests(folder) == expected
    for name, time_ns in seen.items():
        assert last[name] == time_ns, f"{name}: rendered again"
    assert not [*(folder / "results").rglob(".*.partial")]
    assert "Nothing to be done" in run(folder, IN_JOBS)
    assert images(folder) == last
    print(
        f"{kills} kills, {early} of them early, among {count} scans in jobs of "
        f"{SCANS_PER_JOB}: nothing lost, no half image, none rendered again; the last "
        f"run rendered {left}, and all have the digests of an undisturbed run"
    )


def measure(folder, *command):
    """Run snakemake; return its seconds, and the peak memory of its processes in MiB.

    Of what they share, each has its part.
    """
    peak = 0
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        process = psutil.Popen(command, cwd=folder, stdout=output, stderr=output)
        while process.poll() is None:
            with suppress(psutil.Error):
                together = (process, *process.children(recursive=True))
                peak = max(peak, sum(one.memory_full_info().pss for one in together))
            time.sleep(0.3)
        assert process.returncode == 0
    return time.monotonic() - start, peak / (1 << 20)


def jobs(folder, *counts):
    """Measure the memory of 1 and of 16 jobs at once, of 100 scans each."""
    for count in counts or (2000, 8000):
        link_scans(folder / str(count), count)
        peaks = {}
        for cores in (1, 16):
            command = [*IN_JOBS, "encodings=[notebook]"]
            command[command.index("--cores") + 1] = str(cores)
            seconds, peaks[cores] = measure(folder / str(count), *command)
            figures = f"{seconds:.0f} s, {peaks[cores]:.0f} MiB"
            print(f"{count} scans, --cores {cores}: {figures}", flush=True)
            shutil.rmtree(folder / str(count) / "results")
        each = (peaks[16] - peaks[1]) / 15
        print(f"{count} scans: {each:.1f} MiB for each further job", flush=True)


def tables(folder, *counts):
    """Measure `manifest` and `verify` of many scans."""
    for count in counts or (7481,):
        link_scans(folder / str(count), count)
        command = [*IN_JOBS, "encodings=[notebook]"]
        position = command.index("--cores")
        for target in ("all", "manifest", "verify"):
            with_target = [*command[:position], target, *command[position:]]
            seconds, mib = measure(folder / str(count), *with_target)
            print(
                f"{count} scans, {target}: {seconds:.1f} s, {mib:.0f} MiB", flush=True
            )


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


def scans(folder, *counts):
    """Render many small scans, then some more."""
    before = 0
    for count in counts or (20_000, 2_000):
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
    functions = (kills, batches, jobs, tables, scans, threads, points, fuzz)
    all_of_them = {function.__name__: function for function in functions}
    chosen = []
    for word in sys.argv[1:] or all_of_them:
        if word.isdigit():
            chosen[-1][1].append(int(word))
        else:
            chosen.append((word, []))
    for name, numbers in chosen:
        folder = Path(tempfile.mkdtemp())
        start = time.monotonic()
        print(f"{name}: {all_of_them[name].__doc__}", flush=True)
        all_of_them[name](folder, *numbers)
        print(f"({time.monotonic() - start:.0f} s)\n", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
