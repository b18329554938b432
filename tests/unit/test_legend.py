"""What grid.json says of an encoding's pixels."""

import json

import numpy as np
import pytest

from birdview.encoding import load_encoding
from birdview.legend import describe_grid, write_grid
from birdview.reference import LOOPS


def test_of_notebook_in_words_and_numbers():
    """All that it says, but for the digest and the version."""
    legend = describe_grid(load_encoding("notebook"))
    assert legend.pop("digest") == load_encoding("notebook").digest
    assert legend.pop("software").startswith("birdview ")
    channel = {"z": None, "zero": None, "full": None, "scale": "scan"}
    assert legend == {
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
            channel | {"name": "density", "statistic": "records", "unit": "points"},
            {
                "name": "intensity",
                "statistic": "top_intensity",
                "z": None,
                "unit": "1",
                "scale": "linear",
                "zero": 0,
                "full": 1,
            },
            channel | {"name": "height", "statistic": "top_height", "unit": "m"},
        ],
    }


def test_of_slices():
    """Each with its z, and what its values mean."""
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
    """Read by any reader of JSON, a point is in the pixel that the grid says."""
    encoding = load_encoding(name)
    write_grid(encoding, tmp_path / "grid.json")
    legend = json.loads((tmp_path / "grid.json").read_text())
    row, col = np.floor(legend["to_pixel"] @ np.array([10.33, -5.53, 1]))
    assert (row, col) == encoding.grid.to_pixel(10.33, -5.53)
    assert (legend["planes"], legend["rows"], legend["cols"]) == (
        len(encoding.channels),
        *encoding.grid.shape,
    )
