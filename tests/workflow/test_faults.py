"""After kills, crashes and full disks, images are right and the next run continues."""

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
from helpers import obey_permissions, wait_for

import birdview
from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import Renderer

SETTINGS = ("--config", "scans=scans", "encodings=[lyft]")
COUNT = 60


@pytest.fixture
def drive(project, make_scan):
    """Write scans that take a second or two to render; keep their right images."""
    renderer = Renderer(load_encoding("lyft"))
    project.right = {}
    for number in range(COUNT):
        scan = project.folder / "scans" / f"{number:03}.bin"
        make_scan(scan, 3000, seed=number)
        project.right[f"lyft/{number:03}.png"], _ = renderer.make_image(scan)
    return project


def check(project, complete=True):
    """Check every image byte for byte; and that all exist, if `complete`."""
    names = set(project.images())
    if complete:
        assert names == set(project.right)
    results = project.folder / "results"
    for name in names:
        assert (results / name).read_bytes() == project.right[name]


def wait_for_images(project, count, process):
    """Wait until a number of images exist, or the run ends."""
    folder = project.folder / "results" / "lyft"

    def is_over():
        names = os.listdir(folder) if folder.is_dir() else []
        found = sum(name.endswith(".png") for name in names)
        return found >= count or process.poll() is not None

    wait_for(is_over, interval=0.005)


def count_unfinished(project):
    """Return how many files Snakemake has marked as unfinished."""
    return len(os.listdir(project.folder / ".snakemake" / "incomplete"))


def check_rest_is_rendered(project):
    """Run again: only missing and unfinished images are rendered."""
    before, unfinished = project.images(), count_unfinished(project)
    project.run(*SETTINGS)
    check(project)
    after = project.images()
    assert sum(after[name] != time for name, time in before.items()) <= unfinished
    assert not list((project.folder / "results").rglob(".*.partial"))


def test_run_continues_after_a_kill(drive):
    """`kill -9` of all processes at any moment."""
    chance = random.Random(0)
    for _ in range(5):
        process = drive.start(*SETTINGS)
        wait_for_images(drive, chance.randrange(COUNT), process)
        time.sleep(chance.uniform(0, 0.05))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        check(drive, complete=False)
        # Of two running jobs, and one that had just ended.
        assert count_unfinished(drive) <= 3
        check_rest_is_rendered(drive)
        assert "Nothing to be done" in drive.run(*SETTINGS)
        shutil.rmtree(drive.folder / "results")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_stops_on_a_signal_and_continues(drive, number):
    """Within seconds, with a message, and without partial files."""
    for count in (5, 15, 30):
        process = drive.start(*SETTINGS)
        wait_for_images(drive, count, process)
        os.kill(process.pid, number)
        output, _ = process.communicate(timeout=30)
        # Which of the two, and the words, depend on what Snakemake was doing.
        assert process.returncode in (1, -signal.SIGINT)
        message = "user request|KeyboardInterrupt|CancelledError|Will exit after"
        assert re.search(message, output), output
        check(drive, complete=False)
        assert len(drive.images()) < COUNT
        assert not list((drive.folder / "results").rglob("*.partial"))
        check_rest_is_rendered(drive)
        shutil.rmtree(drive.folder / "results")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 1 MB; return its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a disk here: that takes root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk_cuts_no_image(drive, small_disk):
    """The error names the image; with more space, the run continues."""
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


def test_full_disk_cuts_no_movie(drive):
    """OpenCV does not report write errors; still there is an error, and no movie."""
    drive.run(*SETTINGS)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    output = drive.run("movie", *SETTINGS, prepare=limit, expect=1)
    assert f"frames written, expected {COUNT}; is the disk full?" in output
    assert not list((drive.folder / "results").glob("movie/*"))
    drive.run("movie", *SETTINGS)
    assert (drive.folder / "results" / "movie" / "lyft.webm").stat().st_size > 60_000


def test_read_only_folder_gives_one_error_per_image(drive):
    """In the table, and some of them as a line; later the run continues."""
    drive.run("results/lyft/grid.json", *SETTINGS)
    folder = drive.folder / "results" / "lyft"
    folder.chmod(0o555)
    output = drive.run(*SETTINGS, prepare=obey_permissions, expect=1)
    folder.chmod(0o755)
    failed = (drive.folder / "results" / "failed.tsv").read_text()
    for name in drive.right:
        assert f"\t[Errno 13] Permission denied: 'results/{name}'\n" in failed
    assert output.count("[Errno 13] Permission denied: 'results/lyft/") == 20
    drive.run(*SETTINGS)
    check(drive)


def test_images_that_others_delete_or_change(drive):
    """Snakemake renders a deleted one again; `verify` names the changed ones."""
    drive.run(*SETTINGS)
    folder = drive.folder / "results" / "lyft"
    (folder / "000.png").unlink()
    assert drive.rendered_by(*SETTINGS) == {"lyft/000.png"}
    for name in ("001", "002"):
        path = folder / f"{name}.png"
        path.write_bytes(path.read_bytes()[:-50])
    cv2.imwrite(str(folder / "003.png"), np.zeros((336, 336, 3), np.uint8))
    assert drive.rendered_by(*SETTINGS) == set()  # it compares times with the scans'
    output = drive.run("verify", *SETTINGS, expect=1)
    named = [line.split(": ")[1] for line in output.splitlines() if ": lyft/" in line]
    assert named == ["lyft/001", "lyft/002", "lyft/003"]
    for name in ("001", "002", "003"):
        (folder / f"{name}.png").unlink()
    drive.run(*SETTINGS)
    check(drive)


def test_crash_in_native_code_prints_a_traceback(drive):
    """It kills Snakemake as well; then the run continues."""
    drive.inject_fault(
        """
        if scan == "030" and not os.path.exists("crashed"):
            open("crashed", "w").close()
            import ctypes
            ctypes.string_at(0)
        """
    )
    output = drive.run(*SETTINGS, expect=-signal.SIGSEGV)
    assert "Fatal Python error: Segmentation fault" in output
    assert "in render_image" in output
    check(drive, complete=False)
    drive.run(*SETTINGS)
    check(drive)


def test_two_runs_in_one_folder(drive):
    """Both render everything, and every image is right."""
    both = [drive.start(*SETTINGS) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    check(drive)
    assert "Nothing to be done" in drive.run(*SETTINGS)
