"""Run `snakemake inspect` on scans of other kinds, and render with what it writes."""

import cv2
import numpy as np
import pytest
from helpers import write_csv, write_pcd

from birdview.demo import simulate_scan


def as_kitti(points):
    return points


def as_turned(points):
    return points[:, [1, 0, 2, 3]] * np.float32([-1, 1, 1, 1])


def as_millimetres(points):
    """Return records of whole millimetres, x to the right, z down, in big endian."""
    record = np.dtype("<i4,<i4,<i4,<f4,u1")
    records = np.zeros(len(points), record)
    for name, column in zip(
        record.names, [points[:, 0], -points[:, 1], -points[:, 2]], strict=False
    ):
        records[name] = (column * 1000).round()
    records["f3"] = points[:, 3]
    records["f4"] = np.arange(len(points)) % 64
    return records


def write_scans(folder, change):
    folder.mkdir(parents=True)
    for number in range(2):
        change(simulate_scan(10 * number, 0)).tofile(folder / f"{number}.bin")


def planes_of(project, number):
    path = project.folder / "results" / "notebook" / f"{number}.png"
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def text_of(path):
    """Return a file of settings without its comments."""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))


@pytest.fixture
def expected(project):
    """Render the originals; return their images."""
    write_scans(project.folder / "original", as_kitti)
    project.run("--config", "scans=original")
    images = [planes_of(project, number) for number in range(2)]
    assert all(image.any() for image in images)
    return images


@pytest.mark.parametrize("change", [as_kitti, as_turned, as_millimetres])
def test_settings_render_the_original(change, project, expected):
    """Every pixel, with the settings that it writes or with the others."""
    write_scans(project.folder / "scans", change)
    before = project.images()
    output = project.run("inspect", "--config", "scans=scans")
    assert project.images() == before
    folder = project.folder / "results" / "inspect"
    assert (folder / "index.html").stat().st_size > 10_000
    assert "snakemake --cores 8 --configfile results/inspect/settings.yaml" in output
    if change is as_kitti:
        assert "Your settings fit." in output
        assert text_of(folder / "settings.yaml") == "scans: scans\nlayout: kitti\n"
    else:
        assert "Your settings do not fit:" in output
    found = []
    for path in sorted(folder.glob("settings*.yaml")):
        project.run("--configfile", str(path.relative_to(project.folder)))
        images = [planes_of(project, number) for number in range(2)]
        found.append(all(map(np.array_equal, images, expected)))
    assert any(found)
    assert len(found) == (1 if change is as_kitti else 2)


def as_pcd(path, points):
    x, y, z, i = points.T
    write_pcd(path, x=x, y=y, z=z, intensity=i)


def as_csv(path, points):
    """Write a header, and reflectivities up to 255."""
    write_csv(path, "x,y,z,reflectivity", *(points * [1, 1, 1, 255]).T)


def as_npz(path, points):
    """Write coordinates, and reflectivities up to 255 beside them."""
    np.savez(path, points=points[:, :3], reflectivity=points[:, 3] * np.float32(255))


@pytest.mark.parametrize("write", [as_pcd, as_csv, as_npz])
def test_settings_render_other_formats(write, project, expected):
    """Every pixel, with the settings that it writes or with the others."""
    suffix = write.__name__.removeprefix("as_")
    (project.folder / "scans").mkdir()
    for number in range(2):
        path = project.folder / "scans" / f"{number}.{suffix}"
        write(path, simulate_scan(10 * number, 0))
    output = project.run("inspect", "--config", "scans=scans")
    assert "no file ends with .bin" in output
    folder = project.folder / "results" / "inspect"
    paths = sorted(folder.glob("settings*.yaml"))
    if write is as_pcd:
        assert text_of(*paths) == "scans: scans\nlayout: pcd\n"
    found = []
    for path in paths:
        project.run("--configfile", str(path.relative_to(project.folder)))
        images = [planes_of(project, number) for number in range(2)]
        found.append(all(map(np.array_equal, images, expected)))
    assert any(found)


def test_answers_where_nothing_can_be_rendered(project):
    """No .bin at all; and it runs every time."""
    (project.folder / "scans").mkdir()
    (project.folder / "scans" / "0.pcd").write_text("VERSION 0.7\nFIELDS x y z\n" * 9)
    for _ in range(2):
        output = project.run("inspect", "--config", "scans=scans")
        assert "*.pcd is a PCD file: " in output
        assert "No scan was found that birdview can read." in output
    assert not list((project.folder / "results" / "inspect").glob("*.yaml"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((), "scans: null, expected a folder"),
        (("scans=nowhere",), "scans: no folder at"),
    ],
)
def test_expects_a_folder(settings, message, project):
    """One line says so."""
    config = ("--config", *settings) if settings else ()
    output = project.run("inspect", *config, expect=1)
    assert message in " ".join(output.split())
    assert "Traceback" not in output
