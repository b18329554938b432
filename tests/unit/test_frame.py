"""Frames: the sense and the order of angles, to the last bit, and by pixels."""

import re
import struct
from decimal import Decimal

import cv2
import numpy as np
import pytest
import yaml
from helpers import write_layout
from hypothesis import example, given, settings
from hypothesis import strategies as st

import birdview
from birdview.metadata import describe_layout
from birdview.pixels.encoding import load_encoding
from birdview.pixels.frame import make_frame
from birdview.pixels.layout import load_layout
from birdview.pixels.png import idat
from birdview.pixels.render import Renderer, render
from birdview.pixels.scan import read_scan
from birdview.training.labels.kitti import read_boxes

POLES = {
    "description": "Cells of 1 m from -8 to 8 m: 17 for each metre above z = -8.",
    "region": {axis: {"min": -8, "max": 8, "closed": "lower"} for axis in "xyz"},
    "grid": {"cell": 1, "rows": "-x", "cols": "-y"},
    "channels": [{"name": "height", "statistic": "max_height", "range": [-8, 7]}],
}
"""Row 7 - k shows x from k to k + 1, column 7 - k shows y from k to k + 1."""
# Three poles, straight up from z = -1.5: ahead of the sensor, to its left, and at it.
AHEAD = [(5.5, 0.5, z, 0.5) for z in (-1.5, -1, -0.5, 0, 0.5, 1)]
LEFT = [(0.5, 3.5, z, 0.5) for z in (-1.5, -1, -0.5, 0)]
UP = [(0.5, 0.5, z, 0.5) for z in (-1.5, 0, 1, 2, 3, 4)]


@pytest.fixture
def draw(tmp_path, make_scan):
    """Return a function that draws the three poles with a frame.

    It returns the pixels that are not black, by row and column, as OpenCV reads them.
    """
    (tmp_path / "poles.yaml").write_text(yaml.safe_dump(POLES))

    def draw(points=(*AHEAD, *LEFT, *UP), **frame):
        scan = make_scan(tmp_path / "a.bin", points)
        layout = write_layout(tmp_path / "own.yaml", frame=frame)
        encoding = load_encoding(tmp_path / "poles.yaml")
        render(scan, tmp_path / "a.png", encoding, layout)
        image = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
        assert image.shape == (16, 16)
        return {
            (int(row), int(col)): int(image[row, col])
            for row, col in np.argwhere(image)
        }

    return draw


def test_poles_without_a_frame(draw):
    """The one ahead is up in the image, the one to the left is left of the third."""
    expected = {(2, 7): 153, (7, 4): 136, (7, 7): 204}  # 17 * 9, 17 * 8, 17 * 12
    assert draw() == draw(height=1.73) == expected


def test_height_lifts_poles(draw):
    """The origin is 3.73 m above the road: the road at z = -3.73 becomes -1.73."""
    assert draw(height=3.73) == {(2, 7): 187, (7, 4): 170, (7, 7): 238}
    assert draw(height=0.73) == {(2, 7): 136, (7, 4): 119, (7, 7): 187}


def test_yaw_turns_to_the_left(draw):
    """A sensor that looks to the left sees what is to the left ahead of it."""
    # (5.5, 0.5) is at (-0.5, 5.5), (0.5, 3.5) at (-3.5, 0.5), the third at (-0.5, 0.5).
    assert draw(yaw=90) == {(8, 2): 153, (11, 7): 136, (8, 7): 204}
    # By a third of that: cosine 0.8660, sine 0.5. (5.5, 0.5) is at (4.51, 3.18),
    # (0.5, 3.5) at (-1.32, 3.28), (0.5, 0.5) at (0.18, 0.68).
    assert draw(yaw=30) == {(3, 4): 153, (9, 4): 136, (7, 7): 204}


