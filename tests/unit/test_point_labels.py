"""Labels of single points: against plain loops, every error, and a real file."""

import math
import re
import struct

import numpy as np
import pytest

from birdview.pixels.classes import Classes, load_classes
from birdview.pixels.point_labels import (
    FORMATS,
    check_format,
    decode_point_labels,
    read_point_labels,
)

WORDS = {
    **{"semantickitti": "I", "uint8": "B", "uint16": "H", "uint32": "I"},
    **{"uint64": "Q", "int8": "b", "int16": "h", "int32": "i", "int64": "q"},
}
"""By format, what the module struct calls its integer."""
LIMITS = {
    form: (-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1) if letter.islower()
    else (0, 2 ** (8 * size) - 1)
    for form, letter in WORDS.items() for size in [struct.calcsize(f"<{letter}")]
} | {"semantickitti": (0, 65535)}  # fmt: skip


def make_classes(form):
    """Return classes of the extreme labels of a format, and of some in between."""
    low, high = LIMITS[form]
    labels = sorted({low, low + 1, 0, 1, 2, 7, 40, 100, high - 1, high})
    numbers = [(label, place % 4) for place, label in enumerate(labels) if place % 3]
    ignored = tuple(labels[::3])
    return Classes("own", ("a", "b", "c", "d"), ((0, 0, 0),) * 4, (*numbers,), ignored)


def number_slowly(data, form, classes):
    """Return the class of each label, None if it is ignored, by a plain loop."""
    word = struct.Struct(f"<{WORDS[form]}")
    number_of, found = dict(classes.numbers), []
    for (label,) in word.iter_unpack(data):
        if form == "semantickitti":
            label = label % 65536
        if label in classes.ignored:
            found.append(None)
        else:
            found.append(number_of[label])
    return found


def decode(data, form, count, classes, path="labels/000000.label"):
    array = np.frombuffer(data, dtype=np.uint8)
    return decode_point_labels(array, path, form, count, classes)


def test_formats_are_tested():
    """Each of them."""
    assert tuple(sorted(WORDS)) == tuple(sorted(FORMATS))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("extreme", [True, False])
def test_classes_are_those_of_a_plain_loop(form, extreme):
    """With labels up to the limits of the type, and with small ones alone."""
    classes, rng = make_classes(form), np.random.default_rng(3)
    labels = [label for label in classes.labels if extreme or 0 <= label < 128]
    stored = [labels[place] for place in rng.integers(len(labels), size=1000)]
    if form == "semantickitti":
        stored = [int(rng.integers(65536)) << 16 | label for label in stored]
    data = struct.pack(f"<1000{WORDS[form]}", *stored)
    found = decode(data, form, 1000, classes)
    assert found.dtype == np.float32
    expected = number_slowly(data, form, classes)
    assert {None, 0, 1, 2} <= set(expected)
    assert [None if math.isnan(one) else one for one in found] == expected


@pytest.mark.parametrize("form", FORMATS)
def test_scan_without_points_has_no_labels(form):
    """An empty file."""
    assert decode(b"", form, 0, make_classes(form)).shape == (0,)


def test_real_labels_are_those_of_a_plain_loop(sensor_scans):
    """Of RELLIS-3D's Ouster, in SemanticKITTI's format."""
    path, classes = sensor_scans / "rellis_os1_000104.label", load_classes("rellis")
    count = path.with_suffix(".bin").stat().st_size // 16
    found = read_point_labels(path, "semantickitti", count, classes)
    assert found.shape == (131072,)
    expected = number_slowly(path.read_bytes(), "semantickitti", classes)
    assert [None if math.isnan(one) else int(one) for one in found] == expected
    counts = {name: expected.count(number) for number, name in enumerate(classes.names)}
    assert {name: count for name, count in counts.items() if count} == {
        **{"grass": 18040, "tree": 17872, "person": 1310, "fence": 595},
        **{"bush": 3360, "concrete": 20242, "puddle": 1269, "mud": 100},
    }


@pytest.mark.parametrize(
    ("size", "form", "message"),
    [
        (480, "semantickitti", "120 labels, expected 121 labels as the points of the "
         "scan: is it of another scan, or in another `format`?"),
        (481, "semantickitti", "481 bytes, no multiple of 4 (semantickitti), expected "
         "121 labels as the points of the scan: is it of another scan, or in another "
         "`format`?"),
        (121, "int16", "121 bytes, no multiple of 2 (int16), expected 121 labels as "
         "the points of the scan: is it of another scan, or in another `format` uint8 "
         "or int8?"),
        (484, "uint8", "484 labels, expected 121 labels as the points of the scan: is "
         "it of another scan, or in another `format` semantickitti or uint32 or "
         "int32?"),
        (0, "uint8", "0 labels, expected 121 labels as the points of the scan: is it "
         "of another scan, or in another `format`?"),
    ],
)  # fmt: skip
def test_as_many_labels_as_points(size, form, message):
    """Or the labels are those of another scan, or stored otherwise."""
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'labels/000000.label: {message}')}$"
    ):
        decode(bytes(size), form, 121, make_classes(form))


@pytest.mark.parametrize("form", FORMATS)
def test_label_without_a_class_is_named(form):
    """With the first of its points, and their number."""
    classes = Classes("own", ("a",), ((0, 0, 0),), ((1, 0), (2, 0)), (0,))
    other = LIMITS[form][1]
    data = struct.pack(f"<6{WORDS[form]}", 0, 1, other, other - 1, 2, other)
    message = (
        f"a.label: label {other} of 2 points, the first of which is number 2 from 0, "
        f"expected one of 0, 1, 2; or add it to a class or to `ignore` in own.yaml"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode(data, form, 6, classes, "a.label")


def test_label_beyond_a_byte_is_not_taken_for_a_smaller_one():
    """Nor a negative one for a large one."""
    classes = Classes("own", ("a",), ((0, 0, 0),), ((1, 0), (65535, 0)), (0,))
    for form, label in (("int64", 65537), ("int32", -1), ("int16", -1)):
        data = struct.pack(f"<1{WORDS[form]}", label)
        with pytest.raises(ValueError, match=f"label {label} of 1 point, the first"):
            decode(data, form, 1, classes)


def test_unknown_format_lists_all():
    """With the nearest."""
    message = (
        "point_labels: format: semantickiti (did you mean semantickitti?), expected "
        "one of semantickitti, uint8, uint16, uint32, uint64, int8, int16, int32, int64"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_format("semantickiti", "point_labels: format")
    with pytest.raises(ValueError, match=r"^a\.label: format: float32"):
        decode(b"", "float32", 0, make_classes("uint8"), "a.label")


def test_missing_file_is_named(tmp_path):
    """And what was expected in it."""
    path = tmp_path / "0.label"
    message = f"{path}: no such file, expected a label for each point of the scan"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        read_point_labels(path, "uint8", 1, make_classes("uint8"))
