"""Check each statistic's entry against its column in the kernel; and former names."""

import re

import numpy as np
import pytest
import yaml

from birdview.metadata import describe_grid
from birdview.paths import ENCODINGS
from birdview.pixels import kernels
from birdview.pixels.encoding import load_encoding
from birdview.pixels.statistic import STATISTICS, find_statistic

FORMER_NAMES = {
    "records": "record_highs",
    "top_height": "max_height",
    "lowest_height": "min_height",
    "greatest_intensity": "max_intensity",
    "top_intensity": "intensity_at_max",
}


def test_every_entry_has_its_code_in_the_kernel():
    """Occupancy is the count on another scale."""
    assert set(kernels.STATISTIC_CODES) == set(STATISTICS)
    codes = set(kernels.STATISTIC_CODES.values())
    assert len(codes) == len(STATISTICS) - 1
    for name, code in kernels.STATISTIC_CODES.items():
        if name != "occupancy":
            assert getattr(kernels, f"_{name.upper()}") == code


def test_former_names_are_found():
    """They work until 1.0."""
    former = {e.former_name: e.name for e in STATISTICS.values() if e.former_name}
    assert former == FORMER_NAMES
    for old, new in FORMER_NAMES.items():
        assert find_statistic(old) is find_statistic(new) is STATISTICS[new]


def test_unknown_name_lists_all():
    """By their current names."""
    message = f"statistic median, expected one of {', '.join(STATISTICS)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        find_statistic("median")


@pytest.mark.parametrize("name", STATISTICS)
def test_metadata_has_the_unit(tmp_path, name):
    """grid.json, the gallery and the captions follow from the entry."""
    settings = yaml.safe_load((ENCODINGS / "mv3d.yaml").read_text())
    scale = {"range": [0, 1]} if STATISTICS[name].scales else {}
    settings["channels"] = [{"name": "a", "statistic": name, **scale}]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(settings))
    (channel,) = describe_grid(load_encoding(path))["channels"]
    assert channel["statistic"] == name
    assert channel["unit"] == STATISTICS[name].unit


@pytest.mark.parametrize("old", FORMER_NAMES)
def test_former_name_gives_the_same_encoding(tmp_path, old):
    """Its digest too: writing the new name for the old one makes nothing stale."""
    settings = yaml.safe_load((ENCODINGS / "mv3d.yaml").read_text())
    encodings = []
    for name in (old, FORMER_NAMES[old]):
        settings["channels"] = [{"name": "a", "statistic": name, "range": [0, 1]}]
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(settings))
        encodings.append(load_encoding(path))
    assert encodings[0] == encodings[1]
    assert encodings[0].digest == encodings[1].digest


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_kernel_gathers_every_statistic(real):
    """Of four points in one cell, between two in another."""
    z_and_intensity = [9, 9], [3, 0.5], [1, 0], [5, 0.25], [5, 1], [9, 9]
    points = np.array(z_and_intensity, dtype=np.float32)
    cells = np.array([0, 2, 2, 2, 2, 0], dtype=np.int32)
    found = kernels._rank(cells, 3)
    assert found.tolist() == [0, 2]
    assert cells.tolist() == [0, 1, 1, 1, 1, 0]
    heights = kernels.Heights(
        real(1), real(1), needs_heights=True, needs_second_pass=True
    )
    statistics = kernels._gather(points, cells, 2, heights)
    values = {
        name: kernels._values(statistics, code, 1, 2)
        for name, code in kernels.STATISTIC_CODES.items()
    }
    assert {array.dtype.type for array in values.values()} == {real}
    assert {name: array.item() for name, array in values.items()} == {
        "count": 4,
        "occupancy": 4,
        "record_highs": 2,
        "max_height": 4,
        "intensity_at_max": 0.25,
        "min_height": 0,
        "mean_height": 2.5,
        "max_intensity": 1,
        "mean_intensity": 0.4375,
        "height_range": 4,
    }