def test_pitch_turns_the_nose_down(draw):
    """What is straight ahead of a sensor that looks down is on the road."""
    # By 90 degrees, (x, y, z) is at (z, y, -x).
    expected = dict.fromkeys([(9, 7), (8, 7), (7, 7), (6, 7)], 42)  # z = -5.5
    # z = -0.5 of the other two poles: 17 * 7.5, which is rounded to even
    expected |= dict.fromkeys([(9, 4), (8, 4), (7, 4)], 128)
    expected |= dict.fromkeys([(9, 7), (7, 7), (6, 7), (5, 7), (4, 7), (3, 7)], 128)
    assert draw(pitch=90) == expected
    # By 30 degrees, a point ahead at (5.5, 0.5, 0) is at (4.76, 0.5, -2.75).
    assert draw([(5.5, 0.5, 0, 0)], pitch=30) == {(3, 7): 89}  # 17 * 5.25 = 89.25


def test_roll_lifts_the_left_side(draw):
    """What is to the left of a sensor whose left side is up is above it."""
    # By 90 degrees, (x, y, z) is at (x, -z, y): 144.5 and 195.5 are rounded to even.
    expected = dict.fromkeys([(2, 6), (2, 7), (2, 8)], 144)
    expected |= dict.fromkeys([(7, 6), (7, 7)], 196)
    expected |= dict.fromkeys([(7, 8), (7, 9), (7, 10), (7, 11)], 144)
    assert draw(roll=90) == expected
    # By 30 degrees, a point to the left at (0.5, 3.5, 0) is at (0.5, 3.03, 1.75).
    assert draw([(0.5, 3.5, 0, 0)], roll=30) == {(7, 4): 166}  # 17 * 9.75 = 165.75


F, L, U = (1, 0, 0), (0, 1, 0), (0, 0, 1)
B, R, D = (-1, 0, 0), (0, -1, 0), (0, 0, -1)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "places"),
    [
        # Where the sensor's axes lead: forward, left, up, back, right, down.
        (0, 0, 0, (F, L, U)),
        (90, 0, 0, (L, B, U)),
        (180, 0, 0, (B, R, U)),
        (-90, 0, 0, (R, F, U)),
        (0, 90, 0, (D, L, F)),
        (0, 180, 0, (B, L, D)),
        (0, -90, 0, (U, L, B)),
        (0, 0, 90, (F, U, R)),
        (0, 0, 180, (F, R, D)),
        (0, 0, -90, (F, D, L)),
        # Roll first, then pitch, then yaw, about the vehicle's axes.
        (90, 90, 0, (D, B, L)),
        (90, 0, 90, (L, U, F)),
        (0, 90, 90, (D, F, R)),
        (90, 90, 90, (D, L, F)),
        (90, -90, 180, (U, F, L)),
        (-90, 180, 90, (L, D, B)),
    ],
)
def test_order_of_angles(tmp_path, make_scan, yaw, pitch, roll, places):
    """Rz(yaw) Ry(pitch) Rx(roll), written out for right angles."""
    angles = {"yaw": yaw, "pitch": pitch, "roll": roll}
    layout = write_layout(tmp_path / "own.yaml", frame=angles)
    scan = make_scan(tmp_path / "a.bin", [(*axis, 0) for axis in (F, L, U)])
    expected = [list(place) for place in places]
    assert read_scan(scan, layout)[:, :3].tolist() == expected
    matrix = np.array(describe_layout(load_layout(layout))["from_scan"])
    assert matrix[:, :3].T.tolist() == expected


# The sine and cosine of an angle, as integers of this many parts of one.
UNIT = 1 << 400


def arctan_of_inverse(number):
    """Return the arctangent of 1 / number, by its series."""
    total, power, divisor, sign = 0, UNIT // number, 1, 1
    while power:
        total += sign * (power // divisor)
        power //= number**2
        divisor, sign = divisor + 2, -sign
    return total


PI = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))  # by Machin


