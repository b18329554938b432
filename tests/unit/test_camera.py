"""What a camera sees, against a plain loop and what another program kept."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import birdview
from birdview.cameras import Cameras
from birdview.counts import Counts, parse_counts
from birdview.pixels.assembly import assemble_scan
from birdview.pixels.camera import Camera, read_camera
from birdview.pixels.layout import load_layout
from birdview.pixels.png import read_text
from birdview.pixels.render import ScanRenderer
from birdview.pixels.scan import decode_scan, read_bytes, read_scan
from birdview.records import state_of
from birdview.run import resolve

# Looks along x, as KITTI's: its x is to the right, its y down, its z ahead.
CALIB = """\
P2: 4 0 4 0 0 4 2 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
"""
SIZE = 8, 4
TINY = Camera(((4, -4, 0, 0), (2, 0, -4, 0), (1, 0, 0, 0)), *SIZE)
"""Sees y from -x, excluded, to x; and z from -x / 2, excluded, to x / 2."""


@pytest.fixture
def calib(tmp_path):
    """Write the calibration."""
    path = tmp_path / "calib.txt"
    path.write_text(CALIB)
    return path


def sees(camera, point):
    """Whether a camera sees a point, in Python's own float."""
    x, y, z, intensity = map(float, point)
    if not np.isfinite([x, y, z, intensity]).all():
        return True  # it is counted as such
    u, v, w = (a * x + b * y + c * z + d for a, b, c, d in camera.matrix)
    inside = w > 0 and 0 <= u / w < camera.width and 0 <= v / w < camera.height
    return bool(inside)


def find(camera, points):
    """Return the numbers of the points that a camera sees."""
    return camera.find_seen([*np.array(points, dtype="<f4").T]).tolist()


def test_matrix_leads_from_points_to_pixels(calib):
    """P2 R0_rect Tr_velo_to_cam, multiplied in this order."""
    assert read_camera(calib, SIZE) == TINY
    turned = CALIB.replace("R0_rect: 1 0 0 0 1 0 0 0 1", "R0_rect: 0 1 0 -1 0 0 0 0 1")
    calib.write_text(turned)
    rows = (4, 0, -4, 0), (2, 4, 0, 0), (1, 0, 0, 0)
    assert read_camera(calib, SIZE).matrix == rows


def test_edges_of_the_image():
    """Column 0 and row 0 are in it; column 8 and row 4, and what is not ahead, not."""
    expected = {
        (2, 0, 0): True,
        (2, 2, 0): True,  # u = 0
        (2, 2.001, 0): False,
        (2, -1.999, 0): True,
        (2, -2, 0): False,  # u = 8
        (2, 0, 1): True,  # v = 0
        (2, 0, 1.001): False,
        (2, 0, -0.999): True,
        (2, 0, -1): False,  # v = 4
        (0, 0, 0): False,  # w = 0
        (-2, 0, 0): False,
        (1e-30, 0, 0): True,
    }
    points = [(*point, 0.5) for point in expected]
    assert find(TINY, points) == [k for k, one in enumerate(expected.values()) if one]
    assert find(TINY, np.empty((0, 4))) == []


