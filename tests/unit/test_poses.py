"""Poses: every format and every error, and motions against plain loops, bit for bit."""

import hashlib
import json
import os
import pickle
import re
import struct
import time
import tracemalloc
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birdview.pixels import json_table, nuscenes
from birdview.pixels.calibration import multiply
from birdview.pixels.frame import Frame, make_frame
from birdview.pixels.poses import FORMATS, Pose, Track, read_track
from birdview.pixels.rigid import compose, find_deformed, invert, turn
from birdview.pixels.stamp import parse_stamp

NAMES = [f"00/velodyne/{number:06}" for number in range(4)]
RIGHT = make_frame({"yaw": -90}, "")
TILTED = make_frame({"yaw": 30, "pitch": 4, "roll": -7}, "")
TR = "Tr: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
"""From x forward, y left, z up to a camera at the same place."""
LEVEL = make_frame({"matrix": [[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0]]}, "")


def numbers_of(frame, x=0.0, y=0.0, z=0.0):
    """Return the twelve numbers of a rotation and a place."""
    rows = zip(frame.rotation, (x, y, z), strict=True)
    return [float(value) for row, shift in rows for value in (*row, shift)]


def text_of(numbers):
    return " ".join(map(repr, numbers))


def write(path, *lines):
    """Write the lines of a file, each of them text or numbers."""
    texts = (line if isinstance(line, str) else text_of(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def ahead(*places):
    """Return poses that only move along x."""
    return [numbers_of(Frame(), x) for x in places]


def fails(path, message):
    """Expect an error of one line, which begins with the path."""
    return pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {message}')}$")


@pytest.fixture
def poses(tmp_path):
    return tmp_path / "poses.txt"


@pytest.fixture(scope="session")
def shared():
    """Return the folder of real scans, beside those of KITTI."""
    folder = os.environ.get("BIRDVIEW_SCANS")
    if not folder:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    return Path(folder).parent


# Motions.


def multiply_plainly(left, right):
    """Multiply two motions of three rows of four, in Python's own float."""
    return [
        [
            row[0] * right[0][k]
            + row[1] * right[1][k]
            + row[2] * right[2][k]
            + (row[3] if k == 3 else 0.0)
            for k in range(4)
        ]
        for row in left
    ]


def invert_plainly(motion):
    """Return the motion back, in Python's own float."""
    turned = [[motion[k][i] for k in range(3)] for i in range(3)]
    shift = [row[3] for row in motion]
    back = [
        -(row[0] * shift[0] + row[1] * shift[1] + row[2] * shift[2]) for row in turned
    ]
    return [[*row, value] for row, value in zip(turned, back, strict=True)]


def move_plainly(scan, reference, mount):
    """Return inv(mount) inv(reference) scan mount, in Python's own float."""
    rows = [scan[:4], scan[4:8], scan[8:]]
    still = [reference[:4], reference[4:8], reference[8:]]
    moved = [[*a[:3], a[3] - b[3]] for a, b in zip(rows, still, strict=True)]
    back = [[still[k][i] for k in range(3)] + [0.0] for i in range(3)]
    motion = multiply_plainly(invert_plainly(mount), multiply_plainly(back, moved))
    return multiply_plainly(motion, mount)


def bits(matrix):
    """Return the bytes of numbers, in which -0.0 is not 0.0."""
    return [struct.pack("<d", value) for row in matrix for value in row]


angle = st.floats(-180, 180).map(lambda degrees: round(degrees, 3))
place = st.floats(-5e6, 5e6)
frames = st.builds(
    lambda yaw, pitch, roll, x, y, z: make_frame(
        {"yaw": yaw, "pitch": pitch, "roll": roll}, ""
    )._replace(translation=(x, y, z)),
    *(angle, angle, angle, place, place, place),
)


def make_track(*moved, mount=LEVEL, world=None):
    """Return a track of frames, by number."""
    found = {
        str(number): Pose(
            f"line {number + 1}", tuple(value for row in one.matrix for value in row)
        )
        for number, one in enumerate(moved)
    }
    positions = {name: number for number, name in enumerate(found)}
    names = {number: name for name, number in positions.items()}
    return Track("p", found, {}, positions, names, mount, world or Frame(), [])


@given(frames, frames, frames)
def test_motion_equals_a_plain_loop(scan, reference, mount):
    """Bit for bit, whatever the processor can do."""
    track = make_track(scan, reference, mount=mount)
    found = track.motion("0", "1")
    expected = Frame().matrix
    if scan != reference:
        numbers = (track.poses[name].numbers for name in "01")
        expected = move_plainly(*numbers, mount.matrix)
    assert bits(found.matrix) == bits([[x + 0.0 for x in row] for row in expected])
    assert all(type(value) is float for row in found.matrix for value in row)
    assert track.motion("0", "0") == Frame()


@given(frames, frames)
def test_products_equal_those_of_the_calibration(left, right):
    """The package multiplies in one order, wherever it does."""
    a, b = (np.array([*frame.matrix, [0, 0, 0, 1]]) for frame in (left, right))
    assert np.array_equal(compose(a[:3], b[:3]), multiply(a, b)[:3])


@given(frames, frames)
def test_motion_brings_points_to_the_same_place(scan, reference):
    """What one scan sees at a place of the world, the reference sees there as well."""
    reference = reference._replace(translation=scan.translation)
    track = make_track(scan, reference, mount=TILTED)
    points = np.array([[5.0, -7.0, 1.0], [0.0, 0.0, 0.0]]).T
    moved = track.motion("0", "1").apply(points)
    world = scan.apply(TILTED.apply(points)) - np.array([scan.translation]).T
    found = reference.apply(TILTED.apply(moved)) - np.array([scan.translation]).T
    assert np.allclose(world, found, atol=1e-8)


def test_motion_keeps_what_far_places_differ_in():
    """Poses of UTM have millions of metres: their difference comes first."""
    far = 5_412_345.125
    track = make_track(
        TILTED._replace(translation=(far, far, 100.0)),
        TILTED._replace(translation=(far + 0.5, far, 100.0)),
        mount=Frame(),
    )
    expected = [row[0] * 0.5 for row in zip(*TILTED.rotation, strict=True)]
    assert track.motion("1", "0").translation == pytest.approx(expected, abs=1e-15)


def test_equal_poses_are_no_motion():
    """Exactly the identity, though its product with the mount rounds."""
    track = make_track(TILTED, TILTED, mount=LEVEL)
    assert track.motion("1", "0") == Frame()
    assert repr(track.motion("1", "0")) == repr(Frame())


@given(frames)
def test_tilt_equals_a_plain_loop(scan):
    """Rz(-yaw) R, with the yaw of where x points."""
    track = make_track(scan, mount=Frame())
    r = scan.rotation
    h = sqrt(r[0][0] * r[0][0] + r[1][0] * r[1][0])
    if h < 0.01:
        with pytest.raises(ValueError, match=r"^p: line 1: x of the scan 0 points str"):
            track.tilt("0")
        return
    c, s = r[0][0] / h, r[1][0] / h
    expected = [
        [c * r[0][k] + s * r[1][k] for k in range(3)],
        [c * r[1][k] - s * r[0][k] for k in range(3)],
        [r[2][k] for k in range(3)],
    ]
    found = track.tilt("0")
    assert bits(found.rotation) == bits([[x + 0.0 for x in row] for row in expected])
    assert found.translation == (0.0, 0.0, 0.0)


@given(angle, st.floats(-80, 80).map(lambda d: round(d, 3)), angle)
def test_tilt_takes_out_roll_and_pitch_only(yaw, pitch, roll):
    """Whatever the yaw, it is the frame of pitch and roll."""
    track = make_track(
        make_frame({"yaw": yaw, "pitch": pitch, "roll": roll}, ""), mount=Frame()
    )
    expected = make_frame({"pitch": pitch, "roll": roll}, "").rotation
    assert np.allclose(track.tilt("0").rotation, expected, atol=1e-12)


def test_tilt_of_a_level_scan_is_the_identity():
    """Exactly, and without -0.0."""
    assert repr(make_track(Frame(), mount=Frame()).tilt("0")) == repr(Frame())


def test_level_axes_are_found_through_the_camera(poses, tmp_path):
    """KITTI's poses are of a camera, whose z is ahead: it is not upright."""
    calib = write(tmp_path / "calib.txt", TR)
    # The camera has turned by -10 degrees about its x, to the right: it looks up.
    turned = make_frame({"roll": 10}, "")
    poses = write(poses, numbers_of(Frame()), numbers_of(turned, 0, 0, 1))
    track = read_track(poses, "kitti", NAMES[:2], calib)
    assert track.mount == track.world == LEVEL
    assert track.tilt(NAMES[0]) == Frame()
    pitch = make_frame({"pitch": -10}, "")  # the nose is up
    assert np.allclose(track.tilt(NAMES[1]).rotation, pitch.rotation, atol=1e-15)
    assert track.motion(NAMES[1], NAMES[0]).translation == (1.0, 0.0, 0.0)
    # Without the calibration, they are of the sensor itself.
    track = read_track(poses, "kitti", NAMES[:2])
    assert track.mount == track.world == Frame()
    assert np.allclose(track.tilt(NAMES[1]).rotation, turned.rotation, atol=1e-15)
    # Of other formats, the world is level.
    table = write(
        tmp_path / "a.tsv", f"000000 {text_of(numbers_of(LEVEL))}".replace("-0.0", "0")
    )
    with pytest.raises(ValueError, match=r"a\.tsv: line 1: x of the scan 000000 point"):
        read_track(table, "table", ["000000"]).tilt("000000")
    assert read_track(table, "table", ["000000"], calib).world == Frame()


def test_axes_are_those_of_the_points(poses, tmp_path):
    """A layout names the axes of a file, whose numbers the poses are of."""
    poses = write(poses, *ahead(0, 2))
    # Our x is minus the file's y, our y the file's x: it sees y behind it.
    track = read_track(poses, "kitti", NAMES[:2], axes=RIGHT)
    assert track.mount == RIGHT
    assert track.motion(NAMES[1], NAMES[0]).translation == (0.0, 2.0, 0.0)
    calib = write(tmp_path / "calib.txt", TR)
    track = read_track(poses, "kitti", NAMES[:2], calib, RIGHT)
    expected = compose(np.array(LEVEL.matrix), np.array(RIGHT.matrix))
    assert np.array_equal(track.mount.matrix, expected)


@given(frames, frames)
def test_inverse(left, right):
    """There and back is the identity, for one motion and for many."""
    both = np.array([left.matrix, right.matrix])
    assert np.array_equal(invert(both)[1], invert(both[1]))
    identity = np.array(Frame().matrix)
    assert np.allclose(compose(invert(both), both), identity, atol=1e-7)


@given(angle, angle, angle)
def test_quaternions_turn_as_matrices(yaw, pitch, roll):
    """Against a quaternion of half the angles, and scaled to the length 1."""
    a, b, c = (np.radians(value) / 2 for value in (yaw, pitch, roll))
    (ca, sa), (cb, sb), (cc, sc) = ((np.cos(v), np.sin(v)) for v in (a, b, c))
    w, x = ca * cb * cc + sa * sb * sc, ca * cb * sc - sa * sb * cc
    y, z = ca * sb * cc + sa * cb * sc, sa * cb * cc - ca * sb * sc
    quaternion = np.array([[w, x, y, z]]) * 1.0005
    found = turn(quaternion, np.array([[1.0, 2.0, 3.0]]))
    assert find_deformed(found) is None
    expected = make_frame({"yaw": yaw, "pitch": pitch, "roll": roll}, "").rotation
    assert np.allclose(found[0, :, :3], expected, atol=1e-12)
    assert found[0, :, 3].tolist() == [1, 2, 3]


def test_digest_is_of_the_numbers_alone(poses, tmp_path):
    """Of these scans, in order; not of the rest of the file, nor of the place in it."""
    places = ahead(0, 1, 2, 3)
    track = read_track(write(poses, *places[:3]), "kitti", NAMES[:3])
    digest = track.digest(NAMES[:3])
    assert re.fullmatch("[0-9a-f]{64}", digest)
    packed = b"".join(struct.pack("<12d", *numbers) for numbers in places[:3])
    identity = struct.pack("<12d", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    assert digest == hashlib.sha256(packed + identity * 2).hexdigest()
    assert len({track.digest(NAMES[a:b]) for a in range(3) for b in range(a, 3)}) == 4
    assert track.digest(NAMES[1::-1]) != track.digest(NAMES[:2])
    longer = read_track(write(poses, *places), "kitti", NAMES)
    assert longer.digest(NAMES[:3]) == digest
    other = [f"{name} {text_of(row)}" for name, row in zip(NAMES, places, strict=True)]
    table = read_track(write(poses, *other[::-1]), "table", NAMES)
    assert table.digest(NAMES[:3]) == digest
    changed = read_track(write(poses, *ahead(0, 1, 2.5)), "kitti", NAMES[:3])
    assert changed.digest(NAMES[:2]) == track.digest(NAMES[:2])
    assert changed.digest(NAMES[:3]) != digest
    calib = write(tmp_path / "calib.txt", TR)
    mounted = read_track(poses, "kitti", NAMES[:3], calib)
    assert mounted.digest(NAMES[:3]) != changed.digest(NAMES[:3])
    # Levelled otherwise, though all numbers are the same.
    level = mounted._replace(world=Frame())
    assert level.digest(NAMES[:3]) != mounted.digest(NAMES[:3])


def test_tracks_are_sent_to_other_processes(poses):
    """As batches of scans do."""
    track = read_track(write(poses, *ahead(0, 1)), "kitti", NAMES[:2])
    assert pickle.loads(pickle.dumps(track)) == track


# KITTI.


def test_kitti_rows_are_numbers(poses):
    """Row 2 is of the scan 000002, whichever scans are there."""
    scans = [NAMES[0], NAMES[2], NAMES[3]]
    track = read_track(write(poses, *ahead(0, 1, 2, 3)), "kitti", scans)
    assert track.poses[NAMES[2]] == Pose("line 3", tuple(numbers_of(Frame(), 2)))
    assert track.positions == {NAMES[0]: 0, NAMES[2]: 2, NAMES[3]: 3}
    assert track.names == {0: NAMES[0], 2: NAMES[2], 3: NAMES[3]}
    assert track.motion(NAMES[3], NAMES[0]).translation == (3.0, 0.0, 0.0)
    # A missing neighbour is not replaced by a farther one.
    assert track.neighbour(NAMES[0], 1) is None
    assert track.neighbour(NAMES[0], 2) == NAMES[2]
    assert track.neighbour(NAMES[3], -1) == NAMES[2]
    assert track.neighbour(NAMES[0], -1) is track.neighbour(NAMES[3], 1) is None
    assert track.neighbour(NAMES[0], 0) == NAMES[0]
    assert track.neighbour("none", 0) is None


def test_fewer_rows_than_scans(poses):
    """An error only of what needs the pose."""
    scans = [*NAMES[:3], "00/velodyne/000007"]
    track = read_track(write(poses, *ahead(0, 1, 2)), "kitti", scans)
    with fails(poses, f"3 rows, expected one for the scan {scans[3]}: line 8"):
        track.find(scans[3])
    for use in (track.tilt, lambda scan: track.digest([scan])):
        with fails(poses, f"3 rows, expected one for the scan {scans[3]}: line 8"):
            use(scans[3])
    for pair in ((scans[3], scans[0]), (scans[0], scans[3])):
        with pytest.raises(ValueError, match="3 rows, expected one for the scan"):
            track.motion(*pair)
    assert track.neighbour(scans[2], 5) is None
    assert track.neighbour(scans[3], -5) == scans[2]
    with fails(poses, "no pose of the scan x, expected one"):
        track.find("x")


def test_poses_of_a_camera_need_its_calibration(poses, tmp_path):
    """Without it, they would move points of a sensor up."""
    calib = write(tmp_path / "calib.txt", TR)
    rows = [[1, 0, 0, 0.1 * n, 0, 1, 0, 0, 0, 0, 1, 0.9 * n] for n in range(4)]
    write(poses, *rows)
    message = (
        f"{poses}: 99% of the way is along z, straight up for a sensor, expected the "
        f"calibration of KITTI's camera, whose z is ahead: `calib: calib.txt`, with a "
        f"line Tr:"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_track(poses, "kitti", NAMES)
    assert read_track(poses, "kitti", NAMES, calib).poses.keys() == {*NAMES}
    write(poses, *rows[:2])
    assert len(read_track(poses, "kitti", NAMES[:2]).poses) == 2


def test_kitti_without_numbers_needs_as_many_rows(poses):
    """Scans that are no numbers get the rows in their order."""
    scans = ["a/left", "a/right"]
    track = read_track(write(poses, *ahead(5, 6)), "kitti", scans)
    assert track.positions == {"a/left": 0, "a/right": 1}
    assert track.motion("a/right", "a/left").translation == (1.0, 0.0, 0.0)
    write(poses, *ahead(5, 6, 7))
    with fails(
        poses,
        "3 rows, expected 2: one for each scan, in order, because names such as "
        "a/left do not say which",
    ):
        read_track(poses, "kitti", scans)
    # Stamps are no numbers of rows.
    scans = ["1616343527200", "1616343527300", "1616343527400"]
    assert read_track(poses, "kitti", scans).positions[scans[2]] == 2


def test_scans_of_two_drives_need_two_files(poses):
    """Each number is there once."""
    write(poses, *ahead(0, 1))
    for form, lines in (
        ("kitti", ahead(0)),
        ("kitti360", [[0, *ahead(0)[0]]]),
        ("table", []),
    ):
        write(poses, *lines)
        with fails(
            poses,
            "the scans 00/000000 and 01/000000 both have the number 0, expected the "
            "scans of one drive: each needs poses of its own",
        ):
            read_track(poses, form, ["00/000000", "01/000000"])


@pytest.mark.parametrize("form", ["kitti", "tum", "table", "kitti360"])
def test_no_scans_and_no_poses(poses, form):
    """An empty file has no poses, and a drive may have no scans."""
    write(poses)
    track = read_track(poses, form, [])
    assert (track.poses, track.positions, list(track.jumps)) == ({}, {}, [])
    if form != "tum":
        assert read_track(poses, form, NAMES).poses == {}


BAD_ROWS = {
    "11 numbers": (ahead(0)[0][:11], "11 numbers, expected 12: three rows of four"),
    "word": (
        "1 0 0 x 0 1 0 0 0 0 1 0",
        "could not convert string to float: 'x', expected a number",
    ),
    "infinite": ("1 0 0 inf 0 1 0 0 0 0 1 0", "inf, expected a finite number"),
    "scaled": (
        "1.002 0 0 0 0 1 0 0 0 0 1 0",
        "no rigid motion: its left three columns are no rotation, expected "
        "perpendicular unit vectors",
    ),
    "huge": (
        "1e300 0 0 0 0 1 0 0 0 0 1 0",
        "no rigid motion: its left three columns are no rotation, expected "
        "perpendicular unit vectors",
    ),
    "mirrored": (
        "1 0 0 0 0 -1 0 0 0 0 1 0",
        "no rigid motion: its left three columns are mirrored, expected the "
        "determinant 1",
    ),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows(poses, kind):
    """One line, with the file and the line; blank lines count."""
    row, message = BAD_ROWS[kind]
    write(poses, ahead(0)[0], "", row, ahead(0)[0])
    with fails(poses, f"line 3: {message}"):
        read_track(poses, "kitti", NAMES)


def test_rotations_may_have_few_digits(poses):
    """Rows of unit vectors within a thousandth, as a file has them."""
    write(poses, "1 0.0004 0 0 -0.0004 1 0 0 0 0 1 0", "1.0004 0 0 0 0 1 0 0 0 0 1 0")
    assert len(read_track(poses, "kitti", NAMES[:2]).poses) == 2


@pytest.mark.parametrize("form", ["kitti", "kitti360", "tum", "table"])
def test_missing_file(poses, form):
    """It is named."""
    with pytest.raises(FileNotFoundError, match=r"No such file.*poses\.txt"):
        read_track(poses, form, NAMES)
    write(poses, *ahead(0))
    if form != "kitti":
        return
    with pytest.raises(FileNotFoundError, match=r"No such file.*calib\.txt"):
        read_track(poses, form, NAMES[:1], poses.with_name("calib.txt"))
    poses.write_bytes(b"\xff\xfe1\x00")
    with fails(poses, "not UTF-8 text, expected a text file"):
        read_track(poses, form, NAMES[:1])


def test_jump(poses):
    """Only motions across it fail."""
    write(poses, *ahead(0, 99, 250, 260))
    track = read_track(poses, "kitti", NAMES)
    message = (
        "line 3: 151 m from line 2, expected at most 100 m: is a pose wrong, or are "
        "these two drives?"
    )
    for scan, reference in ((1, 2), (2, 1), (0, 3), (0, 2), (1, 3)):
        with fails(poses, message):
            track.motion(NAMES[scan], NAMES[reference])
    for scan, reference in ((0, 1), (2, 3), (3, 2), (2, 2)):
        assert track.motion(NAMES[scan], NAMES[reference])
    assert track.tilt(NAMES[2]) == Frame()


def test_jump_over_missing_scans(poses):
    """100 m for each step of the position, so 300 m for three."""
    scans = [NAMES[0], NAMES[3]]
    write(poses, *ahead(0, 1, 2, 300))
    track = read_track(poses, "kitti", scans)
    assert track.motion(scans[1], scans[0]).translation == (300.0, 0.0, 0.0)
    write(poses, *ahead(0, 1, 2, 301))
    with pytest.raises(ValueError, match=r"line 4: 301 m from line 1, .* most 300 m"):
        read_track(poses, "kitti", scans).motion(*scans)
    write(poses, *ahead(0, 1, 2, 1e300))
    with pytest.raises(ValueError, match=r"line 4: inf m from line 1, .* most 300 m"):
        read_track(poses, "kitti", scans).motion(*scans)


def test_reading_is_fast(poses):
    """5,000 rows, as KITTI's longest drives have, in well under 0.1 s; here thrice."""
    scans = [f"00/velodyne/{number:06}" for number in range(5000)]
    write(poses, *(numbers_of(TILTED, x / 2) for x in range(5000)))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        track = read_track(poses, "kitti", scans)
        seconds.append(time.perf_counter() - start)
    assert len(track.poses) == 5000
    assert min(seconds) < 0.3
    start = time.perf_counter()
    for _ in range(1000):
        track.digest(scans[:10])
    assert time.perf_counter() - start < 1  # 50 microseconds are 20 s of all nuScenes


def test_real_drive(shared):
    """Cells that two scans share, as they are and compensated."""
    folder = shared / "drive"
    scans = ["000000", "000001", "000002"]
    track = read_track(folder / "poses.txt", "kitti", scans, folder / "calib.txt")
    points = {
        scan: np.fromfile(folder / f"{scan}.bin", "<f4").reshape(-1, 4)[:, :3].T
        for scan in scans
    }

    def cells(points):
        inside = (points[2] > -1) & (np.abs(points[:2]) < 50).all(axis=0)
        return {*map(tuple, np.floor(points[:2, inside] / 0.2).astype(int).T.tolist())}

    def overlap(first, second):
        return round(len(first & second) / len(first | second), 2)

    reference = cells(points["000000"])
    for scan, plain, moved in (("000001", 0.21, 0.43), ("000002", 0.14, 0.31)):
        frame = track.motion(scan, "000000")
        assert overlap(reference, cells(points[scan])) == plain
        assert overlap(reference, cells(frame.apply(points[scan]))) == moved
    x, y, z = track.motion("000001", "000000").translation
    assert sqrt(x * x + y * y + z * z) == pytest.approx(0.86, abs=0.01)
    assert x > 0.85
    # The car stands on a road: its points stay upright.
    for scan in scans:
        assert track.tilt(scan).rotation[2][2] > 0.9999
    assert (track.neighbour("000000", 1), track.neighbour("000000", -1)) == (
        "000001",
        None,
    )


# KITTI-360.

FRAMES = ["x/data/0000000001", "x/data/0000000005", "x/data/0000000006"]


def test_kitti360_frames_are_named(poses):
    """The frame's number comes first; where the car stands, frames are missing."""
    one, five, six = ahead(1, 5, 6)
    track = read_track(write(poses, [6, *six], [1, *one]), "kitti360", FRAMES)
    assert (
        track.poses
        == {
            FRAMES[0]: Pose("line 2", tuple(one)),
            FRAMES[2]: Pose("line 1", tuple(six)),
        }
        or "6.0" in poses.read_text()
    )
    assert track.positions == dict(zip(FRAMES, (1, 5, 6), strict=True))
    assert track.neighbour(FRAMES[2], -1) is None  # it is there, without a pose
    assert track.neighbour(FRAMES[2], -5) == FRAMES[0]
    with fails(poses, f"no row of the frame 5, expected one for the scan {FRAMES[1]}"):
        track.find(FRAMES[1])
    # Poses of the camera are 4 x 4.
    last = [0, 0, 0, 1]
    wide = write(poses, [5, *five, *last], [6, *six, *last])
    assert len(read_track(wide, "kitti360", FRAMES).poses) == 2


def test_kitti360_errors(poses):
    """One line each."""
    row = ahead(1)[0]
    count = "numbers, expected 12: three rows of four, after the frame"
    for lines, message in (
        ([[1, *row[:-1]]], f"line 1: 11 {count}"),
        ([[1, *row], [5, *row, 0, 0, 0, 1]], f"line 2: 16 {count}"),
        (
            [[1, *row, 0, 0, 0, 1], [5, *row]],
            "line 2: 12 numbers, expected 16: three rows of four, after the frame",
        ),
        ([[1, *row, 0, 0, 1, 1]], "line 1: ends in 0 0 1 1, expected 0 0 0 1"),
        (["1.5 " + text_of(row)], "line 1: 1.5, expected the number of a frame"),
        (
            [[5, *row], [6, *row], [5, *row]],
            "line 3: the frame 5, which is in line 1 already, expected each frame once",
        ),
        (
            [[5, *row], [6, *row[:10], 2, 0]],
            "line 2: no rigid motion: its left three columns are no rotation, "
            "expected perpendicular unit vectors",
        ),
    ):
        write(poses, *lines)
        with fails(poses, message):
            read_track(poses, "kitti360", FRAMES)
    with fails(poses, "the scan x/left, expected names that are the numbers of frames"):
        read_track(poses, "kitti360", [FRAMES[0], "x/left"])


@pytest.fixture
def calibration(tmp_path):
    """Write KITTI-360's folder; the camera has been turned to be rectified."""
    folder = tmp_path / "calibration"
    folder.mkdir()
    # The camera is 1 m ahead of the points' origin, and looks ahead.
    write(folder / "calib_cam_to_velo.txt", [0, 0, 1, 1, -1, 0, 0, 0, 0, -1, 0, 0])
    # The IMU looks ahead, its y is to the right, its z down; it is 3 m behind.
    write(
        folder / "calib_cam_to_pose.txt",
        "image_00: 0 0 1 3 1 0 0 0 0 1 0 0",
        "image_01: 0 0 1 3 1 0 0 9 0 1 0 0",
    )
    write(
        folder / "perspective.txt",
        "S_rect_00: 1408.0 376.0",
        "R_rect_00: 0 1 0 -1 0 0 0 0 1",
        "R_rect_01: 1 0 0 0 1 0 0 0 1",
    )
    return folder


def test_kitti360_calibration(poses, calibration, tmp_path):
    """Its files lead from the camera to the points, to the IMU, and rectify it."""
    row = ahead(5)[0]
    of_imu = read_track(write(poses, [5, *row]), "kitti360", FRAMES, calibration)
    # A point 1 m ahead is the camera, 3 m ahead of the IMU.
    assert of_imu.mount == Frame(
        ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)), (2.0, 0.0, 0.0)
    )
    assert of_imu.world == Frame()
    write(poses, [5, *row, 0, 0, 0, 1])
    of_camera = read_track(poses, "kitti360", FRAMES, calibration)
    # To the left is -x of the camera, and y of the rectified one, which is turned.
    assert of_camera.mount == Frame(
        ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)), (0.0, 0.0, -1.0)
    )
    calib = write(tmp_path / "calib.txt", TR)
    assert read_track(poses, "kitti360", FRAMES, calib).mount == LEVEL


def test_kitti360_calibration_errors(poses, calibration):
    """One line each, with the file and the key."""
    write(poses, [5, *ahead(5)[0]])
    path = calibration / "calib_cam_to_pose.txt"
    tail = "as in KITTI-360's folder calibration"
    for text, message in (
        ("", f"no image_00, expected image_00: and its numbers, {tail}"),
        ("image_00: 1 2", f"image_00: 2 numbers, expected 12, {tail}"),
        (
            "image_00: 0 0 2 3 1 0 0 0 0 1 0 0",
            "image_00: no rotation, expected perpendicular unit vectors",
        ),
        (
            "image_00: 0 0 x 3 1 0 0 0 0 1 0 0",
            "image_00: could not convert string to float: 'x', expected a number",
        ),
    ):
        write(path, text)
        with fails(path, message):
            read_track(poses, "kitti360", FRAMES, calibration)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"calib_cam_to_pose\.txt"):
        read_track(poses, "kitti360", FRAMES, calibration)
    write(poses, [5, *ahead(5)[0], 0, 0, 0, 1])
    path = write(calibration / "calib_cam_to_velo.txt")
    with fails(path, f"no line, expected numbers, {tail}"):
        read_track(poses, "kitti360", FRAMES, calibration)
    for form in ("kitti", "tum", "table"):
        with pytest.raises(OSError, match="calibration"):
            read_track(write(poses), form, [], calibration)