def sin_cos(degrees):
    """Return both: a step of one 2**70th of the angle, which is doubled 70 times."""
    numerator, denominator = Decimal(repr(degrees)).as_integer_ratio()
    step = (PI * numerator // (180 * denominator)) >> 70
    square = step * step // UNIT
    sine = step - step * square // UNIT // 6
    less = square // 2 - square * square // UNIT // 24  # 1 - cosine
    for _ in range(70):
        sine, less = (
            2 * sine - 2 * sine * less // UNIT,
            4 * less - 2 * less * less // UNIT,
        )
    return sine, UNIT - less


def rotation_of(yaw, pitch, roll):
    """Return the rows of Rz(yaw) Ry(pitch) Rx(roll), each number rounded once."""
    (sa, ca), (sb, cb), (sc, cc) = map(sin_cos, (yaw, pitch, roll))
    rx = [[UNIT, 0, 0], [0, cc, -sc], [0, sc, cc]]
    ry = [[cb, 0, sb], [0, UNIT, 0], [-sb, 0, cb]]
    rz = [[ca, -sa, 0], [sa, ca, 0], [0, 0, UNIT]]

    def times(a, b):
        return [
            [sum(a[i][k] * b[k][j] for k in range(3)) // UNIT for j in range(3)]
            for i in range(3)
        ]

    rows = times(rz, times(ry, rx))
    # Python rounds the quotient of two integers once. What is 0 misses it by little.
    return [
        [0.0 if abs(number) < UNIT >> 150 else number / UNIT for number in row]
        for row in rows
    ]


@pytest.mark.parametrize("step", [2.6, 3.7, 15])
def test_sines_and_cosines_are_exact(step):
    """To the last bit, for each angle by itself: another computation agrees."""
    for number in range(int(-360 / step), int(360 / step) + 1):
        degrees = round(number * step, 3)
        sine, cosine = sin_cos(degrees)
        rows = rotation_of(degrees, 0, 0)
        assert abs(sine * sine + cosine * cosine - UNIT * UNIT) < UNIT * UNIT >> 200
        for name in ("yaw", "pitch", "roll"):
            frame = make_frame({name: degrees}, "here")
            assert frame.translation == (0, 0, 0)
            assert [list(row) for row in frame.rotation] == rotation_of(
                **{"yaw": 0, "pitch": 0, "roll": 0} | {name: degrees}
            )
        (cosine, minus, _), (sine, *_), _ = rows
        assert abs(sine - np.sin(np.radians(degrees))) < 1e-14
        assert minus == -sine
    half = make_frame({"yaw": 30}, "here").rotation[1][0]
    assert half == make_frame({"yaw": -60}, "here").rotation[0][0] == 0.5


angle = st.one_of(
    st.integers(-360, 360),
    st.sampled_from([-90.0, 30, 45, 60, 89.99, 90, 135, 180, 270, 359.999]),
    st.floats(-360, 360).map(lambda value: round(value, 3)),
)


@settings(max_examples=100, deadline=None)
@given(yaw=angle, pitch=angle, roll=angle, height=st.sampled_from([1.73, 0, 3.3, -2.5]))
@example(yaw=45, pitch=90, roll=45, height=1.73)  # the sensor's x is down
@example(yaw=0.1, pitch=0.2, roll=0.3, height=4.05)
def test_points_are_moved_as_by_a_plain_loop(
    tmp_path_factory, yaw, pitch, roll, height
):
    """Bit by bit: products and sums in float64, one after another, then float32."""
    folder = tmp_path_factory.getbasetemp()
    frame = {"yaw": yaw, "pitch": pitch, "roll": roll, "height": height}
    layout = write_layout(folder / "frame.yaml", frame=frame)
    rng = np.random.default_rng(yaw != pitch)
    points = rng.uniform([-99, -99, -99, 0], [99, 99, 99, 1], size=(50, 4)).astype(
        "<f4"
    )
    points.tofile(folder / "frame.bin")
    rows = rotation_of(yaw, pitch, roll)
    shifts = 0.0, 0.0, float(Decimal(repr(height)) - Decimal("1.73"))
    expected = b""
    for record in struct.iter_unpack("<4f", points.tobytes()):
        x, y, z, intensity = record
        moved = []
        for (a, b, c), shift in zip(rows, shifts, strict=True):
            value = a * x
            value = value + b * y
            value = value + c * z
            value = value + shift
            moved.append(value)
        expected += struct.pack("<4f", *moved, intensity)
    assert read_scan(folder / "frame.bin", layout).tobytes() == expected


@pytest.mark.parametrize(
    ("frame", "fields"),
    [
        ({"yaw": 90}, ("y", "-x", "z")),
        ({"yaw": -270}, ("y", "-x", "z")),
        ({"yaw": 180}, ("-x", "-y", "z")),
        ({"yaw": -180}, ("-x", "-y", "z")),
        ({"yaw": -90}, ("-y", "x", "z")),
        ({"yaw": 270}, ("-y", "x", "z")),
        ({"yaw": 360}, ("x", "y", "z")),
        ({"pitch": 90}, ("-z", "y", "x")),
        ({"pitch": -90}, ("z", "y", "-x")),
        ({"roll": 180}, ("x", "-y", "-z")),
        ({"roll": 90}, ("x", "z", "-y")),
        ({"yaw": 90, "pitch": 180, "roll": 270}, ("-y", "z", "-x")),
        ({"yaw": 45, "pitch": 90, "roll": 45}, ("-z", "y", "x")),
        ({"matrix": [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]}, ("y", "-x", "z")),
    ],
)
def test_right_angles_are_swapped_axes(tmp_path, frame, fields):
    """Bit by bit, zeros and infinities too."""
    points = np.random.default_rng(4).uniform(-60, 60, size=(2000, 4))
    points[:, 3] = 0.5
    points[:4, :3] = [[0, 1, 2], [1, 0, -2], [np.inf, 1, 1], [1, -np.inf, 0]]
    points.astype("<f4").tofile(tmp_path / "a.bin")
    turned = write_layout(tmp_path / "turned.yaml", frame=frame)
    fields = [f"{name} float32" for name in (*fields, "intensity")]
    swapped = write_layout(tmp_path / "swapped.yaml", *fields)
    scans = [read_scan(tmp_path / "a.bin", layout) for layout in (turned, swapped)]
    # Zeros apart, whose sign is that of a sum.
    assert (scans[0] + 0).tobytes() == (scans[1] + 0).tobytes()
    images = []
    for layout in (turned, swapped):
        render(tmp_path / "a.bin", tmp_path / "a.png", load_encoding("mv3d"), layout)
        images.append(cv2.imread(str(tmp_path / "a.png")))
    assert images[0].any()
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize(
    "frame",
    [
        {}, {"height": 1.73}, {"yaw": 0, "pitch": 0.0, "roll": -0.0}, {"yaw": -360},
        {"matrix": [[1, 0, 0, 0], [0, 1.0, 0, 0], [0, -0.0, 1, 0]]},
        {"matrix": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -2.5]], "height": 4.23},
        {"height": "1.73"},
    ],
)  # fmt: skip
def test_identity_is_no_frame(tmp_path, make_scan, frame):
    """Byte for byte of the whole file, negative zeros and NaN included."""
    points = np.random.default_rng(4).uniform(-60, 60, size=(2000, 4))
    points[:, 3] = 0.5
    points[:3] = [[-0.0, 1, -0.0, 0], [np.nan, 0, 0, 0], [1, 1, 1e-40, 0]]
    scan = make_scan(tmp_path / "a.bin", points)
    contents = []
    for folder, keys in (("with", {"frame": frame}), ("without", {})):
        layout = load_layout(write_layout(tmp_path / folder / "own.yaml", **keys))
        assert read_scan(scan, layout).tobytes() == scan.read_bytes()
        contents.append(Renderer(load_encoding("mv3d"), layout).make_image(scan)[0])
    assert contents[0] == contents[1]
    kitti = Renderer(load_encoding("mv3d")).make_image(scan)[0]
    assert idat(kitti, "kitti") == idat(contents[0], "own")


