"""What several tests share and is not a fixture."""

import copy
import ctypes
import functools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
    "--force-color-profile=srgb",
)
LAPTOP = 1280, 800
SENSORS = {
    "kitti_raw_0001_0.bin": "kitti",
    "nuscenes_n015.pcd.bin": "nuscenes",
    "once_1616343527200.bin": "once",
    "rellis_os1_000104.bin": "rellis_ouster",
    "vod_lidar_00549.bin": "view_of_delft",
    "vod_radar_00549.bin": "view_of_delft_radar",
    "waymo_mmdet3d_0000000.bin": "waymo6",
}
"""The layouts of real scans, in the folder of the fixture `sensor_scans`."""
OWN = """\
description: The number of points in two slices, and the mean height.
region:
  x: {min: 0, max: 40, closed: lower}
  y: {min: -10, max: 10, closed: lower}
  z: {min: -2, max: 1}
grid:
  cell: {x: 0.5, y: 0.25}
  rows: -x
  cols: -y
slices: [-2, -1, 1]
channels:
  - {name: count, slice: each, statistic: count, range: [0, 8]}
  - {name: height, statistic: mean_height, range: [-2, 1]}
  - {name: occupied, statistic: occupancy}
"""
"""An encoding of one's own, of three statistics."""


def write_layout(path, *fields, **keys):
    """Write a layout's yaml and return its path.

    Parameters
    ----------
    path : Path
        In a folder that is made if there is none.
    *fields : str
        Such as ``"-y int16/1000"``; unless given, four float32 as KITTI's.
    **keys
        Other keys of the layout.
    """
    fields = fields or ("x float32", "y float32", "z float32", "intensity float32")
    pairs = [dict([field.split(" ", 1)]) for field in fields]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"description": "Own.", "fields": pairs} | keys))
    return path


def write_pcd(path, **columns):
    """Write a point cloud of the columns, binary."""
    kinds = {"f": "F", "i": "I", "u": "U"}
    types = [column.dtype for column in columns.values()]
    records = np.rec.fromarrays([*columns.values()], names=[*columns])
    lines = (
        *("VERSION 0.7", f"FIELDS {' '.join(columns)}"),
        f"SIZE {' '.join(str(kind.itemsize) for kind in types)}",
        f"TYPE {' '.join(kinds[kind.kind] for kind in types)}",
        f"COUNT {' '.join('1' for _ in types)}",
        *(f"WIDTH {len(records)}", "HEIGHT 1", f"POINTS {len(records)}", "DATA binary"),
    )
    path.write_bytes("\n".join((*lines, "")).encode() + records.tobytes())


def write_csv(path, header, *columns, delimiter=","):
    """Write columns as text that restores each float32; without a header if empty."""
    np.savetxt(
        path, np.stack(columns, 1), "%.9g", delimiter, header=header, comments=""
    )


def check_reader(reader, data, wanted, path):
    """Check that a reader returns columns of equal lengths, or fails with one line.

    And that it lists the names of columns, or fails with one line.

    Parameters
    ----------
    reader : module
        One of `birdview.pixels.readers`.
    data : ndarray of uint8
    wanted : list of str
    path : str
    """
    try:
        columns = reader.read(data, wanted, path)
        assert len({len(column) for column in columns}) == 1
    except ValueError as error:
        check_message(error, path)
    try:
        names = reader.list_columns(data, path)
        assert all(isinstance(name, str) for name in names)
        reader.read(data, names, path)
    except ValueError as error:
        check_message(error, path)


def check_message(error, path):
    """Check that an error is one line, and begins with the path."""
    assert str(error).startswith(f"{path}: ")
    assert "\n" not in str(error)


def as_opencv(planes):
    """Return planes, shape (rows, cols, planes), in the form `cv2.imread` returns."""
    if planes.shape[2] == 3:
        return planes[..., ::-1].copy()
    return planes.transpose(2, 0, 1).reshape(-1, planes.shape[1])