# TUM.


def test_tum_takes_the_nearest_pose(poses):
    """At most 0.05 s away; times are told apart to the nanosecond."""
    write(
        poses,
        "# t x y z qx qy qz qw",
        "1403636579.000000000 1 0 0 0 0 0 1",
        "1403636579.100000001 2 0 0 0 0 0 1",
        "1.4036365793e+09 3 0 0 0 0 0 1",
    )
    scans = [
        "b/1403636579.0",
        "b/1403636579.050000000",  # a nanosecond nearer to the first
        "b/1403636579.050000001",
        "b/1403636579.150000001",
        "b/1403636579.150000002",
        "b/1403636579.3",
    ]
    track = read_track(poses, "tum", scans)
    found = {scan: pose.numbers[3] for scan, pose in track.poses.items()}
    assert found == dict(zip(scans[:4] + scans[5:], (1, 1, 2, 2, 3), strict=True))
    assert track.poses[scans[0]].where == "line 2"
    assert track.positions == {scan: number for number, scan in enumerate(scans)}
    with fails(
        poses,
        f"no pose within 0.05 s of the scan {scans[4]}, expected one; the nearest, "
        f"line 3, is 0.050000001 s away",
    ):
        track.find(scans[4])
    assert track.neighbour(scans[3], 1) is None
    assert track.motion(scans[5], scans[0]).translation == (2.0, 0.0, 0.0)
    assert track.motion(scans[1], scans[0]) == Frame()


