"""What several tests use: scans, a copy of the project in a folder, a browser."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import birdview
from birdview.encoding import load_encoding
from birdview.render import render

ROOT = Path(__file__).parents[1]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
    "--force-color-profile=srgb",
)
LAPTOP = 1280, 800


def as_opencv(planes):
    """Return planes, shape (rows, cols, planes), as `cv2.imread` gives them back."""
    if planes.shape[2] == 3:
        return planes[..., ::-1].copy()
    return planes.transpose(2, 0, 1).reshape(-1, planes.shape[1])


@pytest.fixture(scope="session")
def kitti_scans():
    """Real KITTI scans: the .bin files of the folder that BIRDVIEW_SCANS names."""
    folder = os.environ.get("BIRDVIEW_SCANS")
    if not folder:
        pytest.skip("BIRDVIEW_SCANS names no folder with KITTI scans")
    scans = sorted(Path(folder).glob("*.bin"))
    assert scans, f"BIRDVIEW_SCANS={folder} holds no .bin file"
    return scans


@pytest.fixture(scope="session")
def kitti_labels(kitti_scans, tmp_path_factory):
    """Give a folder with the label_2 and calib of the real scans, as KITTI has them."""
    folder = tmp_path_factory.mktemp("kitti")
    for kind in ("label_2", "calib"):
        (folder / kind).mkdir()
        for scan in kitti_scans:
            text = scan.with_suffix(f".{kind}.txt")
            shutil.copy(text, folder / kind / f"{scan.stem}.txt")
    return folder


@pytest.fixture
def make_scan():
    """Write a scan of so many random points, or of the points given, to a path."""

    def make(path, points=1000, seed=0):
        if isinstance(points, int):
            rng = np.random.default_rng(seed)
            low, high = [-60, -60, -2.5, 0], [60, 60, 1, 1]
            points = rng.uniform(low, high, size=(points, 4)).round(3)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.asarray(points, dtype="<f4").tofile(path)
        return path

    return make


def obey_permissions():
    """Let root be refused what a file's mode forbids: for `prepare` of a start."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        drop, override, search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_...
        for capability in (override, search):
            if libc.prctl(drop, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")


def _limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def wait_for(condition):
    """Wait up to a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# For a start with little memory, whatever the number of cores: each thread takes some.
SMALL = {
    "prepare": _limit_memory,
    "environment": {"OPENBLAS_NUM_THREADS": "1"},
    "cores": 1,
}


class Project:
    """A copy of the workflow, and a folder to run it in."""

    def __init__(self, root):
        self.source, self.folder = root / "source", root / "run"
        # With the kernels that are compiled: to do so takes longer than most tests.
        for name in ("workflow", "profiles", "envs"):
            shutil.copytree(ROOT / name, self.source / name)
        for name in ("Snakefile", "config.yaml", "LICENSE"):
            shutil.copy(ROOT / name, self.source)
        self.folder.mkdir()

    def start(
        self,
        *arguments,
        cores=2,
        folder=None,
        python=sys.executable,
        environment=None,
        prepare=None,
    ):
        """Start snakemake in a group of its own; return the process."""

        def begin():
            # Behind `&` in a script, it would be ignored, and so by all children.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if prepare:
                prepare()

        return subprocess.Popen(
            [
                *(python, "-m", "snakemake", "--cores", str(cores)),
                *("--snakefile", self.source / "Snakefile", *arguments),
            ],
            cwd=folder or self.folder,
            env=os.environ | (environment or {}),
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=begin,
        )

    def run(self, *arguments, expect=0, **options):
        """Run snakemake; return all that it printed."""
        process = self.start(*arguments, **options)
        try:
            output, _ = process.communicate(timeout=600)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == expect, output
        return output

    def images(self, folder=None):
        """Return the time of change in ns of each image, by its name below results/."""
        results = (folder or self.folder) / "results"
        return {
            path.relative_to(results).as_posix(): path.stat().st_mtime_ns
            for path in results.rglob("*.png")
        }

    def remade(self, *arguments, **options):
        """Run snakemake; return the names of the images that are new or made anew."""
        before = self.images()
        self.run(*arguments, **options)
        return {
            name for name, time in self.images().items() if before.get(name) != time
        }

    def edit(self, name, old, new):
        """Replace text in a file of the workflow."""
        path = self.source / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compile the kernels, for each arithmetic, and keep them beside their source."""
    folder = tmp_path_factory.mktemp("compiled")
    np.zeros((1, 4), dtype="<f4").tofile(folder / "0.bin")
    for name in ("mv3d", "complex_yolo"):
        render(folder / "0.bin", folder / "0.png", load_encoding(name))
        birdview.load(folder / "0.png")


@pytest.fixture
def project(compiled, tmp_path):
    return Project(tmp_path / "a project")


@pytest.fixture(scope="session")
def cluster_python():
    """Name the Python of an environment of envs/cluster.txt."""
    python = os.environ.get("BIRDVIEW_CLUSTER_PYTHON")
    if not python:
        pytest.skip("BIRDVIEW_CLUSTER_PYTHON names no Python with envs/cluster.txt")
    return python


@pytest.fixture(scope="session")
def chromium():
    """Start the Chromium that is installed."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no chromium here, which shows the pages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open a file in a page of some size; in the end, nothing may have gone wrong.

    No error, nothing on the console, and no request to anywhere but the file system.
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
        page.on("requestfailed", lambda request: wrong.append(request.url))
        page.on("request", lambda request: note(request.url))
        page.goto(f"{Path(path).resolve().as_uri()}{fragment}")
        return page

    def note_message(text, harmless):
        if harmless is None or harmless not in text:
            wrong.append(text)

    def note(url):
        if not url.startswith(("file:", "blob:", "data:")):
            wrong.append(url)

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def keep_screenshot(request):
    """Keep a picture of a page, if BIRDVIEW_SCREENSHOTS names a folder for them."""

    def keep(page):
        folder = os.environ.get("BIRDVIEW_SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"{request.node.name}.png")

    return keep