def test_matrix_leads_to_a_frame_of_some_height(draw):
    """Rotation and translation; the road of what it leads to is at minus the height."""
    # 2 m to the left of the rear axle, 1 m ahead, 2 m above; turned to the left by 90.
    rows = [[0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 2]]
    # (5.5, 0.5) is at (0.5, 7.5), (0.5, 3.5) at (-2.5, 2.5), (0.5, 0.5) at (0.5, 2.5).
    moved = {(7, 0): 187, (10, 5): 170, (7, 5): 238}  # each 2 m higher than before
    assert draw(matrix=rows) == moved
    # Of a vehicle whose origin is on the road: 1.73 m lower. z = 1.27, 0.27, 4.27
    lower = {(7, 0): 158, (10, 5): 141, (7, 5): 209}
    assert draw(matrix=rows, height=0) == lower
    assert draw(matrix=rows, height=1.73) == moved


def test_matrix_of_four_digits_is_a_rotation(tmp_path, make_scan):
    """Files have no more; its numbers are used as they are."""
    rows = [[0.866, -0.5, 0, 0.25], [0.5, 0.866, 0, -1], [0, 0, 1, 0.5]]
    layout = write_layout(tmp_path / "own.yaml", frame={"matrix": rows})
    scan = make_scan(tmp_path / "a.bin", [[10, 20, -1, 0.5]])
    x, y = 0.866 * 10 + -0.5 * 20 + 0.25, 0.5 * 10 + 0.866 * 20 + -1
    assert read_scan(scan, layout).tolist() == [[*np.float32([x, y, -0.5]), 0.5]]