def test_tum_between_two_poses_the_earlier_counts(poses):
    write(poses, "10.0 1 0 0 0 0 0 1", "10.1 2 0 0 0 0 0 1")
    track = read_track(poses, "tum", ["10.05"])
    assert track.find("10.05").numbers[3] == 1


@pytest.mark.parametrize(
    ("name", "nanoseconds"),
    [
        ("1403636579", 1403636579 * 10**9),
        ("1403636579763", 1403636579763 * 10**6),
        ("1403636579763555", 1403636579763555 * 10**3),
        ("1403636579763555527", 1403636579763555527),
        ("1403636579.763555527", 1403636579763555527),
        ("0.1", 10**8),
        *((name, None) for name in ("0000000012", "000012", "12", "1.5e3", "a.5")),
        *((name, None) for name in ("1403636579.", "14036365797", "", "-1.5")),
    ],
)
def test_stamps(name, nanoseconds):
    """Seconds with a point, or whole numbers by their digits."""
    assert parse_stamp(name) == nanoseconds


@given(st.integers(10**18, 10**19 - 1))
def test_stamps_are_exact(nanoseconds):
    """Whatever float64 would round."""
    seconds = str(Decimal(nanoseconds).scaleb(-9))
    assert parse_stamp(str(nanoseconds)) == parse_stamp(seconds) == nanoseconds


