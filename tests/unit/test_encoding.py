"""Yaml becomes an encoding, or an error that names file and key."""

import re

import pytest
import yaml

from birdview.encoding import ENCODINGS, load_encoding


@pytest.fixture
def load(tmp_path):
    """Load mv3d after a change: the value of a key, by its path with dots."""

    def load(key=None, value=None, name="own"):
        settings = yaml.safe_load((ENCODINGS / "mv3d.yaml").read_text())
        if key:
            *path, last = key.split(".")
            inner = settings
            for step in path:
                inner = inner[int(step) if step.isdigit() else step]
            inner[last] = value
            if value is None:
                del inner[last]
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(settings))
        return load_encoding(path)

    return load


def test_shipped_encodings_load_by_name():
    """Each file of the folder is an encoding of its own name."""
    names = sorted(path.stem for path in ENCODINGS.glob("*.yaml"))
    assert names == ["mv3d", "notebook"]
    for name in names:
        encoding = load_encoding(name)
        assert encoding.name == name
        assert encoding.shape == (1600, 1600, 3)


def test_unknown_name_lists_what_there_is():
    """The message says what could have been meant."""
    message = "unknown encoding mv4d: shipped are mv3d, notebook"
    with pytest.raises(FileNotFoundError, match=message):
        load_encoding("mv4d")


def test_digest_is_of_the_numbers_alone(load):
    """Not of the name, the description or how a number is written."""
    same = load("description", "Other words.", name="other")
    assert (
        same.digest
        == load("region.x.min", -80.0).digest
        == load_encoding("mv3d").digest
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("region.x.min", -70),
        ("region.z.closed", "lower"),
        ("grid.rows", "x"),
        ("grid.origin", 0),
        ("height", "-z"),
        ("channels.0.log", 32),
        ("channels.1.statistic", "top_height"),
        ("channels.2.range", [-2.73, 1.28]),
        ("precision", "float32"),
    ],
)
def test_digest_changes_with_every_number(load, key, value):
    """Whatever decides pixels is in the digest."""
    assert load(key, value).digest != load_encoding("mv3d").digest


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("cell", 0.2, "Additional properties are not allowed ('cell' was unexpected); "
         "allowed: description, region, grid, height, channels, precision"),
        ("region.x.low", 0, "region: x: Additional properties are not allowed "
         "('low' was unexpected); allowed: min, max, closed"),
        ("grid.cell", None, "grid: 'cell' is a required property"),
        ("grid.cell", "0.1 m", "grid: cell: '0.1 m' is not of type 'number'"),
        ("grid.cell", 0, "grid: cell: 0 is less than or equal to the minimum of 0"),
        ("grid.rows", "up", "grid: rows: 'up' is not one of ['x', '-x', 'y', '-y']"),
        ("grid.rows", "y", "grid: rows y and cols -y, expected x and y"),
        ("region.x.min", 80, "region: x: min 80 and max 80, expected min < max"),
        ("region.z.min", 2, "region: z: min 2 and max 1.27, expected min < max"),
        ("region.x.min", -80.05, "region: x: 1600.5 cells of 0.1 m from min to max, "
         "expected a whole number"),
        ("grid.origin", 0.05, "region: x: 800.5 cells of 0.1 m from origin to min, "
         "expected a whole number"),
        ("channels.0.statistic", "median", "channels: 0: statistic: 'median' is not "
         "one of ['count', 'records', 'top_height', 'top_intensity']"),
        ("channels.0.log", 1, "channels: 0: log: 1 is less than the minimum of 2"),
        ("channels.1.log", 64, "channels: 1: "),
        ("channels.2.range", [1, 0], "channels: height: range [1, 0], expected the "
         "lower number first"),
        ("channels.0.statistic", "top_height", "channels: density: log of top_height, "
         "expected count or records"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(load, tmp_path, key, value, message):
    """One line: file, key, what was found, what was expected."""
    full = f"{tmp_path / 'own.yaml'}: {message}"
    with pytest.raises(ValueError, match=re.escape(full)) as caught:
        load(key, value)
    assert "\n" not in str(caught.value)


def test_broken_yaml_is_named(tmp_path):
    """One line, with the place in the file."""
    path = tmp_path / "own.yaml"
    path.write_text("region: {x: [1, 2}")
    with pytest.raises(ValueError, match=r"own\.yaml: .*line 1") as caught:
        load_encoding(path)
    assert "\n" not in str(caught.value)