def build(target, folder, source=ROOT):
    """Build a ``wheel`` or an ``sdist`` in a folder; return its path."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target]
    subprocess.check_call([*command, "--directory", folder], cwd=source)
    (path,) = folder.iterdir()
    return path


def run_alone(python, code, *arguments, folder=None):
    """Run code in a Python that sees no package but those installed; return its output.

    That is in isolated mode: without the current folder and PYTHONPATH.
    """
    done = subprocess.run(
        [python, "-I", "-W", "error", "-c", code, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def share_kernels(package):
    """Give a copy of the package the compiled kernels of this one.

    Numba takes them for sources with the same path, size and time.
    """
    mine = ROOT / "workflow" / "scripts" / "birdview"
    for cache in mine.rglob("__pycache__"):
        folder = package / cache.relative_to(mine)
        folder.mkdir(exist_ok=True)
        for file in cache.glob("*.nb[ci]"):
            shutil.copy2(file, folder)
    for file in mine.rglob("*.py"):
        time = file.stat().st_mtime_ns
        os.utime(package / file.relative_to(mine), ns=(time, time))


def obey_permissions():
    """Make file modes hold for root as well; for `prepare` of `Project.start`."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        drop, override, search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_...
        for capability in (override, search):
            if libc.prctl(drop, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")


def _limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


FROM_0_1 = Path(__file__).parent / "from_0_1"


def scan_of_0_1():
    """Return the points of the scan that birdview 0.1 made FROM_0_1 of."""
    n = np.arange(400)
    axes = n * 7 % 97 - 30.3, n * 13 % 89 - 44.7, n * 5 % 23 / 8 - 2.4
    return np.stack([*axes, n % 11 / 10], axis=1)


# Options of `Project.start` for a process with little memory, on any number of cores:
# each thread takes some.
SMALL_MEMORY = {
    "prepare": _limit_memory,
    "environment": {"OPENBLAS_NUM_THREADS": "1"},
    "cores": 1,
}


def wait_for(condition, interval=0.1):
    """Wait up to a minute until a condition holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(interval)


@functools.cache
def _warm():
    """Start what runs Snakemake without importing it each time."""
    program = [sys.executable, ROOT / "tests" / "warm.py"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(program, text=True, **pipes)


def _run_warm(arguments, folder):
    """Run Snakemake; return its exit status and what it printed."""
    with tempfile.NamedTemporaryFile() as output:
        run = {"folder": str(folder), "output": output.name}
        run["arguments"] = [str(argument) for argument in arguments]
        print(json.dumps(run), file=_warm().stdin, flush=True)
        status = int(_warm().stdout.readline())
        return status, output.read().decode(errors="replace")


class Project:
    """A copy of the workflow, and a folder to run it in.

    Attributes
    ----------
    is_warm : bool
        Whether runs are forks of a process that has loaded Snakemake: see `warm`.
    """

    is_warm = True

    def __init__(self, root):
        self.source, self.folder = root / "source", root / "run"
        # With the compiled kernels: compiling takes longer than most tests. Another run
        # of tests may be writing some right now, under temporary names.
        unfinished = shutil.ignore_patterns("*.tmp.*")
        for name in ("workflow", "profiles", "envs"):
            shutil.copytree(ROOT / name, self.source / name, ignore=unfinished)
        for name in ("Snakefile", "config.yaml", "LICENSE"):
            shutil.copy(ROOT / name, self.source)
        self.folder.mkdir()

    def copy(self, root):
        """Return a copy with all results, which are as up to date as here."""
        twin = copy.copy(self)
        twin.source, twin.folder = root / "source", root / "run"
        shutil.copytree(self.source, twin.source)
        shutil.copytree(self.folder, twin.folder, symlinks=True)
        return twin

    def start(
        self,
        *arguments,
        cores=2,
        folder=None,
        python=sys.executable,
        environment=None,
        prepare=None,
    ):
        """Start snakemake in a process group of its own; return the process."""

        def begin():
            # A shell makes what it starts behind `&` ignore SIGINT, children included.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if prepare:
                prepare()

        return subprocess.Popen(
            [python, "-m", "snakemake", *self._options(cores), *arguments],
            cwd=folder or self.folder,
            env=os.environ | (environment or {}),
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=begin,
        )

    def _options(self, cores):
        """Return the options of Snakemake that each run has."""
        options = ["--snakefile", self.source / "Snakefile"]
        return ["--cores", str(cores), *options] if cores else options

    def run(self, *arguments, expect=0, cores=2, folder=None, **options):
        """Run snakemake, check its exit status, and return what it printed."""
        if options or not self.is_warm:
            process = self.start(*arguments, cores=cores, folder=folder, **options)
            try:
                output, _ = process.communicate(timeout=600)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            status = process.returncode
        else:
            arguments = [*self._options(cores), *arguments]
            status, output = _run_warm(arguments, folder or self.folder)
        assert status == expect, output
        return output

    def images(self, folder=None):
        """Return the modification time in ns of each image, by its path in results/."""
        results = (folder or self.folder) / "results"
        return {
            path.relative_to(results).as_posix(): path.stat().st_mtime_ns
            for path in results.rglob("*.png")
        }

    def files(self):
        """Return the bytes of each file in results/ but logs, by its path in it."""
        results = self.folder / "results"
        return {
            path.relative_to(results).as_posix(): path.read_bytes()
            for path in results.rglob("*")
            if path.is_file() and path.suffix != ".log"
        }

    def rendered_by(self, *arguments, **options):
        """Run snakemake; return the names of the images that it wrote."""
        before = self.images()
        self.run(*arguments, **options)
        return {
            name for name, time in self.images().items() if before.get(name) != time
        }

    def edit(self, name, old, new):
        """Replace text in a file of the workflow's copy."""
        path = self.source / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def inject_fault(self, code):
        """Run code before each image is rendered, in the thread that renders it.

        Parameters
        ----------
        code : str
            Python statements. They can use `scan`, the name of the scan below the
            folder `scans`, and what `birdview.jobs` imports. In batches, they run once
            for all images of a scan. Images do not become stale: the code is not in
            `pixels/`.
        """
        with open(self.source / "workflow/scripts/birdview/jobs.py", "a") as file:
            file.write(
                "\n\n_draw_images = draw_images\n\n\n"
                "def draw_images(run, assembly, *arguments):\n"
                "    _, _, name = str(assembly.parts[0].file).rpartition('scans/')\n"
                "    scan = name.removesuffix('.bin')\n"
                f"{textwrap.indent(textwrap.dedent(code), '    ')}\n"
                "    yield from _draw_images(run, assembly, *arguments)\n"
            )