def test_tum_in_the_order_of_time(poses):
    """Not of names, whose seconds may have fewer digits."""
    write(poses, "9.5 1 0 0 0 0 0 1", "10.5 2 0 0 0 0 0 1")
    track = read_track(poses, "tum", ["10.5", "9.5"])
    assert track.neighbour("9.5", 1) == "10.5"


def test_tum_without_stamps(poses):
    """As many rows as scans, in order, without the comments."""
    write(poses, "#", "0.1 1 0 0 0 0 0 1", "#", "0.2 2 0 0 0 0 0 1")
    track = read_track(poses, "tum", NAMES[:2])
    assert track.motion(NAMES[1], NAMES[0]).translation == (1.0, 0.0, 0.0)
    assert track.poses[NAMES[1]].where == "line 4"
    with pytest.raises(ValueError, match=r"poses\.txt: 2 rows, expected 3: one for ea"):
        read_track(poses, "tum", NAMES[:3])


def test_tum_turns(poses):
    """The quaternion is x y z w: a quarter about z to the left, of few digits."""
    write(poses, "0.1 1 2 3 0 0 0.7071 0.7071")
    assert read_track(poses, "tum", ["0.1"]).find("0.1").numbers == pytest.approx(
        (0, -1, 0, 1, 1, 0, 0, 2, 0, 0, 1, 3), abs=1e-15
    )


