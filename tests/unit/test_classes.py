"""Tables of classes: the shipped ones, every error, and digests."""

import re

import pytest
import yaml

from birdview import paths
from birdview.pixels.classes import NO_CLASS, Classes, load_classes

CAR = {"name": "car", "colour": [100, 150, 245], "labels": [10, 252]}
ROAD = {"name": "road", "colour": [255, 0, 255], "labels": [40]}
OWN = {"description": "Ours.", "ignore": [0, -1], "classes": [ROAD, CAR]}


@pytest.fixture
def write(tmp_path):
    """Write a table of classes, with other values of some keys; return its path."""

    def write(**changed):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(OWN | changed))
        return path

    return write


def test_own_table(write):
    """Classes have the order of the file; labels are sorted."""
    assert load_classes(write()) == Classes(
        name="own",
        names=("road", "car"),
        colours=((255, 0, 255), (100, 150, 245)),
        numbers=((10, 1), (40, 0), (252, 1)),
        ignored=(-1, 0),
    )
    assert load_classes(write()).labels == (-1, 0, 10, 40, 252)


def test_digest_is_of_what_decides_pixels(write):
    """Not of names, colours and the order of labels."""
    digest = load_classes(write()).digest
    assert len(digest) == 64
    same = [
        {"description": "Theirs.", "source": "A page."},
        {"ignore": [-1, 0]},
        {"classes": [ROAD | {"name": "street", "colour": [0, 0, 0]}, CAR]},
        {"classes": [ROAD, CAR | {"labels": [252, 10]}]},
    ]
    assert {load_classes(write(**changed)).digest for changed in same} == {digest}
    others = [
        {"ignore": [0]},
        {"classes": [CAR, ROAD]},
        {"classes": [ROAD, CAR | {"labels": [10]}]},
        {"classes": [ROAD, CAR | {"labels": [10, 253]}]},
    ]
    found = {load_classes(write(**changed)).digest for changed in others}
    assert len(found | {digest}) == 1 + len(others)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"classes": [ROAD, CAR, ROAD | {"labels": [44]}]},
            "classes: 2 classes road, expected one",
        ),
        (
            {"classes": [ROAD, CAR | {"labels": [10, 40]}]},
            "classes: car: label 40 is here and in classes: road, expected each label "
            "once",
        ),
        (
            {"classes": [ROAD, CAR | {"labels": [10, 10]}]},
            "classes: car: label 10 is here twice, expected each label once",
        ),
        (
            {"ignore": [0, 40]},
            "classes: road: label 40 is here and in ignore, expected each label once",
        ),
        ({"ignore": [0, 0]}, "ignore: label 0 is here twice, expected each label once"),
        (
            {"classes": [CAR | {"colour": [1, 2]}]},
            "classes: car: colour: [1, 2], expected three numbers from 0 to 255: red, "
            "green, blue",
        ),
        (
            {"classes": [CAR | {"colour": [1, 2, 256]}]},
            "classes: car: colour: [1, 2, 256], expected three numbers from 0 to 255: "
            "red, green, blue",
        ),
        (
            {"classes": [CAR | {"colour": [-1, 2, 3]}]},
            "classes: car: colour: [-1, 2, 3], expected three numbers from 0 to 255: "
            "red, green, blue",
        ),
        (
            {"classes": [CAR | {"name": str(n), "labels": [n]} for n in range(1, 257)]},
            "classes: 256 classes, expected 255 at most: in an image, 255 stands for "
            "no class",
        ),
        ({"classes": []}, "classes: [] should be non-empty"),
        (
            {"classes": [CAR | {"labels": ["10"]}]},
            "classes: 0: labels: 0: '10' is not of type 'integer'",
        ),
        (
            {"classes": [{"name": "car", "labels": [1]}]},
            "classes: 0: 'colour' is a required property",
        ),
        (
            {"ignored": [1]},
            "Additional properties are not allowed ('ignored' was unexpected) (did you "
            "mean ignore?); allowed: description, source, ignore, classes",
        ),
    ],
)
def test_errors_name_the_file_and_the_key(write, changed, message):
    """In one line."""
    path = write(**changed)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {message}')}$"):
        load_classes(path)


def test_255_classes_are_allowed(write):
    """A byte has 256 values, of which one is no class."""
    classes = [CAR | {"name": f"{n}", "labels": [n]} for n in range(1, 256)]
    assert max(dict(load_classes(write(classes=classes)).numbers).values()) < NO_CLASS


def test_unknown_table_lists_the_built_in_ones(tmp_path):
    """By name; a name that ends in .yaml is a path."""
    message = (
        r"unknown class table semantikitti \(did you mean semantickitti\?\); built-in "
        r"class tables: nuscenes_lidarseg, rellis, semantickitti; for any other, give "
    )
    with pytest.raises(FileNotFoundError, match=message):
        load_classes("semantikitti")
    path = tmp_path / "own.yaml"
    message = re.escape(f"{path}: no such file, expected a class table's yaml")
    with pytest.raises(FileNotFoundError, match=message):
        load_classes(path)


def test_semantickitti_is_the_learning_map():
    """Of its kit, minus 1, and its colours, which the kit has as blue, green, red."""
    learning_map = {
        0: 0, 1: 0, 10: 1, 11: 2, 13: 5, 15: 3, 16: 5, 18: 4, 20: 5, 30: 6, 31: 7,
        32: 8, 40: 9, 44: 10, 48: 11, 49: 12, 50: 13, 51: 14, 52: 0, 60: 9, 70: 15,
        71: 16, 72: 17, 80: 18, 81: 19, 99: 0, 252: 1, 253: 7, 254: 6, 255: 8, 256: 5,
        257: 5, 258: 4, 259: 5,
    }  # fmt: skip
    classes = load_classes("semantickitti")
    found = {label: number + 1 for label, number in classes.numbers}
    assert found | dict.fromkeys(classes.ignored, 0) == learning_map
    assert len(classes.names) == 19
    assert (classes.names[8], classes.colours[8]) == ("road", (255, 0, 255))
    assert (classes.names[0], classes.colours[0]) == ("car", (100, 150, 245))


@pytest.mark.parametrize(
    ("name", "labels", "count"),
    [
        ("nuscenes_lidarseg", range(32), 16),
        (
            "rellis",
            [0, 1, *range(3, 11), 12, 15, 17, 18, 19, 23, 27, 31, 33, 34],
            19,
        ),
    ],
)
def test_shipped_tables_have_all_labels(name, labels, count):
    """Those of the data set."""
    classes = load_classes(name)
    assert classes.labels == tuple(labels)
    assert len(classes.names) == len(set(classes.colours)) == count


@pytest.mark.parametrize(
    "file", sorted(paths.CLASSES.glob("*.yaml")), ids=lambda f: f.stem
)
def test_shipped_tables_are_the_same_by_name_and_by_path(file):
    """And each class has a label."""
    classes = load_classes(file)
    assert load_classes(file.stem) == classes
    assert set(dict(classes.numbers).values()) == set(range(len(classes.names)))
