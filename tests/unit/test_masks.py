"""Class maps that are masks: which encodings can be, and what describes them."""

import json
import re

import numpy as np
import pytest
import yaml

from birdview import paths
from birdview.counts import Counts
from birdview.image import ImageFile
from birdview.inflate import inflate
from birdview.pixels.classes import load_classes
from birdview.pixels.drawing import trace
from birdview.pixels.encoding import load_encoding
from birdview.training.masks import (
    Masks,
    choose_masks,
    describe_masks,
    format_classes,
)
from birdview.training.statistics import compute_statistics
from birdview.training.yolo import format_data

SEMANTIC, MV3D = load_encoding("semantic"), load_encoding("mv3d")
CLASSES = load_classes("semantickitti")
GRID = "1600 x 1600 cells of 0.1 x 0.1 m (rows -x, cols -y) of x -80 to 80 and y "
GRID += "-80 to 80"


@pytest.fixture
def change(tmp_path):
    """Return the encoding `semantic` with other settings."""

    def change(**settings):
        path = tmp_path / "own.yaml"
        before = yaml.safe_load((paths.ENCODINGS / "semantic.yaml").read_text())
        path.write_text(yaml.safe_dump(before | settings))
        return load_encoding(path)

    return change


def choose(encoding, *others, classes=CLASSES, name=None):
    encodings = {one.name: one for one in (*others, encoding)}
    return choose_masks(name or encoding.name, encodings, classes)


def test_masks_are_those_of_an_encoding_of_classes():
    """By its name; without one, there are none."""
    encodings = {"mv3d": MV3D, "semantic": SEMANTIC}
    assert choose_masks(None, encodings, CLASSES) is None
    assert choose_masks("semantic", encodings, CLASSES) == Masks(SEMANTIC, CLASSES)


@pytest.mark.parametrize(
    "channel",
    [
        {"statistic": "at_max"},
        {"statistic": "priority", "values": [5, 0]},
        {"statistic": "majority"},
    ],
)
def test_each_class_of_a_point_is_a_mask(change, channel):
    """Whichever of the points of a cell it is of."""
    channel = {"name": "c", "of": "class", "range": [0, 255]} | channel
    own = change(channels=[channel])
    assert choose(own, MV3D).encoding == own


def test_the_same_pixels_may_be_written_otherwise(change):
    """Cells as a fraction, from another origin, and in other arithmetic."""
    own = change(
        grid={"cell": "1/10", "rows": "-x", "cols": "-y", "origin": 0},
        arithmetic="float64",
    )
    assert own.grid != MV3D.grid
    assert choose(own, MV3D)