def test_tum_errors(poses):
    """One line each."""
    good = "0.1 0 0 0 0 0 0 1"
    after = "expected times that increase"
    for line, message in (
        ("0.2 0 0 0 0 0 1", "line 2: 7 numbers, expected 8: t x y z qx qy qz qw"),
        (
            "0.2 0 0 0 0 0 0 one",
            "line 2: could not convert string to float: 'one', expected a number",
        ),
        ("nan 0 0 0 0 0 0 1", "line 2: nan, expected a finite number"),
        (good, f"line 2: the time 0.1 is not after that of line 1, {after}"),
        (
            "0.05 0 0 0 0 0 0 1",
            f"line 2: the time 0.05 is not after that of line 1, {after}",
        ),
        (
            "0.2 0 0 0 0 0 0 0",
            "line 2: no rigid motion, qx qy qz qw are 0.0 0.0 0.0 0.0, expected the "
            "length 1",
        ),
        (
            "0.2 0 0 0 0 0 0 1.002",
            "line 2: no rigid motion, qx qy qz qw are 0.0 0.0 0.0 1.002, expected the "
            "length 1",
        ),
    ):
        write(poses, good, line)
        with fails(poses, message):
            read_track(poses, "tum", ["0.1"])
    write(poses, "# nothing")
    with fails(poses, "no pose within 0.05 s of the scan 0.1, expected one"):
        read_track(poses, "tum", ["0.1"]).find("0.1")


