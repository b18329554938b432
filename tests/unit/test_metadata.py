"""Describe the pixels of an encoding's images in grid.json."""

import json

import numpy as np
import pytest
import yaml

from birdview.benchmark.reference import LOOPS
from birdview.metadata import describe_grid, explain_pixels, write_grid
from birdview.paths import ENCODINGS
from birdview.pixels.classes import load_classes
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout


def test_describes_notebook():
    """The whole description, apart from the digest and the version."""
    grid = describe_grid(load_encoding("notebook"))
    assert grid.pop("digest") == load_encoding("notebook").digest
    assert grid.pop("software").startswith("birdview ")
    of_none = {"of": None, "values": None, "z": None, "is_class_map": False}
    channel = of_none | {"zero": None, "full": None, "scale": "scan"}
    assert grid == {
        "encoding": "notebook",
        "planes": 3,
        "rows": 1600,
        "cols": 1600,
        "frame": "x forward, y left, z up, in metres",
        "area": {
            "x": {"min": -80, "max": 80, "closed": "upper"},
            "y": {"min": -80, "max": 80, "closed": "upper"},
            "z": {"min": None, "max": 0, "closed": "neither"},
        },
        "cell": {"x": 0.1, "y": 0.1},
        "to_pixel": [[0, -10, 800], [-10, 0, 800]],
        "to_metres": [[0, -0.1, 80], [-0.1, 0, 80]],
        "height": "-(z - 0)",
        "background": 0,
        "classes": None,
        "none": None,
        "channels": [
            channel
            | {"name": "density", "statistic": "record_highs", "unit": "points"},
            of_none
            | {
                "name": "intensity",
                "statistic": "intensity_at_max",
                "unit": "1",
                "scale": "linear",
                "zero": 0,
                "full": 1,
            },
            channel | {"name": "height", "statistic": "max_height", "unit": "m"},
        ],
    }


def test_describes_slices():
    """Each with its z and the meaning of its values."""
    channels = describe_grid(load_encoding("mv3d_slices"))["channels"]
    assert channels[1]["z"] == pytest.approx([-1.93, -1.13])
    assert (channels[1]["zero"], channels[1]["full"]) == pytest.approx((-1.93, -1.13))
    assert channels[6] == {
        "name": "density",
        "statistic": "count",
        "of": None,
        "values": None,
        "z": None,
        "unit": "points",
        "scale": "log",
        "zero": 0,
        "full": 63,
        "is_class_map": False,
    }


def test_describes_fields(tmp_path):
    """With their units, and in words."""
    settings = yaml.safe_load((ENCODINGS / "mv3d.yaml").read_text())
    mean = {"statistic": "mean", "range": [-20, 20]}
    settings["background"] = 255
    settings["channels"] = [
        mean | {"name": "speed", "of": "velocity", "unit": "m/s"},
        mean | {"name": "side", "of": "y"},
        mean | {"name": "light", "of": "intensity"},
        mean | {"name": "age", "of": "age"},
        mean | {"name": "ring", "of": "ring"},
        {"name": "cars", "statistic": "count", "of": "class", "values": [10, 0.5]}
        | {"log": 16},
        {"name": "kind", "statistic": "priority", "of": "class", "values": [30, 10]}
        | {"range": [0, 255]},
    ]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(settings))
    encoding = load_encoding(path)
    grid = describe_grid(encoding)
    assert grid["background"] == 255
    channels = grid["channels"]
    assert [channel["unit"] for channel in channels] == [
        *("m/s", "m", "1", "sweeps", "", "points", "class")
    ]
    assert channels[0] == {
        "name": "speed",
        "statistic": "mean",
        "of": "velocity",
        "values": None,
        "z": None,
        "unit": "m/s",
        "scale": "linear",
        "zero": -20,
        "full": 20,
        "is_class_map": False,
    }
    assert channels[5]["values"] == [10, 0.5]
    assert explain_pixels(encoding).split("\n")[2:] == [
        "- ``speed``: mean of ``velocity``: 0 to 255 for -20 to 20 m/s",
        "- ``side``: mean of ``y``: 0 to 255 for -20 to 20 m",
        "- ``light``: mean of ``intensity``: 0 to 255 for -20 to 20",
        "- ``age``: mean of ``age``: 0 to 255 for -20 to 20 sweeps",
        "- ``ring``: mean of ``ring``: 0 to 255 for -20 to 20",
        "- ``cars``: count of ``class`` 10, 0.5: 0 to 255 for 0 to 15 points, "
        "logarithmic",
        "- ``kind``: priority of ``class`` 30, 10: 0 to 255 for 0 to 255 class",
    ]
    assert not any(channel["is_class_map"] for channel in channels)  # unknown ones


def test_describes_classes(tmp_path):
    """Their numbers, names and colours; and what is no class."""
    encoding, classes = load_encoding("semantic"), load_classes("semantickitti")
    grid = describe_grid(encoding, classes)
    assert len(grid["classes"]) == 19
    assert grid["classes"][8] == {
        "number": 8,
        "name": "road",
        "colour": [255, 0, 255],
    }
    assert grid["none"] == 255
    assert [channel["is_class_map"] for channel in grid["channels"]] == [True]
    assert explain_pixels(encoding, classes).split("\n")[2:] == [
        "- ``class``: majority of ``class``: class 0 to 18; 255 is none"
    ]
    write_grid(encoding, load_layout("kitti"), tmp_path / "grid.json", classes)
    written = json.loads((tmp_path / "grid.json").read_text())
    assert written["classes"] == grid["classes"]
    assert describe_grid(load_encoding("mv3d"), classes)["classes"] is None


def test_describes_counts_of_classes(tmp_path):
    """A count is no class map, but the classes have names."""
    settings = yaml.safe_load((ENCODINGS / "semantic.yaml").read_text())
    count = {"statistic": "count", "of": "class", "range": [0, 9]}
    settings["channels"] = [count | {"name": "walkers", "values": [5, 6, 30]}]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(settings))
    encoding, classes = load_encoding(path), load_classes("semantickitti")
    grid = describe_grid(encoding, classes)
    assert len(grid["classes"]) == 19
    assert grid["none"] is None
    assert explain_pixels(encoding, classes).split("\n")[2:] == [
        "- ``walkers``: count of ``class`` 5 (person), 6 (bicyclist), 30: 0 to 255 for "
        "0 to 9 points"
    ]


@pytest.mark.parametrize("name", LOOPS)
def test_file_has_the_transform_of_the_grid(tmp_path, name):
    """Through the JSON file, a point is in the same pixel as with `Grid.to_pixel`."""
    encoding = load_encoding(name)
    write_grid(encoding, load_layout("nuscenes"), tmp_path / "grid.json")
    grid = json.loads((tmp_path / "grid.json").read_text())
    row, col = np.floor(grid["to_pixel"] @ np.array([10.33, -5.53, 1]))
    assert (row, col) == encoding.grid.to_pixel(10.33, -5.53)
    assert (grid["planes"], grid["rows"], grid["cols"]) == (
        len(encoding.channels),
        *encoding.grid.shape,
    )
    assert grid["layout"] == "nuscenes"
    assert grid["layout_digest"] == load_layout("nuscenes").digest
    assert grid["from_scan"] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.11]]
