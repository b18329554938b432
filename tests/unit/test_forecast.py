"""A large run says how much disk it needs, and how it would be faster."""

import shutil
from collections import namedtuple

import pytest

from birdview.forecast import advise_batches, describe_disk
from birdview.run import resolve


def test_batches_are_advised_for_many_images():
    """With more cores, they gain more."""
    assert advise_batches(5000, 2) == ""
    assert advise_batches(7481, 2) == (
        "7,481 images, one job each: with --config scans_per_job=500, this run would "
        "be about 4 times as fast on 2 cores"
    )
    assert "about 14 times as fast on 8 cores" in advise_batches(5001, 8)


@pytest.fixture
def run(tmp_path, monkeypatch, make_scan):
    """Resolve a run of 9 scans, on a disk with 2 GB free."""
    monkeypatch.chdir(tmp_path)
    for number in range(9):
        make_scan(tmp_path / "scans" / f"{number}.bin", 10)
    usage = namedtuple("usage", "total used free")(0, 0, 2_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    return resolve({"scans": "scans", "encodings": ["lyft", "pixor"]})


def test_disk_is_that_of_images_like_those_here(run, tmp_path):
    """Measured on images that exist, or else on some that are made."""
    sizes = {"lyft": 100_000, "pixor": 300_000}
    measured = []

    def measure(run, encoding, scan):
        measured.append((encoding.name, scan))
        return sizes[encoding.name] if scan != "3" else 0  # which is a bad one

    line = describe_disk(run, 8000, measure)
    assert line == "disk: about 1.6 GB for 8,000 images, 2 GB free"
    assert measured == [(name, scan) for name in sizes for scan in "036"]
    for name in sizes:
        for scan in "036":
            path = tmp_path / run.image_path(name, scan)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(500_000))
    line = describe_disk(run, 8000, measure)
    assert line == (
        f"disk: about 4 GB for 8,000 images, 2 GB free: not enough in "
        f"{tmp_path}/results, expected more, or fewer scans or encodings"
    )
    assert len(measured) == 6


def test_disk_is_not_told_of_small_runs(run):
    """Nor if no image can be made."""
    assert describe_disk(run, 999, lambda *_: 100) == ""
    assert describe_disk(run, 1000, lambda *_: 0) == ""
