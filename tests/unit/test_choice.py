"""Choices: points that a layout leaves out, each counted once, for the first reason."""

import struct
from math import inf, isfinite, nan, sqrt

import numpy as np
import pytest
import yaml
from helpers import OWN, write_layout
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.counts import Counts
from birdview.pixels import choice
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.png import idat
from birdview.pixels.render import Renderer
from birdview.pixels.scan import read_scan

# How the same numbers may be stored: the fields, the format of a record for `struct`,
# the sign of each number, and the names that `keep` and `drop` may use.
XYZI = "x float32", "y float32", "z float32", "intensity float32"
MARKED = (*XYZI, "ring uint8", "time float32")
RECORDS = {
    "four floats": (XYZI, "<4f"),
    "more fields": (MARKED, "<4fBf"),
    "turned": (("-x float32", "y float32", "-z float32", *MARKED[3:]), "<4fBf"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("choices")
    (folder / "own.yaml").write_text(OWN)
    return folder


@pytest.fixture(scope="module")
def encoding(folder):
    """Return an encoding of x in [0, 40), y in [-10, 10) and z in [-2, 1]."""
    return load_encoding(folder / "own.yaml")


def as_float32(number):
    """Return the nearest float32, as Python's number."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def store(points, record="<4fBf", signs=(1, 1, 1)):
    """Return the bytes of a file of records."""
    content = b""
    for point in points:
        position = (s * v for s, v in zip(signs, point[:3], strict=True))
        numbers = *position, *point[3:]
        content += struct.pack(record, *numbers[: len(record.strip("<4")) + 3])
    return content


def holds(rule, value):
    """Whether a list, or an interval, of `keep` and `drop` holds a value."""
    if isinstance(rule, list):
        return any(value == as_float32(number) for number in rule)
    low, high = (as_float32(rule.get(key, end)) for key, end in LIMITS)
    return low <= value <= high


LIMITS = ("min", -inf), ("max", inf)


def classify(points, keys, content):
    """Return why each point does not count, or ``drawn``, by a plain loop.

    The first reason that applies, in the order of `Counts`.
    """
    size = len(content) // max(1, len(points))
    seen, reasons = set(), []
    for number, (x, y, z, intensity, ring, time) in enumerate(points):
        values = {"x": x, "y": y, "z": z, "intensity": intensity}
        values |= {"ring": ring, "time": time}
        record = content[number * size : (number + 1) * size]
        box = keys.get("without", {})
        keep, drop = keys.get("keep", {}), keys.get("drop", {})
        if not all(map(isfinite, (x, y, z, intensity))):
            reason = "nonfinite"
        elif sqrt(x * x + y * y + z * z) <= keys.get("min_range", 0):
            reason = "no_return"
        elif not all(holds(rule, values[name]) for name, rule in keep.items()) or any(
            holds(rule, values[name]) for name, rule in drop.items()
        ):
            reason = "dropped"
        elif box and all(holds(box.get(axis, {}), values[axis]) for axis in "xyz"):
            reason = "vehicle"
        elif keys.get("duplicates") == "drop" and record in seen:
            reason = "duplicate"
        elif 0 <= x < 40 and -10 <= y < 10:
            reason = "drawn" if -2 <= z <= 1 else "outside_height"
        else:
            reason = "outside"
        seen.add(record)
        reasons.append(reason)
    return reasons


def count(reasons):
    """Return the counts of a list of reasons, but for the number of cells."""
    tally = {name: reasons.count(name) for name in Counts._fields[1:-1]}
    tally["outside"] += tally["outside_height"]
    return {"read": len(reasons)} | tally


numbers = st.sampled_from([0, 0.1, 0.3, 0.5, 1, 2.5, 39, 7])
x = st.sampled_from([0, -0.0, 0.1, -0.1, 0.3, 2.5, 5, 39.75, 40, -3, nan, inf])
y = st.sampled_from([0, -0.0, 0.1, 0.4, -0.3, 2.5, 9.5, 10, -10, nan, -inf])
z = st.sampled_from([0, -0.0, 0.1, -0.5, -2, -2.5, 0.9, 1, nan])
intensity = st.sampled_from([0, 0.1, 0.5, 1, nan, inf])
point = st.tuples(
    *(x, y, z, intensity, st.integers(0, 3), st.sampled_from([0, 0.1, 0.5, nan, inf]))
).map(lambda p: (*map(as_float32, p[:4]), p[4], as_float32(p[5])))
interval = st.fixed_dictionaries({}, optional={"min": numbers, "max": numbers}).filter(
    lambda rule: rule and rule.get("min", -inf) <= rule.get("max", inf)
)
rule = st.one_of(st.lists(numbers, min_size=1, max_size=3), interval)


@st.composite
def choices(draw, fields):
    """Draw the keys of a layout that choose points."""
    names = [field.split()[0].lstrip("-") for field in fields]
    keys = {}
    if draw(st.booleans()):
        keys["min_range"] = draw(st.sampled_from([0, 0.1, 0.5, 2.5, 5]))
    for key in ("keep", "drop"):
        if draw(st.booleans()):
            rules = st.dictionaries(st.sampled_from(names), rule, max_size=2)
            keys[key] = draw(rules)
    if draw(st.booleans()):
        axes = st.dictionaries(st.sampled_from("xyz"), interval, min_size=1)
        keys["without"] = draw(axes)
    if draw(st.booleans()):
        keys["duplicates"] = "drop"
    return keys


@settings(max_examples=200, deadline=None)
@given(data=st.data(), kind=st.sampled_from(list(RECORDS)))
def test_each_point_counts_once(folder, encoding, data, kind):
    """Under the first reason that applies, as in a plain loop; the rest is drawn.

    The image is that of the points that are left.
    """
    fields, record = RECORDS[kind]
    signs = [-1 if field[0] == "-" else 1 for field in fields[:3]]
    keys = data.draw(choices(fields))
    some = data.draw(st.lists(point, min_size=1, max_size=6))
    points = data.draw(st.lists(st.sampled_from(some), max_size=40))
    content = store(points, record, signs)
    (folder / "a.bin").write_bytes(content)
    layout = load_layout(write_layout(folder / "choice.yaml", *fields, **keys))
    reasons = classify(points, keys, content)
    left = [
        p
        for p, reason in zip(points, reasons, strict=True)
        if reason in ("drawn", "outside", "outside_height")
    ]
    renderer = Renderer(encoding, layout)
    if not left and {"dropped", "vehicle"} & set(reasons):
        with pytest.raises(ValueError, match=f"none of {len(points)} points left: "):
            renderer.make_image(folder / "a.bin")
        return
    image, counts = renderer.make_image(folder / "a.bin")
    assert counts._asdict() | {"cells": 0} == count(reasons) | {"cells": 0}
    cells = {(p[0] // 0.5, p[1] // 0.25) for p, r in zip(points, reasons, strict=True)
             if r == "drawn"}  # fmt: skip
    assert counts.cells == len(cells)
    (folder / "left.bin").write_bytes(store(left, "<4f"))
    expected, _ = Renderer(encoding).make_image(folder / "left.bin")
    assert idat(image, "image") == idat(expected, "expected")


def make_points(count=2000):
    """Return points around the origin, with a ring from 0 to 3 and a time."""
    rng = np.random.default_rng(6)
    position = rng.uniform([-5, -12, -3], [45, 12, 2], size=(count, 3)).astype("<f4")
    rings, times = rng.integers(4, size=count), rng.integers(10, size=count) / 10
    return [
        (*map(float, p), 0.5, int(ring), as_float32(time))
        for p, ring, time in zip(position, rings, times, strict=True)
    ]


@pytest.mark.parametrize(
    ("keys", "stays"),
    [
        ({"drop": {"ring": [1, 3]}}, lambda p: p[4] in (0, 2)),
        ({"keep": {"ring": {"min": 1, "max": 2}}}, lambda p: p[4] in (1, 2)),
        ({"keep": {"ring": {"min": 2}}, "drop": {"x": {"max": 20}}},
         lambda p: p[4] >= 2 and p[0] > 20),
        ({"keep": {"ring": [0, 1], "y": {"max": 0}}}, lambda p: p[4] < 2 and p[1] <= 0),
        ({"drop": {"ring": [0], "y": {"max": 0}}}, lambda p: p[4] > 0 and p[1] > 0),
        ({"drop": {"time": [0.1, 0.7]}}, lambda p: round(p[5], 3) not in (0.1, 0.7)),
        ({"keep": {"time": [0.1]}}, lambda p: round(p[5], 3) == 0.1),
        ({"keep": {"time": {"min": 0.1, "max": 0.3}}},
         lambda p: round(p[5], 3) in (0.1, 0.2, 0.3)),
        ({"keep": {"intensity": [0.5]}, "drop": {"ring": [3]}}, lambda p: p[4] < 3),
        ({"min_range": 9.5},
         lambda p: sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]) > 9.5),
        ({"without": {"x": {"min": -1, "max": 20}, "z": {"min": -1}}},
         lambda p: not (-1 <= p[0] <= 20 and p[2] >= -1)),
        ({"without": {"y": {"min": 0}}}, lambda p: p[1] < 0),
    ],
)  # fmt: skip
def test_choice_is_filtering_beforehand(tmp_path, encoding, keys, stays):
    """The image data are those of a file without these records, byte for byte."""
    points = make_points()
    kept = [point for point in points if stays(point)]
    assert 100 < len(kept) < 1900
    images = []
    for name, some, choice_ in (("all", points, keys), ("kept", kept, {})):
        scan = tmp_path / f"{name}.bin"
        scan.write_bytes(store(some))
        layout = write_layout(tmp_path / f"{name}.yaml", *MARKED, **choice_)
        image, counts = Renderer(encoding, layout).make_image(scan)
        images.append(idat(image, name))
        left_out = counts.no_return + counts.dropped + counts.vehicle
        assert counts.read - left_out == len(kept)
        assert counts.drawn > 50
    assert images[0] == images[1]


def test_values_are_those_of_the_layout(tmp_path):
    """After sign, factor and offset, as for coordinates."""
    fields = *XYZI[:3], "-ring uint8/2+1", "time int16*0.1"
    records = np.zeros(5, dtype="<f4,<f4,<f4,u1,<i2")
    records["f0"], records["f3"] = range(1, 6), range(5)  # rings -1, -1.5, -2, -2.5, -3
    records["f4"] = [0, 1, 2, 3, 4]
    records.tofile(tmp_path / "a.bin")

    def left(**keys):
        layout = write_layout(tmp_path / "own.yaml", *fields, **keys)
        return read_scan(tmp_path / "a.bin", layout)[:, 0].tolist()

    assert left(drop={"ring": [-1.5, -3]}) == [1, 3, 4]
    assert left(keep={"ring": {"max": -2}}) == [3, 4, 5]
    assert left(keep={"ring": {"min": -2}}) == [1, 2, 3]
    assert left(keep={"time": {"min": 0.1, "max": 0.35}}) == [2, 3, 4]
    assert left(keep={"time": [0.2, 0.4]}) == [3, 5]
    assert left(without={"x": {"min": 2, "max": 4}}) == [1, 5]
    # Before the frame, which turns these to y and lifts them.
    keys = {"frame": {"yaw": 90, "height": 9}, "without": {"x": {"min": 2}}}
    layout = write_layout(tmp_path / "own.yaml", *fields, **keys)
    assert read_scan(tmp_path / "a.bin", layout).tolist() == [
        [0, 1, np.float32(7.27), 0]
    ]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_numbers_are_rounded_as_those_of_the_field(tmp_path, kind, sign):
    """0.1 in a list is the stored 0.1, which is another number in each type."""
    stored = np.array([0.1, 0.2, 0.7, 0.3], dtype=kind)
    records = np.ones(4, dtype=f"{kind},<f4,<f4,{kind}")
    records["f0"] = -stored if sign else stored
    records["f3"] = records["f0"]
    records.tofile(tmp_path / "a.bin")
    fields = f"{sign}x {kind}", *XYZI[1:3], f"{sign}time {kind}"

    def left(**keys):
        layout = write_layout(tmp_path / "own.yaml", *fields, **keys)
        return read_scan(tmp_path / "a.bin", layout)[:, 0].round(3).tolist()

    some = [np.float32(v).round(3) for v in (0.1, 0.2, 0.7, 0.3)]
    for name in ("time", "x"):
        assert left(keep={name: [0.1, 0.7]}) == [some[0], some[2]]
        assert left(drop={name: [0.1, 0.7]}) == [some[1], some[3]]
        assert left(keep={name: {"min": 0.1, "max": 0.2}}) == some[:2]
        assert left(keep={name: {"min": 0.2}}) == some[1:]
        assert left(drop={name: {"max": 0.2}}) == some[2:]
    assert left(without={"x": {"min": 0.1, "max": 0.2}}) == some[2:]
    assert left(without={"x": {"min": 0.2, "max": 0.7}}) == some[:1]
    assert left(keep={"time": {"max": 1e300}, "x": {"min": -1e300}}) == some


@pytest.mark.parametrize("axis", "xyz")
def test_faces_of_the_box_belong_to_it(tmp_path, axis):
    """However the axes are stored: four plain floats, or one of them turned."""
    column = "xyz".index(axis)
    face = np.float32(0.1)
    places = [
        np.nextafter(face, np.float32(0)),
        face,
        np.nextafter(face, np.float32(1)),
    ]
    points = np.full((6, 4), 0.05, dtype="<f4")
    points[:, 3] = range(6)
    points[:3, column] = places
    points[3:, column] = [-place for place in places]
    box = {axis: {"min": -0.1, "max": 0.1}}
    points.tofile(tmp_path / "a.bin")
    plain = write_layout(tmp_path / "plain.yaml", *XYZI, without=box)
    assert read_scan(tmp_path / "a.bin", plain)[:, 3].tolist() == [2, 5]
    points[:, column] *= -1
    points.tofile(tmp_path / "a.bin")
    fields = [f"{'-' * (field[0] == axis)}{field}" for field in XYZI]
    turned = write_layout(tmp_path / "turned.yaml", *fields, without=box)
    assert read_scan(tmp_path / "a.bin", turned)[:, 3].tolist() == [2, 5]


def test_nan_in_a_field_fits_nothing(tmp_path):
    """A point is dropped by `keep`, and stays by `drop`, if its time is NaN."""
    points = [(1.0, 1.0, 1.0, 1.0, ring, time) for ring, time in ((0, nan), (1, 0.5))]
    (tmp_path / "a.bin").write_bytes(store(points))

    def left(**keys):
        layout = write_layout(tmp_path / "own.yaml", *MARKED, **keys)
        return len(read_scan(tmp_path / "a.bin", layout))

    for wanted in ([0.5], {"min": -1e9}, {"max": 1e9}):
        assert left(keep={"time": wanted}) == 1
        assert left(drop={"time": wanted}) == 1


def test_min_range_includes_its_boundary(tmp_path, encoding):
    """In float64: in float32, the fifth point would be 5 m from the origin."""
    near = np.nextafter(np.float32(5), np.float32(0))
    far = np.nextafter(np.float32(5), np.float32(9))
    points = [[3, 4, 0, 1], [0, -5, 0, 2], [near, 0, 0, 3], [far, 0, 0, 4]]
    points += [[3, 4, 1e-4, 5], [3, 4, 1e-9, 6]]
    points = np.array(points, dtype="<f4")
    assert (points[4, :3] ** 2).sum() == 25
    points.tofile(tmp_path / "a.bin")
    layout = write_layout(tmp_path / "own.yaml", min_range=5)
    assert read_scan(tmp_path / "a.bin", layout)[:, 3].tolist() == [4, 5]
    _, counts = Renderer(encoding, layout).make_image(tmp_path / "a.bin")
    assert (counts.read, counts.no_return) == (6, 4)


def test_origin_is_no_return_in_any_layout(tmp_path, encoding):
    """Also at minus 0; not beside it, and not where the intensity is NaN."""
    points = [
        [0, 0, 0, 0],
        [-0.0, 0, -0.0, 1],
        [0, 0, 1e-40, 0],
        [0, 0, 0, nan],
        [1] * 4,
    ]
    np.array(points, dtype="<f4").tofile(tmp_path / "a.bin")
    for fields in (XYZI, ("-x float32", *XYZI[1:])):
        layout = write_layout(tmp_path / "own.yaml", *fields)
        _, counts = Renderer(encoding, layout).make_image(tmp_path / "a.bin")
        assert (counts.read, counts.no_return, counts.nonfinite) == (5, 2, 1)
    np.array([[-7000, 0, 7000, 9], [0] * 4], dtype="<i2").tofile(tmp_path / "a.bin")
    fields = "x int16/1000+7", "y int16", "z int16/1000-7", "i int16/9"
    layout = write_layout(tmp_path / "own.yaml", *fields)
    assert read_scan(tmp_path / "a.bin", layout).tolist() == [[7, 0, -7, 0]]


DUPLICATED = {
    "records": (MARKED, "<f4,<f4,<f4,<f4,u1,<f4", {}),
    "big endian": (MARKED, ">f4,>f4,>f4,>f4,u1,>f4", {"endian": "big"}),
    "field after field": (MARKED, "<f4,<f4,<f4,<f4,u1,<f4", {"order": "fields"}),
    "padding": ((*MARKED[:4], "_ uint8", "_ float32"), "<f4,<f4,<f4,<f4,u1,<f4", {}),
    "eight bytes": (
        ("x float64", *XYZI[1:], "_ uint64"), "<f8,<f4,<f4,<f4,<u8", {"skip": 3}
    ),
}  # fmt: skip


@pytest.mark.parametrize("collide", [False, True])
@pytest.mark.parametrize("kind", DUPLICATED)
def test_duplicates_anywhere_in_the_file(tmp_path, monkeypatch, kind, collide):
    """The first of records with the same bytes stays, also if all keys collide."""
    fields, record, keys = DUPLICATED[kind]
    rng = np.random.default_rng(9)
    some = np.zeros(300, dtype=record)
    some["f0"], some["f1"] = rng.integers(1, 4, size=(2, 300))
    some["f2"], some["f3"] = 1, np.arange(300) % 7 / 7
    some["f4"] = rng.integers(2, size=300)
    records = some[rng.integers(300, size=1000)]
    records["f1"][:3] = [0.0, -0.0, 0.0]  # equal numbers, but not the same bytes
    records[:3][["f0", "f2", "f3", "f4"]] = records[0][["f0", "f2", "f3", "f4"]]
    content = records.tobytes()
    if keys.get("order"):
        content = b"".join(records[name].tobytes() for name in records.dtype.names)
    (tmp_path / "a.bin").write_bytes(b"\0" * keys.get("skip", 0) + content)
    if collide:
        monkeypatch.setattr(choice, "_hash", lambda bits: np.zeros_like(bits[0]))
    seen, expected = set(), []
    for one in records:
        expected.append(one.tobytes() not in seen)
        seen.add(one.tobytes())
    assert expected[:2] == [True, True]
    layouts = [
        load_layout(
            write_layout(tmp_path / "own.yaml", *fields, **keys, duplicates=word)
        )
        for word in ("keep", "drop")
    ]
    points, left = (read_scan(tmp_path / "a.bin", layout) for layout in layouts)
    assert 50 < len(left) < 500
    assert left.tobytes() == points[expected].tobytes()


def test_different_records_with_the_same_hash_both_stay(tmp_path):
    """The hash of a record is 64 bits of it; the bytes decide."""
    unit = 0x9E3779B97F4A7C15

    def add(key, bits):
        key = (key ^ bits) * unit % 2**64
        return key ^ key >> 29

    key = 0
    for number in (1.0, 2.0, 3.0):
        key = add(key, *struct.unpack("<I", struct.pack("<f", number)))
    one = add(key, 4), 5
    pairs = [(4, 5), (6, add(key, 6) ^ one[0] ^ 5), (4, 5), (6, 5)]
    assert add(add(key, 4), 5) == add(add(key, 6), pairs[1][1])
    records = b"".join(struct.pack("<3f2Q", 1, 2, 3, *pair) for pair in pairs)
    (tmp_path / "a.bin").write_bytes(records)
    fields = *XYZI[:3], "a uint64", "b uint64"
    own = write_layout(tmp_path / "own.yaml", *fields, duplicates="drop")
    assert len(read_scan(tmp_path / "a.bin", own)) == 3


def test_duplicates_image_is_that_of_the_file_without_them(tmp_path, encoding):
    """Byte for byte, in the order of the file."""
    points = make_points(500)
    doubled = [point for pair in zip(points, points, strict=True) for point in pair]
    images = []
    for some, keys in ((doubled, {"duplicates": "drop"}), (points, {})):
        (tmp_path / "a.bin").write_bytes(store(some))
        layout = write_layout(tmp_path / "own.yaml", *MARKED, **keys)
        image, counts = Renderer(encoding, layout).make_image(tmp_path / "a.bin")
        assert counts.read - counts.duplicate == 500
        images.append(idat(image, "own"))
    assert images[0] == images[1]


def test_empty_scan_with_every_choice(tmp_path, encoding):
    """Nothing is left out of nothing, and that is no error."""
    (tmp_path / "a.bin").touch()
    keys = yaml.safe_load(
        "{min_range: 1, keep: {ring: [1]}, drop: {time: {min: 2}}, "
        "without: {x: {min: 0}}, duplicates: drop, clip: true, frame: {yaw: 5}}"
    )
    layout = write_layout(tmp_path / "own.yaml", *MARKED, **keys)
    _, counts = Renderer(encoding, layout).make_image(tmp_path / "a.bin")
    assert set(counts) == {0}