CALIB = """
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""
# 4 m by 2 m, 1.5 m high, 10.2 m ahead and 3 m to the left on z = -1.7, facing forward.
CAR = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.5707963267948966"


@pytest.mark.parametrize(
    "frame",
    [
        {"height": 4},
        {"yaw": 40},
        {"yaw": -130, "pitch": 20, "roll": -35, "height": 0.5},
        {"matrix": [[0, 0, 1, 5], [0, 1, 0, -6], [-1, 0, 0, 7]]},
    ],
)
def test_labels_move_with_the_points(tmp_path, frame):
    """A box around some points still holds them, and no others."""
    (tmp_path / "label.txt").write_text(CAR)
    (tmp_path / "calib.txt").write_text(CALIB)
    rng = np.random.default_rng(8)
    points = rng.uniform([6, 0, -3, 0], [15, 6, 1, 1], size=(5000, 4)).astype("<f4")
    points.tofile(tmp_path / "a.bin")
    x, y, z, _ = points.T
    expected = (abs(x - 10.2) <= 2) & (abs(y - 3) <= 1) & (abs(z + 0.95) <= 0.75)
    assert 100 < expected.sum() < 1000
    layout = load_layout(write_layout(tmp_path / "own.yaml", frame=frame))
    files = tmp_path / "label.txt", tmp_path / "calib.txt"
    (before,), (box,) = read_boxes(*files), read_boxes(*files, layout.frame)
    front_left, front_right, rear_right, rear_left = box.corners
    assert np.abs(box.corners - before.corners).max() > 1
    along, across = front_left - rear_left, rear_right - rear_left
    upward = -np.cross(along, across) / 8 * 1.5
    inside = np.ones(len(points), dtype=bool)
    moved = read_scan(tmp_path / "a.bin", layout)[:, :3].astype(np.float64)
    for side in (along, across, upward):
        share = (moved - rear_left) @ side / (side @ side)
        inside &= (share >= 0) & (share <= 1)
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_allclose(front_right - front_left, across, atol=1e-9)


ROWS = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
NO_ROTATION = (
    "frame: matrix: {}, its left three columns have the determinant {}, expected "
    "perpendicular unit vectors and 1; mirrored axes are said by the signs of a "
    "layout's fields"
)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"matrix": [[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0]]},
         NO_ROTATION.format("mirrored", -1)),
        ({"matrix": [[1000, 0, 0, 0], [0, 1000, 0, 0], [0, 0, 1000, 0]]},
         NO_ROTATION.format("no rotation", "1e+09")),
        ({"matrix": [[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]},
         NO_ROTATION.format("no rotation", 1)),
        ({"matrix": [[0, 0, 0, 1]] * 3}, NO_ROTATION.format("no rotation", 0)),
        ({"matrix": [*ROWS, [0, 0, 0, 1]]},
         "frame: matrix: four rows, expected three: leave out the last, 0 0 0 1"),
        ({"matrix": ROWS[:2]}, "frame: matrix: [[1, 0, 0, 0], "),
        ({"matrix": [[1, 0, 0], *ROWS[1:]]}, "frame: matrix: 0: [1, 0, 0] "),
        ({"matrix": [[1, 0, 0, "a"], *ROWS[1:]]}, "frame: matrix: 0: 3: 'a' is not of"),
        ({"matrix": [[1, 0, 0, 1e6], *ROWS[1:]]}, "frame: matrix: 0: 3: 1000000.0 is "),
        ({"matrix": "eye"}, "frame: matrix: 'eye' is not of type 'array'"),
        ({"matrix": ROWS, "yaw": 3, "roll": 0},
         "frame: matrix and yaw and roll are given, expected one way to say how the "
         "sensor is mounted"),
        ({"yaw": "left"}, "frame: yaw: 'left' is not of type 'number'"),
        ({"yaw": None}, "frame: yaw: None is not of type 'number'"),
        ({"pitch": float("nan")}, "frame: pitch: nan is not of type 'number'"),
        ({"roll": 361}, "frame: roll: 361 is greater than the maximum of 360"),
        ({"height": 1730}, "frame: height: 1730 is greater than the maximum of 1000"),
        ({"heigth": 2}, "frame: Additional properties are not allowed ('heigth' was "
         "unexpected) (did you mean height?); allowed: height, yaw, pitch, roll, "
         "matrix"),
    ],
)  # fmt: skip
def test_frame_that_is_none_is_an_error(tmp_path, frame, message):
    """In one line, which names the file and the key."""
    own = write_layout(tmp_path / "own.yaml", frame=frame)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{own}: {message}')}") as error:
        load_layout(own)
    assert "\n" not in str(error.value)


def test_numbers_may_be_text():
    """As from the command line."""
    text = make_frame({"yaw": "-4.5e1", "height": "4"}, "config: frame")
    assert text == make_frame({"yaw": -45, "height": 4.0}, "config: frame")
    rows = [["0", "-1", "0", "2"], ["1", "0", "0", "0"], ["0", "0", "1", "0.5"]]
    text = make_frame({"matrix": rows}, "config: frame")
    assert text.matrix == [[0, -1, 0, 2], [1, 0, 0, 0], [0, 0, 1, 0.5]]
    assert make_frame(None, "config: frame") == make_frame({}, "config: frame")


def test_turned_scan_is_a_turned_image(tmp_path):
    """By 90 degrees, in the notebook's square image, for points amid their cells."""
    rng = np.random.default_rng(1)
    points = rng.integers(-700, 700, size=(3000, 4)) / 10 + 0.05  # in cells' centres
    points[:, 2:] = -1, 0.5
    points.astype("<f4").tofile(tmp_path / "a.bin")
    planes = []
    for yaw in (0, 90):
        own = write_layout(tmp_path / "own.yaml", frame={"yaw": yaw})
        image = tmp_path / f"{yaw}.png"
        render(tmp_path / "a.bin", image, load_encoding("notebook"), own)
        planes.append(birdview.load(image).planes)
    # Row 0 is the greatest y, column 0 the greatest x.
    np.testing.assert_array_equal(np.rot90(planes[0], -1, axes=(1, 2)), planes[1])
