"""`snakemake unpack`: from bags to images, and what interrupts it."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml
from bags import SUFFIXES, as_records, cloud, write_bag
from helpers import wait_for

from birdview import demo, load

STAMPS = 1_700_000_000_123_456_789, 1_700_000_000_223_456_789
CLOCK = "1700000000123456789", "1700000000223456789"


@pytest.fixture
def scans(project):
    """Write two scans of the demo, named like the messages; return their points."""
    folder = project.folder / "scans"
    folder.mkdir()
    points = []
    for number, name in enumerate(CLOCK):
        demo.write_scan(folder / f"{name}.bin", number, seed=0)
        points.append(np.fromfile(folder / f"{name}.bin", "<f4").reshape(-1, 4))
    return points


def lines_of(output, start):
    """Return the lines that start so, without blanks at their ends."""
    return [line.rstrip() for line in output.splitlines() if line.startswith(start)]


def test_images_of_bags_are_those_of_the_scans(project, scans):
    """Of each sort of bag, by the command that unpack prints, in a fresh folder."""
    project.run("--config", "scans=scans", "encodings=[mv3d]")
    expected = {
        stamp: load(project.folder / f"results/mv3d/{stamp}.png").planes
        for stamp in CLOCK
    }
    for sort in SUFFIXES:
        folder = project.folder.with_name(sort)
        clouds = [cloud(as_records(p), s) for p, s in zip(scans, STAMPS, strict=True)]
        bag = write_bag(folder / "drive", sort, {"/lidar": clouds, "/b": clouds[:1]})
        config = "unpack", "--config", f"bag={bag.name}"
        output = project.run(*config, "topic=/lidar", folder=folder)
        assert f"{bag.name}: 2 messages of /lidar" in output
        assert "results/unpack/drive/lidar: 2 scans, 2 written" in output
        (command,) = lines_of(output, "snakemake ")
        assert command == (
            "snakemake --config scans=results/unpack/drive/lidar "
            "layout=results/unpack/drive/lidar.yaml"
        )
        project.run(*command.split()[1:], "encodings=[mv3d]", folder=folder)
        for stamp, planes in expected.items():
            found = load(folder / f"results/mv3d/{stamp}.png").planes
            np.testing.assert_array_equal(found, planes)
    before = project.images(folder)
    output = project.run(*config, "topic=/lidar", folder=folder)
    assert "results/unpack/drive/lidar: 2 scans, 0 written" in output
    project.run(*command.split()[1:], "encodings=[mv3d]", folder=folder)
    assert project.images(folder) == before
    output = project.run(*config, folder=folder, expect=1)
    (line,) = lines_of(output, "topic: ")
    assert line == (
        f"topic: not set, expected one of those with point clouds in {bag.name}: "
        f"/b (1), /lidar (2): snakemake unpack --config bag={bag.name} topic=/b"
    )
    assert "Traceback" not in output


def test_a_message_that_is_cut(project, scans):
    """The other is rendered by the layout that was written for both."""
    clouds = [cloud(as_records(p), s) for p, s in zip(scans, STAMPS, strict=True)]
    many = [*clouds, *(clouds[0] | {"stamp": stamp} for stamp in range(1, 9))]
    write_bag(project.folder / "drive", "mcap", {"/lidar": many}, cut=8)
    output = project.run("unpack", "--config", "bag=drive", "topic=/lidar", expect=1)
    (line,) = lines_of(output, "drive: message")
    assert line.startswith("drive: message 2 of /lidar: cut or damaged, expected a ")
    assert line.endswith(
        "(bad: 1 of 10 messages; 9 scans in results/unpack/drive/lidar from the others)"
    )
    scans, layout = "results/unpack/drive/lidar", "results/unpack/drive/lidar.yaml"
    project.run("--config", f"scans={scans}", f"layout={layout}")
    assert len(project.images()) == 9


def test_settings_that_lack_something(project):
    """No bag; and scans are not needed, whatever settings say of them."""
    output = project.run("unpack", expect=1)
    assert lines_of(output, "bag: ") == [
        "bag: null, expected the path of one: snakemake unpack --config bag=drive.mcap "
        "topic=/lidar"
    ]
    (project.folder / "empty").mkdir()
    for scans in ("empty", "nowhere"):
        output = project.run(
            "unpack", "--config", "bag=none.bag", f"scans={scans}", expect=1
        )
        assert lines_of(output, "none.bag: ") == [
            "none.bag: no such file or folder, expected a ROS 1 bag, an MCAP file, or "
            "the folder of a ROS 2 bag"
        ]


def test_a_folder_of_bags_says_how_to_unpack(project, scans):
    """That of `scans` has no scans, but a recording."""
    write_bag(
        project.folder / "bags/a", "ros1", {"/a": [cloud(as_records(scans[0]), 1)]}
    )
    output = project.run("--config", "scans=bags", expect=1)
    assert "unpack it with `snakemake unpack --config bag=<path>`" in output


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_and_resumed(project, scans, number):
    """What is there stays as it is, and nothing is left behind."""
    some = as_records(scans[0][:10])
    clouds = [cloud(some, stamp) for stamp in range(1, 2001)]
    write_bag(project.folder / "drive", "sqlite", {"/lidar": clouds})
    folder = project.folder / "results/unpack/drive/lidar"
    # As if each message had more points: 2,000 of these take a second.
    project.edit(
        "workflow/scripts/birdview/unpack/topic.py",
        "            tell()\n",
        "            tell()\n            __import__('time').sleep(0.001)\n",
    )
    config = "unpack", "--config", "bag=drive", "topic=/lidar"
    process = project.start(*config)
    try:
        wait_for(lambda: folder.is_dir() and len(os.listdir(folder)) > 20, 0.01)
    finally:
        os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=60)
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.bin")}
    assert 20 < len(before) < 2000
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "drive: stopped before its end: unpack it again" in output
    output = project.run(*config)
    assert f"2000 scans, {2000 - len(before):,} written" in output
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(after) == 2000
    assert before.items() <= after.items()


def test_layout_is_one_that_inspect_accepts(project, scans):
    """So the height of the sensor can be found next."""
    clouds = [cloud(as_records(p), s) for p, s in zip(scans, STAMPS, strict=True)]
    write_bag(project.folder / "drive", "mcap", {"/lidar": clouds})
    project.run("unpack", "--config", "bag=drive", "topic=/lidar")
    scans, layout = "results/unpack/drive/lidar", "results/unpack/drive/lidar.yaml"
    project.run("inspect", "--config", f"scans={scans}", f"layout={layout}")
    settings = Path(project.folder, "results/inspect/settings.yaml").read_text()
    assert yaml.safe_load(settings)["scans"] == scans


def test_target_that_is_forgotten_is_said(project):
    """The demo is not the bag."""
    output = project.run("--config", "bag=drive.mcap", "encodings=[lyft]")
    assert lines_of(output, "bag: ") == [
        "bag: drive.mcap was not read, and the demo rendered: unpack it with "
        "`snakemake unpack`"
    ]