def test_points_that_are_not_finite_are_not_hidden():
    """One number is enough; they are counted as such when they are drawn."""
    points = np.tile(np.float32([-5, 0, 0, 0]), (13, 1))
    for k in range(12):
        points[k, k % 4] = [np.nan, np.inf, -np.inf][k // 4]
    assert find(TINY, points) == [*range(12)]


@pytest.mark.parametrize("count", [1, 1000, 40_000])
def test_random_points_as_the_plain_loop(count):
    """Many are near the edges; more than are looked at at once."""
    rng = np.random.default_rng(count)
    points = rng.integers(-8, 9, size=(count, 4)).astype("<f4")
    points += rng.normal(0, 1e-7, size=points.shape) * rng.integers(0, 2, points.shape)
    points[rng.random(count) < 0.01, rng.integers(4)] = np.nan
    expected = [k for k, point in enumerate(points) if sees(TINY, point)]
    assert find(TINY, points) == expected


def test_crop_of_a_real_scan(kitti_scans):
    """Bit for bit what MMDetection3D kept of it."""
    folder = kitti_scans[0].parents[1] / "crop"
    if not folder.is_dir():
        pytest.skip(f"no {folder}, a folder with a scan and what the camera sees of it")
    camera = read_camera(folder / "000008.calib.txt", (1242, 375))
    points = read_scan(folder / "000008.bin", camera=camera)
    assert len(points) == 17_238
    assert points.tobytes() == (folder / "000008.reduced.bin").read_bytes()


def test_size_is_that_of_the_image(tmp_path, calib):
    """Of any PNG; no more than its header is read."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 8, 3), np.uint8))
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[:33])
    for name in ("a", "cut"):
        assert read_camera(calib, tmp_path / f"{name}.png") == TINY


def test_axes_are_those_of_the_file(tmp_path, make_scan):
    """Not those of images, to which the frame leads; and signs count before."""
    scan = make_scan(tmp_path / "a.bin", [[2, 0, 0, 0.5], [0, -2, 0, 0.5]])
    layout = load_layout("kitti")
    turned = layout._replace(frame=birdview.pixels.frame.make_frame({"yaw": 90}, "a"))
    (point,) = read_scan(scan, turned, TINY)
    assert point.tolist() == pytest.approx([0, 2, 0, 0.5])
    fields = [{"-y": "float32"}, {"x": "float32"}, {"z": "float32"}, {"i": "float32"}]
    with pytest.raises(ValueError, match="sees none of 2 points"):
        read_scan(scan, [*fields[:2], {"-z": "float32"}, fields[3]], Camera(
            ((4, -4, 0, 0), (2, 0, -4, 0), (-1, 0, 0, -9)), *SIZE
        ))  # fmt: skip


def test_counts(tmp_path, make_scan):
    """Hidden comes after what the layout leaves out, and before outside."""
    points = [[2, 0, 0, 0.5], [-2, 0, 0, 0.5], [0, 0, 0, 0], [200, 0, 0, 0.5]]
    points += [[np.nan, 0, 0, 0], [-200, 0, 0, 0]]
    scan = make_scan(tmp_path / "a.bin", points)
    encoding = birdview.load_encoding("mv3d")
    for camera, counts in (
        (None, Counts(6, 1, 1, outside=2, drawn=2, cells=2)),
        (TINY, Counts(6, 1, 1, hidden=2, outside=1, drawn=1, cells=1)),
    ):
        ((content, found),) = ScanRenderer().make_images(
            assemble_scan(scan, load_layout("kitti"), camera), [encoding]
        )
        (tmp_path / "a.png").write_bytes(content)
        text = read_text(tmp_path / "a.png")
        assert found == counts == parse_counts(text)
        assert ("birdview:hidden" in text) == bool(camera)
        assert text.get("birdview:camera_sha256") == (camera and camera.digest)


def test_scan_of_which_nothing_is_seen_is_rejected(tmp_path, make_scan):
    """It would be a black image; an empty file has no points to see."""
    scan = make_scan(tmp_path / "a.bin", [[-2, 0, 0, 0.5]] * 3)
    message = (
        f"{scan}: the camera sees none of 3 points, expected some, with the "
        f"calibration of this scan"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_scan(scan, camera=TINY)
    empty = make_scan(tmp_path / "empty.bin", np.empty((0, 4)))
    points, left_out = decode_scan(read_bytes(empty), load_layout("kitti"), empty, TINY)
    assert (points.shape, sum(left_out)) == ((0, 4), 0)


def test_digest_is_that_of_the_numbers(calib):
    """Not of the file: neither comments nor the signs of zeros count."""
    digest = read_camera(calib, SIZE).digest
    calib.write_text(f"# of 2011\n{CALIB.replace('4 0 4 0', '4.0 -0 4e0 0')}P3: 1\n")
    assert read_camera(calib, SIZE).digest == digest
    assert read_camera(calib, (8, 5)).digest != digest
    calib.write_text(CALIB.replace("P2: 4", "P2: 4.001"))
    assert read_camera(calib, SIZE).digest != digest


def test_errors_name_the_file(tmp_path, calib):
    """In one line."""
    cases = {
        (
            tmp_path / "no.txt",
            SIZE,
        ): "no.txt: no such file, expected the calibration of the scan's camera",
        (calib, tmp_path / "no.png"): "no.png: no such file, expected the camera's "
        "image, a PNG, or its size: `camera_view: {image: [1242, 375]}`",
        (calib, calib): "calib.txt: no PNG signature found, expected a PNG file",
    }
    for (path, image), message in cases.items():
        with pytest.raises((OSError, ValueError)) as caught:
            read_camera(path, image)
        assert str(caught.value) == f"{tmp_path}/{message}"
    calib.write_text(CALIB.replace("P2", "P1"))
    message = "calib.txt: no projection, expected P2, or P0 with Tr_velo_to_cam_0"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_camera(calib, SIZE)


def test_files_of_a_scan(tmp_path):
    """Of the tracking benchmark, if its folders are there."""
    cameras = Cameras(str(tmp_path), None)
    assert cameras.files("a/1") == [
        f"{tmp_path}/calib/a/1.txt",
        f"{tmp_path}/image_2/a/1.png",
    ]
    (tmp_path / "label_02").mkdir()
    tracking = [f"{tmp_path}/calib/a.txt", f"{tmp_path}/image_02/a/1.png"]
    assert Cameras(str(tmp_path), None).files("a/1") == tracking
    assert Cameras(str(tmp_path), SIZE).files("a/1") == tracking[:1]


def test_settings(tmp_path, monkeypatch, make_scan):
    """Each form, with and without labels; values may arrive as text."""
    monkeypatch.chdir(tmp_path)
    make_scan(Path("velodyne/0.bin"))
    Path("kitti/calib").mkdir(parents=True)
    for setting, labels, cameras in (
        (None, "kitti", None),
        (False, "kitti", None),
        (True, "kitti", Cameras("kitti", None)),
        ({"image": ["8", "4"]}, "kitti", Cameras("kitti", SIZE)),
        ({"path": "kitti"}, None, Cameras("kitti", None)),
        ({"path": "kitti", "image": [8, 4]}, "elsewhere", Cameras("kitti", SIZE)),
    ):
        settings = {"scans": "velodyne", "camera_view": setting, "labels": labels}
        assert resolve(settings).cameras == cameras
    settings["camera_view"] = {"path": "nowhere"}
    message = (
        f"camera_view: no folder at {tmp_path}/nowhere/calib, expected the "
        f"calibrations of KITTI's object or tracking benchmark, or others in their form"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        _ = resolve(settings | {"labels": None}).scans


def test_calibrations_are_read_once_in_a_run(tmp_path, make_scan, calib):
    """So what is drawn is what the recipe has; another run reads them again."""
    make_scan(tmp_path / "velodyne/0.bin")
    (tmp_path / "calib").mkdir()
    calib = calib.rename(tmp_path / "calib" / "0.txt")
    view = {"path": str(tmp_path), "image": [*SIZE]}
    run = resolve({"scans": str(tmp_path / "velodyne"), "camera_view": view})
    assert run.assemblies.camera("0") == TINY
    before = run.assemblies.state("0")
    assert before == run.source.state("0") + state_of(calib) + ["", ""]
    calib.write_text(CALIB.replace("P2: 4", "P2: 5"))
    assert run.assemblies.camera("0") == TINY
    assert run.narrow(["0"]).assemblies.camera("0") != TINY
    assert run.assemblies.state("0") != before
    calib.unlink()
    assert run.assemblies.state("0") is None
