"""Fixtures of several tests: scans, a copy of the project in a folder, a browser."""

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from helpers import CHROMIUM_FLAGS, LAPTOP, Project, build, share_kernels

from birdview.counts import Counts
from birdview.inflate import inflate
from birdview.pixels.drawing import trace
from birdview.pixels.encoding import load_encoding
from birdview.pixels.raster import Raster
from birdview.pixels.readers.decimals import BLANKS, parse_table
from birdview.pixels.readers.lzf import decompress
from birdview.pixels.scan import read_scan
from birdview.training.labels.box import Box
from birdview.training.labels.inside import count_inside
from birdview.training.statistics import count_shades


@pytest.fixture(scope="session")
def kitti_scans():
    """Return real KITTI scans: the .bin files of the folder BIRDVIEW_SCANS."""
    folder = os.environ.get("BIRDVIEW_SCANS")
    if not folder:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    scans = sorted(Path(folder).glob("*.bin"))
    assert scans, f"BIRDVIEW_SCANS={folder} holds no .bin file"
    return scans


@pytest.fixture(scope="session")
def sensor_scans(kitti_scans):
    """Return the folder of real scans of other sensors, beside those of KITTI."""
    folder = kitti_scans[0].parents[1] / "sensors"
    if not folder.is_dir():
        pytest.skip(f"no {folder}, a folder of scans of other sensors than KITTI's")
    return folder


@pytest.fixture(scope="session")
def kitti_labels(kitti_scans, tmp_path_factory):
    """Return a folder with label_2 and calib of the real scans, as KITTI has them."""
    folder = tmp_path_factory.mktemp("kitti")
    for kind in ("label_2", "calib"):
        (folder / kind).mkdir()
        for scan in kitti_scans:
            text = scan.with_suffix(f".{kind}.txt")
            shutil.copy(text, folder / kind / f"{scan.stem}.txt")
    return folder


@pytest.fixture(scope="session")
def make_scan():
    """Write a scan: the points given, or a number of random ones."""

    def make(path, points=1000, seed=0):
        if isinstance(points, int):
            rng = np.random.default_rng(seed)
            low, high = [-60, -60, -2.5, 0], [60, 60, 1, 1]
            points = rng.uniform(low, high, size=(points, 4)).round(3)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.asarray(points, dtype="<f4").tofile(path)
        return path

    return make


def compile_drawing(scan):
    """Compile what draws, for each arithmetic."""
    for name in ("mv3d", "complex_yolo"):
        Raster(load_encoding(name)).draw(read_scan(scan))


def compile_streams(scan):
    """Compile what compresses images, decompresses them, counts, and reads text."""
    for name in ("lyft", "avod_like"):
        encoding, keys = load_encoding(name), (*Counts._fields, "scan_sha256")
        text = {f"birdview:{key}": "0" for key in keys}
        text["birdview:encoding_sha256"] = encoding.digest
        image = trace(np.zeros(encoding.shape, np.uint8)).encode(text)
        count_shades(image, scan, encoding, inflate)
    parse_table(np.frombuffer(b"1\n", np.uint8), BLANKS, 1, [0], 1)
    decompress(np.zeros(2, np.uint8), 1)
    box = Box("Car", np.eye(4, 3), 1.0, 1)
    count_inside(np.zeros((1, 4), np.float32), [box])


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compile the kernels, once for all workers; Numba caches them beside the source.

    Of two workers, each compiles one half and waits for the other.
    """
    scan = tmp_path_factory.mktemp("compiled") / "0.bin"
    np.zeros((1, 4), dtype="<f4").tofile(scan)
    shared, steps = tmp_path_factory.getbasetemp(), [compile_streams, compile_drawing]
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
        steps = steps[::-1] if worker == "gw1" else steps
    for step in steps:
        with open(shared / f"{step.__name__}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            step(scan)


@pytest.fixture(scope="session", autouse=True)
def compiled_for_all_workers(request):
    """Compile before any test if there are several workers, or each would compile."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        request.getfixturevalue("compiled")


@pytest.fixture
def project(compiled, tmp_path):
    """Copy the project; its folder has a space in its name."""
    return Project(tmp_path / "a project")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Build the package as a wheel."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel, compiled, tmp_path_factory):
    """Install the wheel; return the Python of its environment.

    It finds the libraries of this environment, but not the clone.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    subprocess.check_call([*pip, "install", "-q", "--no-deps", "--no-index", wheel])
    (site,) = folder.glob("lib/python*/site-packages")
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "libraries.pth").write_text("\n".join(libraries))
    share_kernels(site / "birdview")
    return python


@pytest.fixture(scope="session")
def cluster_python():
    """Return the Python of an environment of envs/cluster.txt."""
    python = os.environ.get("BIRDVIEW_CLUSTER_PYTHON")
    if not python:
        pytest.skip(
            "BIRDVIEW_CLUSTER_PYTHON is not set: it is a Python with envs/cluster.txt"
        )
    return python


@pytest.fixture(scope="session")
def chromium():
    """Start the installed Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no chromium here to show the pages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open a file in a browser window; fail at the end if anything went wrong.

    That is an error, a message on the console, or a request to anything but the file
    system.
    """
    wrong, contexts = [], []

    def open_page(path, fragment="", size=LAPTOP, touch=False, harmless=None):
        width, height = size
        context = chromium.new_context(
            viewport={"width": width, "height": height}, has_touch=touch
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: note_message(message.text, harmless))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", note_failure)
        page.on("request", lambda request: note_request(request.url))
        page.goto(f"{Path(path).resolve().as_uri()}{fragment}")
        return page

    def note_message(text, harmless):
        if harmless is None or harmless not in text:
            wrong.append(text)

    def note_failure(request):
        if request.failure != "net::ERR_ABORTED":  # the page no longer needs it
            wrong.append(request.url)

    def note_request(url):
        if not url.startswith(("file:", "blob:", "data:")):
            wrong.append(url)

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def keep_screenshot(request):
    """Save a picture of a page, if BIRDVIEW_SCREENSHOTS is a folder for them."""

    def keep(page):
        folder = os.environ.get("BIRDVIEW_SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"{request.node.name}.png")

    return keep
