"""Load encodings from yaml, or raise an error that names file and key."""

import re

import pytest
import yaml

from birdview.paths import ENCODINGS
from birdview.pixels.encoding import load_encoding
from birdview.pixels.statistic import STATISTICS
from birdview.run import load_encodings

MV3D = "77dabc012c8d58075cddb2985b97c1a8b42cd86f68f713a2065c4395e9d45a61"
PIXOR = "2ece00b9e836dddee67acd5a80ba72d185fef93d9552beb0533128a0ca342a13"

BUILT_IN = [
    *("avod_like", "birdnet", "complex_yolo", "lyft"),
    *("mv3d", "mv3d_slices", "notebook", "pixor", "semantic"),
]


@pytest.fixture
def load(tmp_path):
    """Load an encoding with one change: the value of a key, given as a dotted path."""

    def load(key=None, value=None, name="own", of="mv3d"):
        settings = yaml.safe_load((ENCODINGS / f"{of}.yaml").read_text())
        if key:
            *path, last = key.split(".")
            inner = settings
            for step in path:
                inner = inner[int(step) if step.isdigit() else step]
            last = int(last) if last.isdigit() else last
            inner[last] = value
            if value is None:
                del inner[last]
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(settings))
        return load_encoding(path)

    return load


def test_built_in_encodings_load_by_name():
    """Each file in the folder is an encoding with the file's name."""
    names = sorted(path.stem for path in ENCODINGS.glob("*.yaml"))
    assert names == BUILT_IN
    shapes = {name: load_encoding(name).shape for name in names}
    assert [load_encoding(name).name for name in names] == names
    assert shapes == {
        "avod_like": (700, 800, 6),
        "birdnet": (1400, 1400, 3),
        "complex_yolo": (608, 608, 3),
        "lyft": (336, 336, 3),
        "mv3d": (1600, 1600, 3),
        "mv3d_slices": (1600, 1600, 7),
        "notebook": (1600, 1600, 3),
        "pixor": (800, 700, 36),
        "semantic": (1600, 1600, 1),
    }


def test_unknown_name_lists_the_built_in_encodings():
    """A path without .yaml is a name too."""
    names = (
        f"built-in encodings: {', '.join(BUILT_IN)}; for any other, give the path of "
        f"its .yaml file"
    )
    near = " (did you mean mv3d?)"
    for name, meant in (("mv4d", near), ("MV3D", near), ("../encodings/mv3d", "")):
        message = f"unknown encoding {name}{meant}; {names}"
        with pytest.raises(FileNotFoundError, match=re.escape(message)):
            load_encoding(name)


def test_missing_and_empty_files_are_named(tmp_path):
    """Without a list of names: the user meant a file."""
    path = tmp_path / "own.yaml"
    message = f"{path}: no such file, expected an encoding's yaml"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        load_encoding(path)
    path.write_text("# all is commented out")
    message = f"{path}: nothing in it, expected keys and values"
    with pytest.raises(ValueError, match=re.escape(message)):
        load_encoding(path)


def test_digest_depends_on_the_numbers_alone(load):
    """Not on the name, the description or how a number is written."""
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
        ("grid.cell", 0.2),
        ("grid.cell", {"x": 0.1, "y": 0.2}),
        ("ground", -1.73),
        ("slices", 2),
        ("arithmetic", "float32"),
        ("rounding", "truncate"),
        ("height", "-z"),
        ("channels.0.log", 32),
        ("channels.1.statistic", "max_height"),
        ("channels.2.range", [-2.73, 1.28]),
        ("precision", "float32"),
        ("background", 255),
    ],
)
def test_digest_changes_with_every_number(load, key, value):
    """Everything that decides pixels is in the digest."""
    assert load(key, value).digest != load_encoding("mv3d").digest


FIELD = {"name": "a", "statistic": "count", "of": "class", "values": [1], "log": 4}


@pytest.mark.parametrize(
    "change",
    [
        {"of": "ring"},
        {"values": [2]},
        {"values": [1, 2]},
        {"statistic": "priority", "range": [0, 255], "log": None},
    ],
)
def test_digest_changes_with_every_number_of_a_field(load, change):
    """Field, values and statistic, but not the unit."""
    other = {key: value for key, value in (FIELD | change).items() if value}
    digest = load("channels.0", FIELD).digest
    assert load("channels.0", other).digest != digest
    largest = {"name": "a", "statistic": "max", "of": "ring", "range": [0, 1]}
    assert (
        load("channels.0", largest).digest
        == load("channels.0", largest | {"unit": "rings"}).digest
    )


def test_digests_of_0_1_stay():
    """Those of encodings without fields: images and manifests have them."""
    assert load_encoding("mv3d").digest == MV3D
    assert load_encoding("pixor").digest == PIXOR