def test_a_wrong_name_has_a_suggestion():
    message = (
        "dataset: masks: semantics: no encoding of this run (did you mean semantic?), "
        "expected one of mv3d, semantic"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        choose(SEMANTIC, MV3D, name="semantics")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"channels": 2 * [{"statistic": "occupancy"}]},
            "2 planes, expected one with the numbers of classes, as semantic has it",
        ),
        *(
            (
                {"channels": [channel]},
                "c0 shows no numbers of classes, expected a statistic of them as they "
                "are: {statistic: majority, of: class, range: [0, 255]}; or at_max or "
                "priority",
            )
            for channel in (
                {"statistic": "occupancy"},
                {"statistic": "max", "of": "class", "range": [0, 255]},
                {"statistic": "majority", "of": "class", "range": [0, 19]},
                {"statistic": "majority", "of": "age", "range": [0, 255]},
            )
        ),
        (
            {"background": 0},
            "background: 0, expected 255, which trainers ignore: 0 is a class",
        ),
        (
            {"grid": {"cell": {"x": 0.1, "y": 0.2}, "rows": "-x", "cols": "y"}},
            "1600 x 800 cells of 0.1 x 0.2 m (rows -x, cols y) of x -80 to 80 and y "
            f"-80 to 80, but mv3d has {GRID}, expected the same of all encodings",
        ),
        (
            {"grid": {"cell": 0.1, "rows": "x", "cols": "-y"}},
            f"{GRID.replace('-x', 'x', 1)}, but mv3d has {GRID}, expected the same of "
            f"all encodings",
        ),
    ],
)
def test_encodings_that_are_no_masks_are_errors(change, settings, message):
    """One line each, which says what differs."""
    channels = [
        {"name": f"c{number}"} | channel
        for number, channel in enumerate(settings.get("channels", []))
    ]
    own = change(**settings | ({"channels": channels} if channels else {}))
    message = re.escape(f"dataset: masks: own: {message}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        choose(own, MV3D)


def test_masks_need_images_and_names():
    """Other encodings, and a table of the classes."""
    message = (
        "dataset: masks: semantic: the only encoding of this run, expected others, "
        "whose images the masks are for: 'encodings=[mv3d,semantic]'"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        choose(SEMANTIC)
    message = (
        "dataset: masks: semantic: class is a field of the layout, whose numbers have "
        "no names, expected labels of points: point_labels with a map"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        choose(SEMANTIC, MV3D, classes=None)


def test_names_and_colours_are_metainfo():
    """As MMSegmentation has it: a list of names, and one of colours as long."""
    found = json.loads(format_classes(CLASSES))
    assert found["classes"] == [*CLASSES.names]
    assert found["palette"] == [[*colour] for colour in CLASSES.colours]
    assert (found["ignore_index"], found["reduce_zero_label"]) == (255, False)


def test_data_of_yolo_names_the_folder_of_masks():
    """Only there; the file for oriented boxes has no such key."""
    data = yaml.safe_load(format_data(["train"], CLASSES.names, 3, "masks"))
    assert data == {
        "train": "images/train",
        "masks_dir": "masks",
        "channels": 3,
        "names": dict(enumerate(CLASSES.names)),
    }
    assert "masks_dir" not in format_data(["train"], ["Car"], 3)


def test_masks_are_described():
    assert describe_masks(Masks(SEMANTIC, CLASSES)) == (
        "semantic, with 19 classes of semantickitti"
    )
    one = CLASSES._replace(names=("car",))
    assert describe_masks(Masks(SEMANTIC, one)).startswith("semantic, with 1 class of")


def write_image(path, encoding, pixels):
    """Write an image of an encoding, as if it had been rendered."""
    text = dict.fromkeys((*Counts._fields, "scan_sha256"), "0")
    text["encoding_sha256"] = encoding.digest
    path.write_bytes(
        trace(pixels, encoding.background).encode(
            {f"birdview:{key}": value for key, value in text.items()}
        )
    )
    return ImageFile(str(path), encoding, path.stem, "a.bin")


def test_pixels_of_each_class_are_counted(tmp_path):
    """In each split; not those without a class, and not in planes of something else."""
    rng = np.random.default_rng(0)
    images, planes = [], {}
    for scan in "abc":
        planes[scan] = np.full((1600, 1600, 1), 255, np.uint8)
        planes[scan][:10] = rng.integers(0, 19, size=(10, 1600, 1))
        images.append(write_image(tmp_path / f"{scan}.png", SEMANTIC, planes[scan]))
    splits = {"train": ["a", "c"], "val": []}
    found = compute_statistics(images, splits, 2, inflate, CLASSES)
    for counts, scans in (
        (found["all"]["classes"], "abc"),
        (found["splits"]["train"]["classes"], "ac"),
        (found["splits"]["val"]["classes"], ""),
    ):
        expected = np.zeros(19, int)
        for scan in scans:
            expected += np.bincount(planes[scan].ravel(), minlength=256)[:19]
        assert [*counts["class"]] == [*CLASSES.names]
        assert [*counts["class"].values()] == expected.tolist()
    assert "classes" not in compute_statistics(images, splits, 1, inflate)["all"]
    image = write_image(tmp_path / "d.png", MV3D, np.zeros(MV3D.shape, np.uint8))
    found = compute_statistics([image], {}, 1, inflate, CLASSES)
    assert "classes" not in found["all"]


def test_class_0_is_not_counted_if_it_is_the_background(change, tmp_path):
    """Pixels without a point would be cars."""
    own = change(background=0)
    image = write_image(tmp_path / "a.png", own, np.zeros(own.shape, np.uint8))
    found = compute_statistics([image], {}, 1, inflate, CLASSES)
    assert "classes" not in found["all"]