# Tables.


def test_table(poses):
    """Names in full, or the last component; a header; tabs or blanks; any order."""
    rows = [text_of(row) for row in ahead(0, 1, 2)]
    write(
        poses,
        "scan\tr00\tr01",
        f"000002\t{rows[2]}".replace(" ", "\t"),
        f"{NAMES[1]} {rows[1]}",
        f"00/velodyne/000000\t{rows[0]}",
        f"another {rows[0]}",
    )
    track = read_track(poses, "table", NAMES)
    assert {scan: pose.where for scan, pose in track.poses.items()} == {
        NAMES[0]: "line 4",
        NAMES[1]: "line 3",
        NAMES[2]: "line 2",
    }
    assert track.motion(NAMES[2], NAMES[0]).translation == (2.0, 0.0, 0.0)
    with fails(poses, f"no row of the scan {NAMES[3]}, expected one"):
        track.find(NAMES[3])
    # Names with blanks need tabs; names that are no numbers count in order.
    scans = ["a b/left", "a b/right side"]
    write(poses, f"right side\t{rows[1]}", f"a b/left\t{rows[0]}")
    track = read_track(poses, "table", scans)
    assert track.positions == {scans[0]: 0, scans[1]: 1}
    assert track.motion(scans[1], scans[0]).translation == (1.0, 0.0, 0.0)


def test_table_with_gaps(poses):
    """Names that are numbers leave a gap where a scan is missing."""
    scans = [NAMES[0], NAMES[2]]
    write(poses, *(f"{scan} {text_of(ahead(0)[0])}" for scan in scans))
    track = read_track(poses, "table", scans)
    assert track.neighbour(scans[0], 1) is None
    assert track.neighbour(scans[0], 2) == scans[1]


def test_table_errors(poses):
    """One line each."""
    row = text_of(ahead(0)[0])
    for lines, message in (
        ([row], "line 1: 11 numbers, expected 12: three rows of four, after a name"),
        (
            [f"000000 {row}", f"000001 {row}", f"{NAMES[0]} {row}"],
            f"line 3: the scan {NAMES[0]}, which is in line 1 already, expected each "
            f"scan once",
        ),
        (
            [f"000000 {row}", "000001 2 0 0 0 0 1 0 0 0 0 1 0"],
            "line 2: no rigid motion: its left three columns are no rotation, "
            "expected perpendicular unit vectors",
        ),
        (
            [f"000000 {row}", f"scan {row[:-3]}x"],
            "line 2: could not convert string to float: 'x', expected a number",
        ),
    ):
        write(poses, *lines)
        with fails(poses, message):
            read_track(poses, "table", NAMES)
    write(poses, f"left {row}")
    with fails(
        poses,
        "line 1: left, which may be a/left or b/left, expected the scan's name in full",
    ):
        read_track(poses, "table", ["a/left", "b/left"])
    write(poses, f"a/left {row}", f"b/left {row}")
    assert len(read_track(poses, "table", ["a/left", "b/left"]).poses) == 2


def test_real_attitude(shared):
    """The tilt is the matrix to a level frame, as the file says it."""
    path = shared / "cases" / "attitude" / "poses.tsv"
    scans = ["000000", "000001", "000002"]
    track = read_track(path, "table", scans)
    assert track.tilt(scans[0]) == Frame()
    for scan, pitch in zip(scans, (0, -6, -12), strict=True):
        frame = track.tilt(scan)
        assert np.array_equal(frame.rotation, track.find(scan).matrix[:, :3])
        expected = make_frame({"pitch": pitch}, "").rotation
        assert np.allclose(frame.rotation, expected, atol=1e-12)


# nuScenes.

SENSORS = "LIDAR_TOP", "CAM_FRONT", "RADAR_FRONT"
QUARTER = [0.5**0.5, 0, 0, 0.5**0.5]
"""By 90 degrees to the left."""


def name_file(sensor, scene, frame):
    folder = "samples" if frame % 2 == 0 else "sweeps"
    suffix = ".jpg" if "CAM" in sensor else ".pcd" if "RADAR" in sensor else ".pcd.bin"
    return f"{folder}/{sensor}/n015__{sensor}__{scene * 1000 + frame}{suffix}"


def make_tables(scenes=2, frames=4):
    """Return nuScenes' tables: the vehicle drives along the map's y, to the north.

    The LiDAR is 1 m ahead of the vehicle's origin and 2 m above it, and looks to its
    left.
    """
    rows, poses = [], []
    for scene in range(scenes):
        for sensor in SENSORS:
            for frame in range(frames):
                token = f"{sensor}-{scene}-{frame}"
                near = {
                    step: f"{sensor}-{scene}-{frame + step}"
                    if 0 <= frame + step < frames
                    else ""
                    for step in (-1, 1)
                }
                rows.append(
                    {
                        "token": token,
                        "sample_token": f"{scene}-{frame // 2}",
                        "ego_pose_token": f"ego-{token}",
                        "calibrated_sensor_token": f"calibrated-{sensor}",
                        "timestamp": scene * 1000 + frame,
                        "filename": name_file(sensor, scene, frame),
                        "prev": near[-1],
                        "next": near[1],
                    }
                )
                poses.append(
                    {
                        "token": f"ego-{token}",
                        "timestamp": scene * 1000 + frame,
                        "rotation": QUARTER,
                        "translation": [1e6, 2e6 + frame * 1.5 + scene * 500, 0.0],
                    }
                )
    return {
        "sensor": [{"token": f"s-{name}", "channel": name} for name in SENSORS],
        "calibrated_sensor": [
            {
                "token": f"calibrated-{name}",
                "sensor_token": f"s-{name}",
                "translation": [1.0, 0.0, 2.0],
                "rotation": QUARTER,
            }
            for name in SENSORS
        ],
        # Not in the order of time.
        "sample_data": rows[::-1],
        "ego_pose": poses,
    }


def write_tables(folder, tables):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, indent=0))
    return folder


@pytest.fixture
def tables(tmp_path):
    return write_tables(tmp_path / "v1.0-mini", make_tables())


def lidar(scene, frame):
    """Return the name of a scan in the folder samples/LIDAR_TOP."""
    return f"n015__LIDAR_TOP__{scene * 1000 + frame}"


KEYFRAMES = [lidar(scene, frame) for scene in (0, 1) for frame in (0, 2)]


