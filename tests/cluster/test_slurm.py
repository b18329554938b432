"""Batches as jobs of a real Slurm: few jobs, right pixels, recovery after failures."""

import os
import re
import signal

import cv2
import numpy as np
import pytest
import slurm
from helpers import ROOT, Project, as_opencv, wait_for

from birdview.pixels.encoding import load_encoding
from birdview.pixels.raster import Raster
from birdview.pixels.scan import read_scan

pytestmark = pytest.mark.cluster

PROFILE = ("--profile", ROOT / "profiles" / "slurm")
TEST_OPTIONS = (*("--retries", "0", "--slurm-init-seconds-before-status-checks", "7"),)
SETTINGS = ("--config", "scans=scans", "encodings=[lyft]", "scans_per_job=125")
TWO_BATCHES = (*SETTINGS[:-1], "scans_per_job=250")


@pytest.fixture(scope="module")
def cluster(cluster_python, tmp_path_factory):
    """Start Slurm."""
    obstacle = slurm.find_obstacle()
    if obstacle:
        pytest.skip(obstacle)
    with slurm.running(tmp_path_factory.mktemp("slurm")):
        yield


class Drive(Project):
    """A project with 500 scans that runs on Slurm."""

    is_warm = False

    def __init__(self, root, python):
        super().__init__(root)
        self.python = python
        (self.folder / "scans").mkdir()
        for number in range(500):
            self.make_scan(f"{number:03}", number)

    def make_scan(self, name, seed):
        rng = np.random.default_rng(seed)
        points = rng.uniform([-60, -60, -2.5, 0], [60, 60, 1, 1], size=(500, 4))
        points.astype("<f4").tofile(self.folder / "scans" / f"{name}.bin")

    def start(self, *arguments, **options):
        arguments = (*PROFILE, *TEST_OPTIONS, *arguments)
        return super().start(*arguments, python=self.python, **options)

    def submit(self, *settings, expect=0):
        """Run Snakemake; return what it printed, and the new jobs of Slurm."""
        before = slurm.jobs()
        output = self.run(*(settings or SETTINGS), expect=expect)
        return output, slurm.jobs().keys() - before.keys()


@pytest.fixture
def drive(cluster, compiled, cluster_python, tmp_path):
    return Drive(tmp_path / "a project", cluster_python)


@pytest.fixture(scope="module", autouse=True)
def slow(cluster, compiled, cluster_python, tmp_path_factory):
    """Start two jobs that exceed their time limit, and cancel one of them.

    The limit of the other is a minute, in which the other tests run.
    """
    drive = Drive(tmp_path_factory.mktemp("slow") / "a project", cluster_python)
    drive.inject_fault(
        """
        if os.path.exists("slow"):
            import time
            time.sleep(0.5)
        """
    )
    (drive.folder / "slow").touch()
    minute = ("--default-resources", "mem_mb=2000", "runtime=1")
    process = drive.start(*minute, *TWO_BATCHES)
    wait_for(lambda: len(drive.images()) > 10)
    cancelled, late = slurm.jobs()
    slurm.ask("scancel", cancelled)
    yield drive, process, cancelled, late
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def check(project, count=500):
    """Check that all images exist, with the pixels that are drawn here."""
    images = sorted((project.folder / "results" / "lyft").glob("*.png"))
    assert len(images) == count
    raster = Raster(load_encoding("lyft"))
    for image in images:
        scan = project.folder / "scans" / f"{image.stem}.bin"
        planes, _ = raster.draw(read_scan(scan))
        np.testing.assert_array_equal(cv2.imread(str(image)), as_opencv(planes))


def test_only_stale_batches_become_jobs(drive):
    """Four for 500 scans; one for a scan that was fixed or changed; then none.

    A bad scan is named at the terminal; the other images of its batch are rendered.
    """
    (drive.folder / "scans" / "130.bin").write_bytes(bytes(17))
    output, jobs = drive.submit(expect=1)
    assert len(jobs) == 4
    assert "scans/130.bin: 17 bytes found, expected a multiple of 16" in output
    check(drive, 499)
    for name in ("130", "300"):
        before = drive.images()
        drive.make_scan(name, seed=1000)
        _, jobs = drive.submit()
        assert len(jobs) == 1
        after = drive.images()
        rendered = [image for image in after if after[image] != before.get(image)]
        assert rendered == [f"lyft/{name}.png"]
    check(drive)
    output, jobs = drive.submit()
    assert jobs == set()
    assert "Nothing to be done" in output


def test_a_job_renders_500_scans_unless_settings_say_how_many(drive):
    """And so does a dry run."""
    settings = SETTINGS[:-1]
    output = drive.run("-n", *settings)
    assert re.search(r"^ *render[_ ]batch +1 *$", output, re.MULTILINE)
    assert not re.search(r"^ *render +[0-9]+ *$", output, re.MULTILINE)
    output, jobs = drive.submit(*settings)
    assert len(jobs) == 1
    check(drive)


def test_interrupt_cancels_the_jobs(drive):
    """Ctrl-C at the terminal; the next run renders the rest."""
    before = slurm.jobs()
    process = drive.start(*SETTINGS)
    wait_for(lambda: len(drive.images()) > 10)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    states = [slurm.jobs()[job] for job in slurm.jobs().keys() - before.keys()]
    assert set(states) <= {"CANCELLED", "COMPLETING", "COMPLETED"}
    drive.submit()
    check(drive)


def test_run_continues_after_failed_jobs(slow):
    """One was cancelled, the other ran out of time; finished images are kept."""
    drive, process, cancelled, late = slow
    process.communicate(timeout=300)
    assert process.returncode == 1
    states = slurm.jobs()
    assert (states[cancelled], states[late]) == ("CANCELLED", "TIMEOUT")
    before = drive.images()
    assert 10 < len(before) < 500
    (drive.folder / "slow").unlink()
    _, jobs = drive.submit(*TWO_BATCHES)
    assert len(jobs) == 2
    check(drive)
    after = drive.images()
    # In each job, the image being rendered may have been marked as unfinished.
    assert sum(after[name] != time for name, time in before.items()) <= 2
