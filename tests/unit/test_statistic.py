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
    own = [name for name in STATISTICS if STATISTICS[name].field != "required"]
    assert set(kernels.STATISTIC_CODES) == set(own)
    codes = set(kernels.STATISTIC_CODES.values())
    assert codes == set(range(len(own) - 1)) == set(range(kernels.FIRST_REQUEST))
    for name, code in kernels.STATISTIC_CODES.items():
        if name != "occupancy":
            assert getattr(kernels, f"_{name.upper()}") == code


def test_every_statistic_of_a_field_has_its_code_in_the_kernel():
    """And no two the same."""
    of_fields = [name for name, entry in STATISTICS.items() if entry.field]
    assert set(kernels.FIELD_CODES) == set(of_fields)
    assert set(kernels.FIELD_CODES.values()) == set(range(len(of_fields)))
    for name, code in kernels.FIELD_CODES.items():
        constant = "_COUNT_OF" if name == "count" else f"_{name.upper()}"
        assert getattr(kernels, constant) == code


def test_former_names_are_found():
    """They work until 1.0."""
    former = {e.former_name: e.name for e in STATISTICS.values() if e.former_name}
    assert former == FORMER_NAMES
    for old, new in FORMER_NAMES.items():
        assert find_statistic(old) is find_statistic(new) is STATISTICS[new]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("histogram", ""),
        ("mean_hight", " (did you mean mean_height?)"),
        ("median", " (did you mean mean?)"),
    ],
)
def test_unknown_name_lists_all(name, meant):
    """By their current names; a mistyped one is corrected."""
    message = f"statistic {name}{meant}, expected one of {', '.join(STATISTICS)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        find_statistic(name)


@pytest.mark.parametrize("name", STATISTICS)
def test_metadata_has_the_unit(tmp_path, name):
    """grid.json, the gallery and the captions follow from the entry."""
    settings = yaml.safe_load((ENCODINGS / "mv3d.yaml").read_text())
    scale = {"range": [0, 1]} if STATISTICS[name].scales else {}
    if STATISTICS[name].field == "required":
        scale["of"] = "age"
        if STATISTICS[name].takes_values:
            scale["values"] = [1]
    settings["channels"] = [{"name": "a", "statistic": name, **scale}]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(settings))
    (channel,) = describe_grid(load_encoding(path))["channels"]
    assert channel["statistic"] == name
    assert channel["unit"] == (STATISTICS[name].unit or "sweeps")


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


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_kernel_gathers_every_statistic_of_a_field(real):
    """Of a cell with values, and one in which no point has one."""
    nan = np.nan
    z = np.array([0, 5, 5, 2, 1, 9, 4], dtype=np.float32)
    values = np.array([7, nan, 3, 7, -np.inf, nan, 3], dtype=np.float32)
    rows = np.array([0, 0, 0, 0, 0, 1, 0], dtype=np.int32)
    points = np.zeros((7, 4), dtype=np.float32)
    points[:, 2] = z
    names = [*kernels.FIELD_CODES, "priority"]
    wanted = {"count": [3, 8], "priority": [8, 7, 3]}
    lists = [wanted.get(name, []) for name in kernels.FIELD_CODES] + [[8]]
    requests = kernels.Requests(
        codes=np.array([kernels.FIELD_CODES[name] for name in names]),
        fields=np.full(len(names), 4),
        ends=np.cumsum([0, *map(len, lists)]),
        values=np.array([value for some in lists for value in some], dtype=np.float32),
    )
    heights = kernels.Heights(
        real(1), real(0), needs_heights=False, needs_second_pass=False
    )
    numbers = np.arange(7, dtype=np.int32)
    gathered = kernels._gather_fields(
        points.reshape(-1), values[np.newaxis], numbers, rows, 2, heights, requests
    )
    assert gathered.dtype == real
    names[-1] = "none of the values"
    assert dict(zip(names, gathered[:, 0], strict=True)) == {
        "count": 2,
        "max": 7,
        "min": -np.inf,
        "mean": -np.inf,
        "majority": 3,
        "at_max": 3,
        "priority": 7,
        "none of the values": 3,
    }
    np.testing.assert_array_equal(gathered[:, 1], [0, *[nan] * 7])


@pytest.mark.parametrize("count", [1, 31, 32, 33, 5000])
def test_majority_of_many_points(count):
    """However many there are in a cell: of equal ones the least."""
    rng = np.random.default_rng(count)
    for kinds in (2, 20, 4000):
        values = rng.integers(kinds, size=count).astype(np.float32) - 1
        result = np.full(3, np.nan)
        kernels._find_majorities(values, np.ones(count, dtype=np.int32), result)
        numbers, counts = np.unique(values, return_counts=True)
        assert result[1] == numbers[counts.argmax()]
        assert np.isnan(result[[0, 2]]).all()