def test_nuscenes(tables):
    """The map's pose of the sensor, and sweeps as neighbours, scene by scene."""
    track = read_track(tables, "nuscenes", KEYFRAMES)
    first = track.find(KEYFRAMES[0])
    assert first.where == "ego_pose ego-LIDAR_TOP-0-0"
    # The sensor is 1 m to the north of the vehicle, 2 m up, and looks to the west.
    assert first.numbers == pytest.approx(
        (-1, 0, 0, 1e6, 0, -1, 0, 2e6 + 1, 0, 0, 1, 2), abs=1e-9
    )
    sweep = f"../../sweeps/LIDAR_TOP/{lidar(0, 1)}"
    assert track.neighbour(KEYFRAMES[1], -1) == sweep
    assert track.neighbour(KEYFRAMES[1], -2) == KEYFRAMES[0]
    assert track.neighbour(KEYFRAMES[1], 2) is None
    assert track.neighbour(KEYFRAMES[2], -1) is None  # of the other scene
    assert len(track.positions) == len(track.poses) == 8
    assert track.neighbour(sweep, 1) == KEYFRAMES[1]
    # In the sensor's own axes: what is behind it was on its left.
    motion = track.motion(sweep, KEYFRAMES[1])
    assert motion.translation == pytest.approx((0, 1.5, 0), abs=1e-9)
    assert track.mount == track.world == Frame()
    assert not track.jumps
    turned = read_track(tables, "nuscenes", KEYFRAMES, axes=RIGHT)
    assert turned.mount == RIGHT


def test_nuscenes_numbers_equal_a_plain_loop(tables):
    """ego_pose times calibrated_sensor, bit for bit."""
    w, x, y, z = map(float, QUARTER)
    s = 2 / (w * w + x * x + y * y + z * z)
    rotation = [
        [1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
        [s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)],
        [s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)],
    ]
    ego = [[*row, t] for row, t in zip(rotation, (1e6, 2e6 + 3, 0.0), strict=True)]
    sensor = [[*row, t] for row, t in zip(rotation, (1.0, 0.0, 2.0), strict=True)]
    expected = [[v + 0.0 for v in row] for row in multiply_plainly(ego, sensor)]
    track = read_track(tables, "nuscenes", KEYFRAMES)
    assert bits([track.find(KEYFRAMES[1]).numbers]) == bits(expected)


@pytest.mark.parametrize(
    ("scan", "sweep"),
    [
        ("n015__LIDAR_TOP__0", "../../sweeps/LIDAR_TOP/n015__LIDAR_TOP__1"),
        ("n015__LIDAR_TOP__0.pcd", "../../sweeps/LIDAR_TOP/n015__LIDAR_TOP__1.pcd"),
        ("LIDAR_TOP/n015__LIDAR_TOP__0", "../sweeps/LIDAR_TOP/n015__LIDAR_TOP__1"),
        (
            "samples/LIDAR_TOP/n015__LIDAR_TOP__0",
            "sweeps/LIDAR_TOP/n015__LIDAR_TOP__1",
        ),
        (
            "nuscenes/samples/LIDAR_TOP/n015__LIDAR_TOP__0",
            "nuscenes/sweeps/LIDAR_TOP/n015__LIDAR_TOP__1",
        ),
    ],
)
def test_nuscenes_names_are_relative_to_the_scans(tables, scan, sweep):
    """Whichever folder is that of the scans, and whatever their suffix."""
    track = read_track(tables, "nuscenes", [scan])
    assert track.neighbour(scan, 1) == sweep
    assert track.neighbour(sweep, -1) == scan


def test_nuscenes_knows_scans_of_other_folders(tables):
    """All in one folder: their own names count."""
    scans = sorted(f"all/{lidar(0, frame)}" for frame in range(4))
    track = read_track(tables, "nuscenes", scans)
    assert [track.neighbour(scans[0], offset) for offset in range(4)] == scans


def test_nuscenes_finds_sensors_that_names_do_not_say(tables):
    """Then it reads the table again; cameras and other sensors are left out."""
    scans = make_tables()
    for row in scans["sample_data"]:
        row["filename"] = row["filename"].replace("__LIDAR_TOP__", "_")
    write_tables(tables, scans)
    track = read_track(tables, "nuscenes", ["n015_0", "n015_2"])
    assert len(track.positions) == 8
    assert track.neighbour("n015_2", -1) == "../../sweeps/LIDAR_TOP/n015_1"
    both = read_track(tables, "nuscenes", ["n015_0", "n015__RADAR_FRONT__0"])
    assert len(both.positions) == 16
    neighbours = {both.neighbour(scan, 2) for scan in both.poses}
    assert neighbours - {None} <= set(both.poses)


def test_nuscenes_does_not_know_a_scan(tables):
    """An error only of what needs it."""
    track = read_track(tables, "nuscenes", [*KEYFRAMES, "n015__LIDAR_TOP__7"])
    assert track.neighbour("n015__LIDAR_TOP__7", -1) is None
    with fails(
        tables,
        "sample_data.json has no file of the scan n015__LIDAR_TOP__7, expected one",
    ):
        track.tilt("n015__LIDAR_TOP__7")
    assert read_track(tables, "nuscenes", ["a"]).poses == {}
    assert read_track(tables, "nuscenes", []).poses == {}


def edit(table, number=0, **keys):
    """Return a change of nuScenes' tables: keys of a row, or the row left out."""

    def change(tables):
        if keys:
            tables[table][number].update(keys)
        else:
            del tables[table][number]

    return change


# The last row of sample_data is the LiDAR's first; of ego_pose, the first is.
NUSCENES_ERRORS = [
    (
        edit("ego_pose"),
        "ego_pose.json: no row with the token ego-LIDAR_TOP-0-0, to which "
        "sample_data.json refers, expected one",
    ),
    (
        edit("calibrated_sensor", 1),
        "calibrated_sensor.json: no row with the token calibrated-CAM_FRONT, to which "
        "sample_data.json refers, expected one",
    ),
    (
        edit("ego_pose", rotation=[1, 0, 0]),
        "ego_pose.json: ego-LIDAR_TOP-0-0: translation [1000000.0, 2000000.0, 0.0] and "
        "rotation [1, 0, 0], expected three and four finite numbers",
    ),
    (
        edit("ego_pose", translation=None),
        f"ego_pose.json: ego-LIDAR_TOP-0-0: translation None and rotation {QUARTER}, "
        f"expected three and four finite numbers",
    ),
    (
        edit("ego_pose", translation=[0, 0, float("inf")]),
        f"ego_pose.json: ego-LIDAR_TOP-0-0: translation [0, 0, inf] and rotation "
        f"{QUARTER}, expected three and four finite numbers",
    ),
    (
        edit("calibrated_sensor", rotation=[1, 0, 0, 0.1]),
        "calibrated_sensor.json: calibrated-LIDAR_TOP: no rigid motion, the rotation "
        "is [1.0, 0.0, 0.0, 0.1], expected w x y z of the length 1",
    ),
    (
        edit("sample_data", -1, prev=None),
        "sample_data.json: the row with the token LIDAR_TOP-0-0: expected text as "
        "token, prev, next, filename, ego_pose_token, calibrated_sensor_token",
    ),
    (
        edit("sample_data", -1, prev="LIDAR_TOP-0-3"),
        "sample_data.json: prev and next of its rows contradict each other, expected "
        "each row once in one scene",
    ),
    (
        edit("sample_data", -1, next="LIDAR_TOP-0-2"),
        "sample_data.json: prev and next of its rows contradict each other, expected "
        "each row once in one scene",
    ),
    (
        edit("sample_data", -2, filename=name_file("LIDAR_TOP", 0, 0)),
        "sample_data.json: samples/LIDAR_TOP/n015__LIDAR_TOP__0.pcd.bin and "
        "samples/LIDAR_TOP/n015__LIDAR_TOP__0.pcd.bin are the scan "
        "n015__LIDAR_TOP__0, expected one file",
    ),
]