def test_fields_are_those_that_points_do_not_have(load):
    """Each once, in the order of their first use."""
    largest = {"statistic": "max", "range": [0, 1]}
    fields = ["ring", "z", "age", "intensity", "ring"]
    channels = [largest | {"name": f"n{k}", "of": of} for k, of in enumerate(fields)]
    assert load("channels", channels).fields == ("ring", "age")
    assert load("channels.1", channels[1]).fields == ()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("cell", 0.2, "Additional properties are not allowed ('cell' was unexpected); "
         "allowed: description, region, grid, height, ground, slices, channels, "
         "arithmetic, precision, rounding, background"),
        ("region.x.low", 0, "region: x: Additional properties are not allowed "
         "('low' was unexpected); allowed: min, max, closed"),
        ("grid.cell", None, "grid: 'cell' is a required property"),
        ("grid.cell", "0.1 m", "grid: cell: 0.1 m, expected metres, or a fraction such "
         "as 50/608"),
        ("grid.cell", "50/0", "grid: cell: 50/0, expected metres, or a fraction such "
         "as 50/608"),
        ("grid.cell", {"x": 1, "y": "-1/2"}, "grid: cell: -1/2, expected metres, or a "
         "fraction such as 50/608"),
        ("grid.cell", [1, 1], "grid: cell: [1, 1] is not of type 'number', 'string'"),
        ("grid.cell", 0, "grid: cell: 0 is less than or equal to the minimum of 0"),
        ("grid.rows", "up", "grid: rows: 'up' is not one of ['x', '-x', 'y', '-y']"),
        ("grid.rows", "y", "grid: rows y and cols -y, expected x and y"),
        ("region.x.min", 80, "region: x: min 80 and max 80, expected min < max"),
        ("region.z.min", 2, "region: z: min 2 and max 1.27, expected min < max"),
        ("region.x.min", -80.05, "region: x: 1600.5 cells of 0.1 m from min to max, "
         "expected a whole number"),
        ("grid.origin", 0.05, "region: x: 800.5 cells of 0.1 m from origin to min, "
         "expected a whole number"),
        ("grid.cell", {"x": 1}, "grid: cell: 'y' is a required property"),
        ("region.x.max", float("inf"), "region: x: max: inf is not of type 'number'"),
        ("region.z.min", float("nan"), "region: z: min: nan is not of type 'number'"),
        ("grid.cell", 0.0005, "grid: 3 planes of 320000 x 320000 pixels, expected an "
         "image of at most 1048576 pixels each way and 1073741824 in all"),
        ("slices", 0, "slices: 0 is less than the minimum of 1"),
        ("slices", 5.0, "slices: 5.0 is not of type 'integer'"),
        ("slices", [0], "slices: [0] is too short"),
        ("slices", [0, 1, 1], "slices: [0, 1, 1], expected rising numbers"),
        ("slices", [0, 2], "slices: [0, 2], expected numbers in the region's z, -2.73 "
         "to 1.27"),
        ("channels.0.statistic", "median", "channels: density: statistic median (did "
         f"you mean mean?), expected one of {', '.join(STATISTICS)}"),
        ("channels.0.log", 1, "channels: 0: log: 1 is less than the minimum of 2"),
        ("channels.0.log", 64.0, "channels: 0: log: 64.0 is not of type 'integer'"),
        ("channels.0.name", "a b", "channels: 0: name: 'a b' does not match "
         "'^[A-Za-z0-9_]+$'"),
        ("channels.0.name", "height", "channels: two are called height, expected "
         "different names"),
        ("channels.0.log", None, "channels: density: no range nor log, expected one "
         "of the two"),
        ("channels.1.log", 64, "channels: intensity: range and log, expected one of "
         "the two"),
        ("channels.0.statistic", "occupancy", "channels: density: log of occupancy, "
         "expected neither range nor log"),
        ("channels.0.slice", 0, "channels: density: slice 0, expected slices: to say "
         "where they are"),
        ("channels.0.slice", "all", "channels: 0: slice: 'each' was expected"),
        ("channels.2.range", "slice", "channels: height: range slice, expected a "
         "height of a slice"),
        ("channels.2.range", "auto", "channels: 2: range: 'auto' is not one of "
         "['scan', 'slice']"),
        ("channels.2.range", [1, 0], "channels: height: range [1, 0], expected the "
         "lower number first"),
        ("channels.0.statistic", "max_height", "channels: density: log of max_height, "
         "expected count or record_highs"),
        ("channels.0.statistic", "mean", "channels: density: mean without of, expected "
         "of: a field of the points, such as intensity"),
        ("channels.1.of", "ring", "channels: intensity: intensity_at_max of ring, "
         "expected a statistic of a field: count, max, min, mean, majority, at_max, "
         "priority"),
        ("channels.0.of", "ring", "channels: density: count of ring, expected values: "
         "a list of its values"),
        ("channels.0.of", "ring 1", "channels: 0: of: 'ring 1' does not match "
         "'^[A-Za-z0-9_]+$'"),
        ("channels.0.values", [1], "channels: density: values without of, expected of: "
         "the field they are of"),
        ("channels.0.values", [], "channels: 0: values: [] should be non-empty"),
        ("channels.0.values", [1, 1.0], "channels: 0: values: [1, 1.0] has non-unique "
         "elements"),
        ("channels.0.values", [1e39], "channels: 0: values: 0: 1e+39 is greater than "
         "the maximum of 3.4e+38"),
        ("channels.0.unit", "m", "channels: density: unit without of, expected of: the "
         "field it is of"),
        ("channels.0", {"name": "a", "statistic": "max", "of": "ring", "values": [1],
         "range": [0, 1]}, "channels: a: values of max, expected them with count and "
         "priority alone"),
        ("channels.0", {"name": "a", "statistic": "count", "of": "ring", "values": [1],
         "range": [0, 1], "unit": "m"}, "channels: a: unit of count, expected none: it "
         "is in points"),
        ("channels.0", {"name": "a", "statistic": "max", "of": "z", "log": 4},
         "channels: a: log of max, expected count or record_highs"),
        ("channels.0", {"name": "a", "statistic": "max", "of": "z", "range": "slice"},
         "channels: a: range slice, expected a height of a slice"),
        ("background", 256, "background: 256 is greater than the maximum of 255"),
        ("background", 1.0, "background: 1.0 is not of type 'integer'"),
    ],
)  # fmt: skip
def test_invalid_value_is_named(load, tmp_path, key, value, message):
    """In one line: file, key, what was found, what was expected."""
    full = f"{tmp_path / 'own.yaml'}: {message}"
    with pytest.raises(ValueError, match=re.escape(full)) as caught:
        load(key, value)
    assert "\n" not in str(caught.value)


