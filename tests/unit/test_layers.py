"""The boxes that the gallery draws are those of data sets and of predictions."""

import json
import re

import numpy as np
import pytest

from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.training.index import describe_dataset
from birdview.training.labels.box import Box
from birdview.training.selection import Target, outline
from birdview.view.boxes import COLOURS
from birdview.view.layers import check_grids, colour_classes, find_layers

ENCODING, LAYOUT = load_encoding("mv3d"), load_layout("kitti")
CLASSES = {"Vehicle": ["Car", "Van"], "Cyclist": "Cyclist"}
CORNERS = np.array([[12, 4, -1.7], [12, 2, -1.7], [8, 2, -1.7], [8, 4, -1.7]])
BOX = Box("Van", CORNERS, 1.5, 3)


@pytest.fixture
def dataset(tmp_path):
    """Return the folder of a data set of two scans, one without objects."""
    target = Target("Vehicle", BOX, outline(BOX, ENCODING.grid), 9)
    splits = {"train": {"a": [target]}, "val": {"b": []}}
    index = describe_dataset(ENCODING, LAYOUT, CLASSES, ".png", splits)
    (tmp_path / "boxes.json").write_text(json.dumps(index))
    return tmp_path


def find(folder, predictions=None, encoding=ENCODING, layout=LAYOUT):
    """Return the layers, and what was told."""
    told = []
    found = find_layers(
        folder, encoding, layout, ["Car"], predictions, ["a"], told.append
    )
    return found, told


def test_without_a_data_set_there_is_no_layer(tmp_path):
    """And nothing to tell."""
    assert find(tmp_path) == ([], [])


def test_a_data_set_of_masks_has_no_layer(tmp_path):
    """Predictions on its images are of the classes of the settings."""
    index = describe_dataset(ENCODING, LAYOUT, {}, ".png", {"train": {"a": []}})
    (tmp_path / "boxes.json").write_text(json.dumps(index))
    assert find(tmp_path) == ([], [])
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions/a.txt").write_text("")
    (layer,), _ = find(tmp_path, tmp_path / "predictions")
    assert layer.classes == ["Car"]


def test_labels_are_those_of_the_data_set(dataset):
    """A scan that the data set lacks is another thing than one without objects."""
    (layer,), told = find(dataset)
    assert (layer.name, layer.classes, told) == ("labels", ["Vehicle", "Cyclist"], [])
    (box,) = layer.read("a")
    assert box == {
        "class": "Vehicle",
        "kind": "Van",
        "pixels": outline(BOX, ENCODING.grid).round(4).tolist(),
        "z": -1.7,
        "height": 1.5,
        "heading": 0,
        "points": 9,
    }
    assert layer.read("b") == []
    assert layer.read("c") is None


def test_a_data_set_of_other_images_is_not_shown(dataset):
    """Its boxes would be on other pixels."""
    message = (
        f"{dataset}: its boxes are not shown: the encoding or the layout has changed "
        f"since it was made; make it again with `snakemake dataset`"
    )
    assert find(dataset, encoding=load_encoding("notebook")) == ([], [message])
    assert find(dataset, layout=load_layout("nuscenes")) == ([], [message])


def test_predictions_have_the_classes_of_the_data_set(dataset, tmp_path_factory):
    """Or those of the settings; scans without a file are not known."""
    folder = tmp_path_factory.mktemp("predictions")
    (folder / "a.txt").write_text("0 0.1 0.2 0.3 0.2 0.3 0.4 0.1 0.4 0.75\n")
    (_, layer), _ = find(dataset, folder)
    assert (layer.name, layer.classes) == ("predictions", ["Vehicle", "Cyclist"])
    pixels = [[320, 160], [320, 480], [640, 480], [640, 160]]
    expected = [{"class": "Vehicle", "pixels": pixels, "score": 0.75}]
    assert layer.read("a") == expected
    assert layer.read("b") is None
    (layer,), _ = find(folder, folder)
    assert layer.classes == ["Car"]
    message = f"predictions: no folder at {folder}/x, expected .txt files"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find(dataset, folder / "x")


def test_predictions_are_of_one_grid():
    """Nothing in them says which."""
    check_grids([ENCODING, load_encoding("mv3d_slices")])
    message = (
        "predictions: encodings mv3d, notebook with different grids, expected the one "
        "whose images they are of: 'encodings=[mv3d]'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        check_grids([ENCODING, load_encoding("notebook")])


def test_every_class_has_its_colour():
    """That of the pictures with boxes, or one that differs from the others'."""
    names = ["Car", "Tram", "Vehicle", "Cyclist"]
    colours = colour_classes(names)
    assert [*colours] == names
    assert len(set(colours.values())) == 4
    assert colours["Car"] == COLOURS["Car"]
    assert json.loads(json.dumps(colours))["Tram"] == [141, 211, 199]