@pytest.mark.parametrize(("change", "message"), NUSCENES_ERRORS)
def test_nuscenes_errors(tables, change, message):
    """One line each, with the table and the row."""
    content = make_tables()
    change(content)
    write_tables(tables, content)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{tables}/{message}')}$"):
        read_track(tables, "nuscenes", KEYFRAMES)


def test_nuscenes_folder_and_names(tables, tmp_path):
    """A table that is not there; files of one name; a calibration."""
    (tables / "ego_pose.json").unlink()
    message = (
        f"{tables}: no ego_pose.json, expected a folder of nuScenes' tables, such as "
        f"v1.0-trainval"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        read_track(tables, "nuscenes", KEYFRAMES)
    with pytest.raises(FileNotFoundError, match=r"none: no sensor\.json, expected a f"):
        read_track(tmp_path / "none", "nuscenes", KEYFRAMES)
    write_tables(tables, make_tables())
    with fails(
        tables,
        "the scans a/x and b/x are the same file, expected each file of nuScenes once",
    ):
        read_track(tables, "nuscenes", ["a/x", "b/x"])
    with fails("c.txt", "a calibration, expected none: nuScenes' tables say it"):
        read_track(tables, "nuscenes", [], "c.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"token": 1}', "begins with '{\"token\":', expected a list: ["),
        ("", "begins with '', expected a list: ["),
        ("[3]", "row 1: 3, expected token"),
        ('[{"token": 1}, {"a": 1, "b": 2}]', "row 2: a, b, expected token"),
        (
            '[{"token": 1}, {"token": 2',
            "character 26: Expecting ',' delimiter, expected a list of rows; is the "
            "file whole?",
        ),
        (
            '[{"token": 1},',
            "character 14: Expecting value, expected a list of rows; is the file "
            "whole?",
        ),
        (
            '[{"token": 1}, {"token": oops}]',
            "character 25: Expecting value, expected a list of rows; is the file "
            "whole?",
        ),
    ],
)
def test_json_tables_that_are_none(tmp_path, text, message):
    """One line each, with the place."""
    path = tmp_path / "sensor.json"
    path.write_text(text)
    with fails(path, message):
        list(json_table.read_rows(path, ["token"]))


@given(st.integers(1, 40))
def test_json_tables_are_read_piece_by_piece(tmp_path_factory, size):
    """Wherever a piece ends; escapes and brackets in text are no ends of rows."""
    path = tmp_path_factory.mktemp("table") / "a.json"
    rows = [{"token": text} for text in ("a", "}{][", '\\"\u00e4', "", "0123456789")]
    for indent in (None, 2):
        path.write_text(f"\n {json.dumps(rows, indent=indent)}\n")
        with pytest.MonkeyPatch.context() as patch:
            # Rows are shorter than a piece, so a piece and the rest of one hold one.
            patch.setattr(json_table, "_CHUNK", size + 40)
            assert list(json_table.read_rows(path, ["token"])) == rows


def test_json_that_goes_wrong_is_not_read_to_its_end(tmp_path):
    """Otherwise the text would be kept, and parsed again with each piece."""
    path = tmp_path / "a.json"
    path.write_text('[{"token": oops}, ' + '{"token": 1}, ' * 500_000)
    start = time.perf_counter()
    with pytest.raises(ValueError, match="character 11: Expecting value"):
        list(json_table.read_rows(path, ["token"]))
    assert time.perf_counter() - start < 1


def test_memory_is_bounded(tmp_path, monkeypatch):
    """Only rows of the scans' sensor are kept, whatever the others are."""
    folder = write_tables(tmp_path / "v1.0", make_tables(frames=100))
    monkeypatch.setattr(json_table, "_CHUNK", 1 << 14)
    scans = [lidar(0, 0)]

    def peak():
        tracemalloc.start()
        read_track(folder, "nuscenes", scans)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak()  # what Python and NumPy keep
    few = peak()
    content = make_tables(frames=100)
    for table in ("sample_data", "ego_pose"):
        others = [row for row in content[table] if "CAM" in row["token"]]
        for copy in range(50):
            content[table] += [
                {**row, "token": f"{row['token']}-{copy}", "prev": "", "next": ""}
                for row in others
            ]
    write_tables(folder, content)
    assert (folder / "sample_data.json").stat().st_size > 2_000_000
    assert peak() < few + 100_000


def test_cache(tables, tmp_path, monkeypatch):
    """A second start reads no table, until one has changed."""
    cache = tmp_path / "work" / "cache"
    fresh = read_track(tables, "nuscenes", KEYFRAMES)
    first = read_track(tables, "nuscenes", KEYFRAMES, cache=cache)
    assert first == fresh
    (copy,) = cache.iterdir()
    reads = []
    read = nuscenes.read_rows
    monkeypatch.setattr(
        nuscenes,
        "read_rows",
        lambda path, keys: reads.append(path.name) or read(path, keys),
    )
    again = read_track(tables, "nuscenes", KEYFRAMES, cache=cache)
    assert again == fresh
    # Fewer scans, and scans of another folder, are in it as well.
    names = [f"samples/LIDAR_TOP/{scan}" for scan in KEYFRAMES]
    assert read_track(tables, "nuscenes", names[1:], cache=cache) == read_track(
        tables, "nuscenes", names[1:]
    )
    count = len(reads)
    assert count == 4  # of the one without a cache
    # Of another sensor, there is another copy.
    radar = ["n015__RADAR_FRONT__0"]
    read_track(tables, "nuscenes", radar, cache=cache)
    read_track(tables, "nuscenes", KEYFRAMES, cache=cache)
    read_track(tables, "nuscenes", radar, cache=cache)
    assert len(reads) == count + 4
    assert len([*cache.iterdir()]) == 2
    # What nuScenes does not know is not sought again.
    unknown = [*KEYFRAMES, "n015__LIDAR_TOP__7"]
    for _ in range(2):
        track = read_track(tables, "nuscenes", unknown, cache=cache)
        assert [*track.missing] == unknown[4:]
    assert len(reads) == count + 8
    # A broken copy is made again.
    copy.write_bytes(copy.read_bytes()[:100])
    assert read_track(tables, "nuscenes", KEYFRAMES, cache=cache) == fresh
    content = make_tables()
    content["ego_pose"][0]["translation"] = [1e6, 2e6, 0.25]
    write_tables(tables, content)
    later = read_track(tables, "nuscenes", KEYFRAMES, cache=cache)
    assert later.find(KEYFRAMES[0]).numbers[11] == 2.25
    assert fresh.find(KEYFRAMES[0]).numbers[11] == 2
    changed = [
        pair for pair in pairwise(KEYFRAMES) if fresh.digest(pair) != later.digest(pair)
    ]
    assert changed == [(KEYFRAMES[0], KEYFRAMES[1])]


def test_formats():
    """Each is one that `read_track` knows."""
    assert FORMATS == ("kitti", "kitti360", "tum", "nuscenes", "table")
    for form in FORMATS:
        with pytest.raises(OSError, match="none"):
            read_track("none", form, [])