def test_broken_yaml_is_named(tmp_path):
    """In one line, with the line in the file."""
    path = tmp_path / "own.yaml"
    path.write_text("region: {x: [1, 2}")
    with pytest.raises(ValueError, match=r"own\.yaml: .*line 1") as caught:
        load_encoding(path)
    assert "\n" not in str(caught.value)


def test_equal_slices_need_a_region_with_ends(load):
    """Slices with edges do not."""
    message = "slices: 2, expected region: z: min and max with it"
    with pytest.raises(ValueError, match=re.escape(message)):
        load("slices", 2, of="birdnet")
    assert len(load("slices", [-1.5, 0, 1], of="birdnet").slices.lows) == 2


def test_slice_that_does_not_exist_is_rejected(load):
    """The lowest is 0."""
    message = "channels: height: slice 5, expected 0 to 4"
    with pytest.raises(ValueError, match=re.escape(message)):
        load("channels.0.slice", 5, of="mv3d_slices")


def test_slices_expand_to_channels():
    """One for each slice, the lowest first, with the slice's edges as its range."""
    encoding = load_encoding("mv3d_slices")
    names = [channel.name for channel in encoding.channels]
    assert names == [*(f"height_{k}" for k in range(5)), "intensity", "density"]
    assert [channel.slice_index for channel in encoding.channels] == [
        *range(5),
        None,
        None,
    ]
    assert encoding.channels[1].limits == pytest.approx((-1.93, -1.13))


def test_several_load_by_name_and_path(load, tmp_path):
    """In the order of the list, under the names of their folders."""
    load(name="own-1")
    encodings = load_encodings(["pixor", tmp_path / "own-1.yaml"])
    assert list(encodings) == ["pixor", "own-1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mv3d", "{}: two encodings mv3d, expected different names"),
        ("logs", "{}: results/logs is taken, expected another name than benchmark, "
         "contact_sheet, dataset, demo, gallery, inspect, invalid, kitti_results, "
         "logs, movie, parts, statistics, unpack, verify"),
        ("statistics", "{}: results/statistics is taken, expected another name than "
         "benchmark,"),
        ("my own", "{}: the file's name becomes that of a folder in results/, "
         "expected letters, digits, _ and -"),
    ],
)  # fmt: skip
def test_names_that_cannot_be_folders_are_rejected(load, tmp_path, name, message):
    """A name given twice, one that is taken, one that cannot be a target."""
    load(name=name)
    path = tmp_path / f"{name}.yaml"
    with pytest.raises(ValueError, match=re.escape(message.format(path))):
        load_encodings(["mv3d", path])
