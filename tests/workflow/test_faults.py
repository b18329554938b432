"""Kills, full disks, crashes: what is there is right; the next run does the rest."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time

import cv2
import numpy as np
import pytest
from conftest import obey_permissions

import birdview
from birdview.encoding import load_encoding
from birdview.render import render

SETTINGS = ("--config", "scans=scans", "encodings=[lyft]")
COUNT = 60


@pytest.fixture
def drive(project, make_scan):
    """Write scans that are rendered in a second or two; keep what their images are."""
    encoding = load_encoding("lyft")
    project.right = {}
    for number in range(COUNT):
        scan = project.folder / "scans" / f"{number:03}.bin"
        make_scan(scan, 3000, seed=number)
        render(scan, project.folder / "right.png", encoding)
        right = (project.folder / "right.png").read_bytes()
        project.right[f"lyft/{number:03}.png"] = right
    (project.folder / "right.png").unlink()
    return project


def check(project, whole=True):
    """See that all images that there are, or all there should be, are right."""
    names = set(project.images())
    if whole:
        assert names == set(project.right)
    results = project.folder / "results"
    for name in names:
        assert (results / name).read_bytes() == project.right[name]


def wait_for(project, count, process):
    """Wait until there are so many images, or all is done."""
    folder = project.folder / "results" / "lyft"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if (
            folder.is_dir()
            and sum(n.endswith(".png") for n in os.listdir(folder)) >= count
        ):
            return
        time.sleep(0.005)


def marked(project):
    """Return the files that Snakemake takes for unfinished."""
    return len(os.listdir(project.folder / ".snakemake" / "incomplete"))


def test_killed_at_any_moment(drive):
    """`kill -9` of all; the same command again does the rest, and only that."""
    chance = random.Random(0)
    for _ in range(5):
        process = drive.start(*SETTINGS)
        wait_for(drive, chance.randrange(COUNT), process)
        time.sleep(chance.uniform(0, 0.05))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        check(drive, whole=False)
        before, unfinished = drive.images(), marked(drive)
        assert unfinished <= 3  # of two jobs that ran, and one that had just ended
        drive.run(*SETTINGS)
        check(drive)
        after = drive.images()
        assert sum(after[name] != time for name, time in before.items()) <= unfinished
        assert "Nothing to be done" in drive.run(*SETTINGS)
        shutil.rmtree(drive.folder / "results")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(drive, number):
    """It says so, within seconds, and leaves no half of anything; then it goes on."""
    for count in (5, 15, 30):
        process = drive.start(*SETTINGS)
        wait_for(drive, count, process)
        os.kill(process.pid, number)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        # In which words depends on what Snakemake was about.
        said = "user request|KeyboardInterrupt|Will exit after finishing"
        assert re.search(said, output), output
        check(drive, whole=False)
        assert len(drive.images()) < COUNT
        assert not list((drive.folder / "results").rglob("*.partial"))
        before = drive.images()
        unfinished = marked(drive)
        drive.run(*SETTINGS)
        check(drive)
        after = drive.images()
        assert sum(after[name] != time for name, time in before.items()) <= unfinished
        shutil.rmtree(drive.folder / "results")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 1 MB; return its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_disk_that_is_full(drive, small_disk):
    """The error has the image's name, no image is cut; with space, it goes on."""
    settings = ("--config", f"scans={drive.folder / 'scans'}", "encodings=[notebook]")
    output = drive.run(*settings, folder=small_disk, expect=1)
    assert "[Errno 28] No space left on device: 'results/notebook/" in output
    images = list((small_disk / "results" / "notebook").glob("*.png"))
    assert 0 < len(images) < COUNT
    for image in images:
        birdview.load(image)
    assert not list((small_disk / "results").rglob("*.partial"))
    more = ["mount", "-o", "remount,size=200m", small_disk]
    subprocess.run(more, check=True)
    drive.run(*settings, folder=small_disk)
    assert len(list((small_disk / "results" / "notebook").glob("*.png"))) == COUNT


def test_disk_that_is_full_of_a_movie(drive):
    """OpenCV says nothing; the movie is not cut, but not there."""
    drive.run(*SETTINGS)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    output = drive.run("movie", *SETTINGS, prepare=limit, expect=1)
    assert f"frames written, expected {COUNT}; is the disk full?" in output
    assert not list((drive.folder / "results").glob("movie/*"))
    drive.run("movie", *SETTINGS)
    assert (drive.folder / "results" / "movie" / "lyft.webm").stat().st_size > 60_000


def test_results_that_cannot_be_written(drive):
    """One line for each image; those that there are stay."""
    drive.run("results/lyft/grid.json", *SETTINGS)
    folder = drive.folder / "results" / "lyft"
    folder.chmod(0o555)
    output = drive.run(*SETTINGS, prepare=obey_permissions, expect=1)
    folder.chmod(0o755)
    for name in drive.right:
        assert f"[Errno 13] Permission denied: 'results/{name}'" in output
    drive.run(*SETTINGS)
    check(drive)


def test_images_that_others_change(drive):
    """Snakemake makes one again that is gone; one that was changed, `verify` names."""
    drive.run(*SETTINGS)
    folder = drive.folder / "results" / "lyft"
    (folder / "000.png").unlink()
    assert drive.remade(*SETTINGS) == {"lyft/000.png"}
    for name in ("001", "002"):
        path = folder / f"{name}.png"
        path.write_bytes(path.read_bytes()[:-50])
    cv2.imwrite(str(folder / "003.png"), np.zeros((336, 336, 3), np.uint8))
    assert drive.remade(*SETTINGS) == set()  # it goes by the times of the scans
    output = drive.run("verify", *SETTINGS, expect=1)
    named = [line.split(": ")[1] for line in output.splitlines() if ": lyft/" in line]
    assert named == ["lyft/001", "lyft/002", "lyft/003"]
    for name in ("001", "002", "003"):
        (folder / f"{name}.png").unlink()
    drive.run(*SETTINGS)
    check(drive)


def test_fault_in_native_code(drive):
    """It ends Snakemake, which says what it was and where; then it goes on."""
    drive.edit(
        "workflow/scripts/birdview/render.py",
        "    data = load(scan)\n",
        "    data = load(scan)\n"
        "    if str(scan).endswith('030.bin') and not os.path.exists('once'):\n"
        "        open('once', 'w').close()\n"
        "        import ctypes; ctypes.string_at(0)\n",
    )
    output = drive.run(*SETTINGS, expect=-signal.SIGSEGV)
    assert "Fatal Python error: Segmentation fault" in output
    assert "in make_image" in output
    check_pixels(drive, whole=False)
    drive.run(*SETTINGS)
    check_pixels(drive)


def check_pixels(project, whole=True):
    """As `check`, for images of a code that is another one."""
    names = project.images()
    assert not whole or set(names) == set(project.right)
    for name in names:
        image = cv2.imread(str(project.folder / "results" / name))
        right = cv2.imdecode(np.frombuffer(project.right[name], np.uint8), 1)
        np.testing.assert_array_equal(image, right)


def test_two_at_once(drive):
    """In one folder: all is done twice, and is right."""
    both = [drive.start(*SETTINGS) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    check(drive)
    assert "Nothing to be done" in drive.run(*SETTINGS)
