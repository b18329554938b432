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


def test_every_entry_has_its_column_in_the_kernel():
    """Apart from occupancy, which is the count on another scale."""
    assert {*kernels.STATISTIC_COLUMNS, "occupancy"} == set(STATISTICS)


def test_entries_and_kernel_agree_on_the_second_pass():
    """The kernel leaves its columns empty unless an entry asks for it."""
    for column, name in enumerate(kernels.STATISTIC_COLUMNS):
        is_second = column >= kernels._FIRST_PASS_COLUMNS
        assert STATISTICS[name].second_pass == is_second, name


def test_names_of_columns_are_those_of_the_kernel():
    """The constant `_MAX_HEIGHT` is the column of max_height, and so on."""
    for column, name in enumerate(kernels.STATISTIC_COLUMNS):
        assert getattr(kernels, f"_{name.upper()}") == column


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
def test_kernel_writes_every_column(real):
    """Of four points in one cell, between two that are in none."""
    z_and_intensity = [9, 9], [3, 0.5], [1, 0], [5, 0.25], [5, 1], [9, 9]
    points = np.array([[0, 0, *pair] for pair in z_and_intensity], dtype=np.float32)
    cells = np.array([-1, 2, 2, 2, 2, -1], dtype=np.int32)
    row_of_cell = np.zeros(3, dtype=np.int32)
    heights = kernels.Heights(real(1), real(1), needs_second_pass=True)
    scales = kernels.Scales(
        columns=np.zeros(1, dtype=np.int64),
        codes=np.zeros(1, dtype=np.int64),
        lows=np.zeros(1, dtype=real),
        spans=np.zeros(1, dtype=real),
        log_tables=np.zeros((1, 1)),
        through_float32=False,
        truncates=False,
    )
    found, table = kernels._gather(
        points.reshape(-1), cells, row_of_cell, heights, scales
    )
    assert found.tolist() == [2]
    assert table.dtype == real
    # A column that is not written holds any number: see `_gather_second_pass`.
    assert dict(zip(kernels.STATISTIC_COLUMNS, table[0], strict=True)) == {
        "count": 4,
        "record_highs": 2,
        "max_height": 4,
        "intensity_at_max": 0.25,
        "min_height": 0,
        "mean_height": 2.5,
        "max_intensity": 1,
        "mean_intensity": 0.4375,
        "height_range": 4,
    }
