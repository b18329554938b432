"""Describe the pixels of an encoding's images in grid.json."""

import json

import numpy as np
import pytest

from birdview.benchmark.reference import LOOPS
from birdview.metadata import describe_grid, write_grid
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout


def test_describes_notebook():
    """The whole description, apart from the digest and the version."""
    grid = describe_grid(load_encoding("notebook"))
    assert grid.pop("digest") == load_encoding("notebook").digest
    assert grid.pop("software").startswith("birdview ")
    channel = {"z": None, "zero": None, "full": None, "scale": "scan"}
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
        "channels": [
            channel
            | {"name": "density", "statistic": "record_highs", "unit": "points"},
            {
                "name": "intensity",
                "statistic": "intensity_at_max",
                "z": None,
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
        "z": None,
        "unit": "points",
        "scale": "log",
        "zero": 0,
        "full": 63,
    }


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
