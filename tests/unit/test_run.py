"""Resolve the settings of a run, without Snakemake."""

import dataclasses
import os
import re
from contextlib import nullcontext
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from helpers import OWN
from snakemake.cli import parse_config

from birdview import jobs
from birdview.benchmark.reference import LOOPS
from birdview.paths import LAYOUTS
from birdview.pixels.layout import load_layout
from birdview.run import resolve
from birdview.sources import Bucket, Demo, Folder


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Make a folder `scans` with three scans, and work beside it."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "drive/b", "c{d}"):
        file = tmp_path / "scans" / f"{name}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "scans"


def test_without_settings_it_is_the_demo(tmp_path, monkeypatch):
    """Eight scans, in the encoding `notebook`."""
    monkeypatch.chdir(tmp_path)
    run = resolve({})
    assert isinstance(run.source, Demo)
    assert run.scans == [f"demo/{number:06}" for number in range(8)]
    assert list(run.encodings) == ["notebook"]
    assert run.layout.name == "kitti"
    assert run.source.file("demo/000001") == "results/demo/000001.bin"
    assert run.grids == ["results/notebook/demo/grid.json"]
    assert run.folder == "results/demo"
    assert (run.invalid, run.labelled, run.results_prefix) == ({}, [], None)
    assert run.settings["demo"] == {"scans": 8, "seed": 0}


def test_scans_of_a_folder(scans):
    """Valid names, and the error of each that is not."""
    run = resolve({"scans": "scans", "encodings": ["mv3d", "lyft"]})
    assert isinstance(run.source, Folder)
    assert run.scans == ["a", "drive/b"]
    assert run.invalid == {
        "c{d}": "'scans/c{d}.bin': invalid scan name: {...} and <...> are Snakemake "
        "wildcards"
    }
    assert [image.path for image in run.images] == [
        *("results/mv3d/a.png", "results/mv3d/drive/b.png"),
        *("results/lyft/a.png", "results/lyft/drive/b.png"),
    ]
    image = run.images[3]
    assert (image.scan, image.scan_file) == ("drive/b", "scans/drive/b.bin")
    assert image.encoding is run.encodings["lyft"]
    assert run.image_path("lyft", "drive/b") == image.path
    assert run.grids == ["results/mv3d/grid.json", "results/lyft/grid.json"]
    assert run.folder == "results"


def test_split_names_the_scans(scans):
    """One job fails for all that are missing; a broken link fails by itself."""
    (scans.parent / "split.txt").write_text("drive/b\nz\nmissing\nlink\n")
    (scans / "link.bin").symlink_to("nowhere")
    run = resolve({"scans": "scans", "split": "split.txt", "match": "drive/*.bin"})
    assert run.scans == ["drive/b", "link"]
    assert run.source.is_readable("drive/b")
    assert not run.source.is_readable("link")
    assert run.invalid == {
        "z": f"split: split.txt: 2 of 4 scans not found in {scans}, the first in line "
        "2: 'z'; one that exists is a; expected the path of a scan below scans in each "
        "line, without suffix"
    }
    assert run.failures == ["results/invalid/0"]


def test_match_chooses_scans(scans):
    """Not of the demo; an invalid pattern is an error nevertheless."""
    run = resolve({"scans": "scans", "match": ["drive/*.bin"]})
    assert run.scans == ["drive/b"]
    assert run.left_out == ""
    assert resolve({"match": "drive/*"}).source.is_simulated
    message = (
        "match: '../*.bin', expected a pattern of paths below scans, such as "
        "*/velodyne/*.bin, or **/velodyne/*.bin for any depth"
    )
    for settings in ({}, {"scans": "scans"}, {"scans": "scans", "split": "x"}):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            resolve(settings | {"match": "../*.bin"})


def test_what_is_left_out_is_said(scans):
    """In one line."""
    (scans / "drive/.0.bin").touch()
    (scans / "__MACOSX").mkdir()
    run = resolve({"scans": "scans"})
    assert run.scans == ["a", "drive/b"]
    assert run.left_out == (
        "scans: 1 file and 1 folder left out: drive/.0.bin, __MACOSX (names that begin "
        "with a dot, trash and the like)"
    )
    assert resolve({"scans": "nowhere"}).left_out == ""


def test_files_that_may_be_scans_are_said(scans):
    """They have another suffix than those that are read."""
    (scans / "drive/c.pcd").touch()
    (scans / "drive/label.txt").touch()
    run = resolve({"scans": "scans"})
    assert run.scans == ["a", "drive/b"]
    assert run.left_out == "scans: 1 .pcd file beside the scans is not read"
    assert resolve({"scans": "scans", "match": "**/*.bin"}).left_out == ""
    (scans.parent / "split.txt").write_text("a\n")
    assert resolve({"scans": "scans", "split": "split.txt"}).left_out == ""


def test_layout_decides_which_files_are_scans(scans):
    """By their suffix."""
    (scans / "n.pcd.bin").touch()
    run = resolve({"scans": "scans", "layout": "nuscenes"})
    assert run.scans == ["n"]
    assert run.source.file("n") == "scans/n.pcd.bin"


def test_layout_of_own_fields(scans):
    """As `load_layout` takes them."""
    fields = [{"time": "float64"}, {"-y": "int16/100"}, {"x": "float32"}, {"z": "int8"}]
    run = resolve({"scans": "scans", "layout": fields})
    assert run.layout == load_layout(fields)
    assert run.layout.record.itemsize == 15
    assert run.settings["layout"] == fields
    message = "layout: no field z, expected one, in time, y, x"
    with pytest.raises(ValueError, match=message):
        resolve({"scans": "scans", "layout": fields[:3]})


def test_batches_hold_all_scans(scans):
    """Of `scans_per_job` scans each, or 500."""
    run = resolve({"scans": "scans", "scans_per_job": 1})
    assert [*run.batches.values()] == [["a"], ["drive/b"]]
    first = next(iter(run.batches))
    assert run.marks[0] == f"results/.birdview/finished/{first}"
    assert run.scans_of(first) == ["a"]
    message = f"^batch 9: unknown, expected one of 2, such as {first}$"
    with pytest.raises(ValueError, match=message):
        run.scans_of("9")
    assert [*resolve({"scans": "scans"}).batches.values()] == [["a", "drive/b"]]


def test_batches_are_the_default_on_a_cluster(scans, open_bucket):
    """And with a bucket on either side; on one machine, each image has a job."""
    local, remote = {"scans": "scans"}, {"scans": "s3://b/kitti"}
    assert not resolve(local).is_batched
    assert resolve(local | {"scans_per_job": 1}).is_batched
    assert resolve(local, is_local=False).is_batched
    assert resolve(local, "s3://b/images", open_bucket).is_batched
    assert resolve(remote, None, open_bucket).is_batched


def test_replaced_setting_names_its_successor(scans):
    """Whatever its value."""
    message = (
        "config: part_size is no longer a setting: set scans_per_job, which renders as "
        "many scans in one job"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        resolve({"scans": "scans", "part_size": 0})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scans": "nowhere"}, "scans: no folder at {folder}/nowhere, expected one "
         "with scans"),
        ({"scans": "empty"}, "scans: no .bin file in {folder}/empty or below, expected "
         "one for each scan"),
        ({"scans": "scans", "split": "no.txt"}, "split: no file no.txt, expected one "
         "with the name of a scan in each line"),
        ({"scans": "scans", "labels": "x"}, "labels: no folder at {folder}/x/label_2, "
         "expected KITTI's labels"),
        ({"split": "split.txt"}, "scans: null, but a is not a scan of the demo, such "
         "as demo/000000: expected the folder of the scans"),
        ({"scans": "odd"}, "'odd/{x}.bin': invalid scan name: {...} and <...> are "
         "Snakemake wildcards"),
        ({"scans": "a{b}"}, "scans: '{folder}/a{b}': invalid path of scans: "
         "{...} and <...> are Snakemake wildcards"),
        ({"scans": "a<b>"}, "scans: '{folder}/a<b>': invalid path of scans: {...} "
         "and <...> are Snakemake wildcards"),
    ],
)  # fmt: skip
def test_error_of_scans_waits_until_they_are_asked_for(scans, settings, message):
    """So targets that need no scan work nevertheless."""
    for folder in ("empty", "odd", "a{b}", "a<b>"):
        (scans.parent / folder).mkdir()
    for file in ("odd/{x}.bin", "a{b}/0.bin", "a<b>/0.bin"):
        (scans.parent / file).touch()
    (scans.parent / "split.txt").write_text("a\n")
    run = resolve(settings)
    assert list(run.encodings) == ["notebook"]
    assert run.grids
    needs = ["scans", "invalid", "labelled", "failures", "images", "batches"]
    message = re.escape(message.replace("{folder}", str(scans.parent)))
    for name in (*needs, "marks", "few_scan_files"):
        with pytest.raises((OSError, ValueError), match=f"^{message}$"):
            getattr(run, name)
    with pytest.raises((OSError, ValueError), match=f"^{message}$"):
        run.scan_file("0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "split: nothing in train.txt, expected the name of a scan in each line"),
        (b"a\n../b\n", "split: train.txt, line 2: '../b', expected the path of a scan "
         "below scans, without suffix"),
        (b"/data/a\n", "split: train.txt, line 1: '/data/a' is not in {scans}, "
         "expected the path of a scan below scans, without suffix, such as a"),
        (b"\xff\xfe", "split: nothing in train.txt, expected the name of a scan in "
         "each line"),
        (b"\xe4\n", "split: train.txt is neither UTF-8 text nor UTF-16 with a byte "
         "order mark, expected names of scans: save it as UTF-8"),
        (b"a\0\n\0", "split: train.txt is neither UTF-8 text nor UTF-16 with a byte "
         "order mark, expected names of scans: save it as UTF-8"),
        (b"B\nd\n", "split: train.txt: 2 of 2 scans not found in {scans}, the first in "
         "line 1: 'B'; the nearest name that exists is drive/b; expected the path of a "
         "scan below scans in each line, without suffix"),
        (b"boxes/1\n", "scans: scans/boxes/1.bin, expected another folder than "
         "boxes/: results/<encoding>/boxes/ is for pictures of boxes"),
        (b"demo/1\n", "scans: scans/demo/1.bin, expected another folder than "
         "demo/: results/<encoding>/demo/ is for the demo's images"),
    ],
)  # fmt: skip
def test_invalid_split_is_an_error(scans, text, message):
    """Of the scans, in one line."""
    for folder in ("boxes", "demo"):
        (scans / folder).mkdir()
        (scans / folder / "1.bin").touch()
    message = message.replace("{scans}", str(scans))
    (scans.parent / "train.txt").write_bytes(text)
    run = resolve({"scans": "scans", "split": "train.txt"})
    with pytest.raises((OSError, ValueError), match=f"^{re.escape(message)}$"):
        _ = run.images


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scan": "x"}, "config: Additional properties are not allowed ('scan' was"),
        ({"encodings": ["mv4d"]}, "unknown encoding mv4d (did you mean mv3d?)"),
        ({"layout": "nuscenes"}, "scans: null, expected a folder for the layout nusc"),
        (
            {"scans_per_job": 0},
            "config: scans_per_job: 0 is less than the minimum of 1",
        ),
        ({None: "x"}, "config: Additional properties are not allowed (None was"),
        ({"layout": "pcap"}, "unknown layout pcap; built-in layouts: "),
        ({"demo": {"scans": "x"}}, "config: demo: scans: 'x', expected a whole number"),
        (
            {"reference": "a", "compare_with": "b"},
            "config: reference and compare_with are given, expected compare_with "
            "alone, which is its new name",
        ),
    ],
)
def test_invalid_settings_are_an_error_at_once(scans, settings, message):
    """In one line."""
    with pytest.raises((OSError, ValueError), match=re.escape(message)) as caught:
        resolve(settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["scanz=a"], "config: Additional properties are not allowed ('scanz' was "
         "unexpected) (did you mean scans?); allowed: scans, match, split, layout, "
          "suffix, frame, strict, labels, camera_view, sweeps, level, sensors, "
          "point_labels, bag, topic, compare_with, bundle, encodings, scans_per_job, "
          "dataset, predictions, frame_rate, demo"),
        (["encodings=[]"], "config: encodings: [] should be non-empty"),
        (["encodings=[mv4d]"], "unknown encoding mv4d (did you mean mv3d?); built-in "
         "encodings: {built_in}; for any other, give the path of its .yaml file"),
        (["encodings=[a/b.yaml]"], "a/b.yaml: no such file, expected an encoding's "
         "yaml"),
        (["layout=sick"], "unknown layout sick; built-in layouts: {layouts}; for any "
         "other, give the path of its .yaml file"),
        (["layout=a/b.yaml"], "a/b.yaml: no such file, expected a layout's yaml"),
        (["layout=[{x: float32}, {y: float}]"], "layout: y: float (did you mean "
         "float32?), expected one of float32, float64, float16, uint8, uint16, uint32, "
         "uint64, int8, int16, int32, int64, with a divisor or a factor and an offset "
         "if it needs them, such as uint16/65535 or uint16*0.005-100"),
        (["frame={jaw: 1}"], "config: frame: Additional properties are not allowed "
         "('jaw' was unexpected) (did you mean yaw?); allowed: height, yaw, pitch, "
         "roll, matrix"),
        (["frame=4"], "config: frame: 4, expected keys and values: "
         "'frame={height: 4}' on the command line"),
        (["frame={height: high}"], "config: frame: height: 'high' is not of type "
         "'number'"),
        (["suffix=bin"], "config: suffix: bin, expected a dot in front, as in .bin"),
        (["layout={x: float32}"], "config: layout: {'x': 'float32'}, expected "
         "text or a list"),
        (["layout=[x]"], "config: layout: 0: 'x', expected keys and values"),
        (["layout=[{x: float32}]"], "layout: no field y, expected one, in x"),
        (["layout=nuscenes"], "scans: null, expected a folder for the layout nuscenes: "
         "-y, x, z, intensity, ring"),
        (["labels=nowhere"], "labels: no folder at {folder}/nowhere/label_2, expected "
         "KITTI's labels"),
        (["camera_view=true"], "camera_view: the demo has no camera, expected null or "
         "scans"),
        (["scans=.", "camera_view=true"], "camera_view: no path and no labels, "
         "expected the folder of calib and image_2: `camera_view: {path: "
         "kitti/training}`"),
        (["camera_view={image: [1242]}"], "config: camera_view: image: [1242] is too "
         "short"),
        (["camera_view={image: [0, 9]}"], "config: camera_view: image: 0: 0 is less "
         "than the minimum of 1"),
        (["camera_view=on"], "config: camera_view: 'on', expected true or false "
         "or keys and values or null"),
        (["camera_view={size: 1}"], "config: camera_view: Additional properties are "
         "not allowed ('size' was unexpected); allowed: image, path"),
        (["demo={scans: 0}"], "config: demo: scans: 0 is less than the minimum of 1"),
        (["demo={scans: x}"], "config: demo: scans: 'x', expected a whole number"),
        (["demo={scans: 1.5}"], "config: demo: scans: '1.5', expected a whole number"),
        (["frame_rate=0"], "config: frame_rate: 0 is less than or equal to the minimum "
         "of 0"),
        (["frame_rate=61"], "config: frame_rate: 61 is greater than the maximum of 60"),
        (["frame_rate=fast"], "config: frame_rate: 'fast', expected a number"),
        (["demo={size: 1}"], "config: demo: Additional properties are not allowed "
         "('size' was unexpected); allowed: scans, seed"),
        (["scans=2011_09_26"], "config: scans: 20110926, expected text or null; "
         "yaml takes it for a number: put ./ before the name of a file or a "
         "folder, as in ./2011_09_26"),
        (["reference=a.tsv", "compare_with=b.tsv"], "config: reference and "
         "compare_with are given, expected compare_with alone, which is its new name"),
        (["scans=nowhere"], "scans: no folder at {folder}/nowhere, expected one with "
         "scans"),
        (["scans=."], "scans: no .bin file in {folder} or below, expected one for each "
         "scan"),
    ],
)  # fmt: skip
def test_error_in_settings_of_the_command_line(
    tmp_path, monkeypatch, settings, message
):
    """With file or key, what was found and what was expected."""
    monkeypatch.chdir(tmp_path)
    names = {"folder": tmp_path, "built_in": ", ".join(sorted([*LOOPS, "semantic"]))}
    names["layouts"] = ", ".join(sorted(file.stem for file in LAYOUTS.glob("*.yaml")))
    for name, value in names.items():
        message = message.replace(f"{{{name}}}", str(value))
    with pytest.raises((OSError, ValueError)) as caught:
        _ = resolve(parse_config(settings)).scans
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("slice: each", "slices: each", "own.yaml: channels: 0: Additional properties "
         "are not allowed ('slices' was unexpected) (did you mean slice?); allowed: "
         "name, statistic, of, values, unit, slice, range, log"),
        ("max: 40", "max: 40.2", "own.yaml: region: x: 80.4 cells of 0.5 m from min to "
         "max, expected a whole number"),
    ],
)  # fmt: skip
def test_error_in_an_own_encoding_names_file_and_key(scans, old, new, message):
    """And what was found and what was expected, in one line."""
    assert old in OWN
    (scans.parent / "own.yaml").write_text(OWN.replace(old, new))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        resolve({"scans": "scans", "encodings": ["own.yaml"]})


def test_two_encodings_cannot_have_the_same_name(scans):
    """They would write the same images."""
    (scans.parent / "mv3d.yaml").write_text(OWN)
    message = r"^mv3d\.yaml: two encodings mv3d, expected different names$"
    with pytest.raises(ValueError, match=message):
        resolve({"scans": "scans", "encodings": ["mv3d", "mv3d.yaml"]})


@pytest.mark.parametrize("module", ["steps", "growth"])
def test_benchmark_takes_only_the_layout_kitti(scans, module):
    """It compares with readers that know no other."""
    run = resolve({"scans": "scans", "layout": "waymo6"})
    message = r"^layout: waymo6, expected kitti as it is: the benchmark reads no other$"
    log, module = scans.parent / "a.log", f"birdview.benchmark.{module}"
    with pytest.raises(ValueError, match=message):
        jobs.run_benchmark(run, module, run.few_scan_files, 1, "Snakefile", log)
    assert not log.exists()


def test_values_that_arrive_as_text_are_converted(scans):
    """As Snakemake passes nested values of --config; text stays where it is wanted."""
    run = resolve(
        {
            **{
                "scans": "null",
                "labels": "Null",
                "scans_per_job": "7",
                "frame_rate": "2.5",
            },
            "demo": {"scans": "03", "seed": "0"},
        }
    )
    assert run.settings["demo"] == {"scans": 3, "seed": 0}
    assert (run.settings["scans"], run.settings["labels"]) == (None, None)
    assert (run.settings["scans_per_job"], run.settings["frame_rate"]) == (7, 2.5)
    for text in ("123", "true", "1e3"):
        assert resolve({"scans": text}).settings["scans"] == text


def test_former_key_still_works(scans):
    """Also beside the new one's default, which config.yaml has."""
    for more in ({}, {"compare_with": None}):
        run = resolve({"reference": "their/manifest.tsv"} | more)
        assert run.settings["compare_with"] == "their/manifest.tsv"
        assert "reference" not in run.settings


def test_run_is_frozen(scans):
    """Nothing that a job does can change it."""
    run = resolve({"scans": "scans"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.results_prefix = "s3://x"


def test_state_changes_with_the_file(scans):
    """With its size and time."""
    source = resolve({"scans": "scans"}).source
    states = [source.state("a"), source.state("no")]
    (scans / "a.bin").write_bytes(bytes(16))
    states.append(source.state("a"))
    os.utime(scans / "a.bin", ns=(0, 0))
    states.append(source.state("a"))
    assert all(states.count(state) == 1 for state in states)
    assert source.state("a") == states[-1]


def test_labels_give_files_and_pictures(scans):
    """For the scans that have some."""
    (scans.parent / "kitti" / "label_2").mkdir(parents=True)
    (scans.parent / "kitti" / "calib").mkdir()
    (scans.parent / "kitti" / "label_2" / "a.txt").touch()
    run = resolve({"scans": "scans", "labels": "kitti"})
    assert run.labelled == ["a"]
    assert run.boxed_pictures == ["results/notebook/boxes/a.png"]
    assert run.label_files("a") == ("kitti/label_2/a.txt", "kitti/calib/a.txt")
    message = "labels: null, expected the folder of label_2 and calib"
    with pytest.raises(ValueError, match=message):
        _ = resolve({"scans": "scans"}).boxed_pictures


class StorageObject:
    """Stand in for that of Snakemake's plugin: a path in a bucket that holds scans."""

    keys = (
        *("kitti/e/a.bin", "kitti/b#c.bin", "kitti/a.bin", "kitti/README.txt"),
        *("kitti/._a.bin", "kitti/Trash/e/a.bin", "kitti/Trash/e/b.bin"),
    )

    def __init__(self, query):
        self.query = query
        self.bucket, _, self.key = query.removeprefix("s3://").partition("/")
        self.key = self.key or "."
        self.provider = MagicMock()

    def get_subkeys(self):
        return [
            SimpleNamespace(key=key, e_tag=f"tag {number}")
            for number, key in enumerate(self.keys)
            if key.startswith(f"{self.key}/")
        ]


@pytest.fixture
def open_bucket(monkeypatch):
    """Return a function that opens a bucket; its `opened` lists what it returned."""

    def open_bucket(query):
        open_bucket.opened.append(StorageObject(query))
        return open_bucket.opened[-1]

    open_bucket.opened = []
    # The libraries whose errors these are belong to the cluster's environment.
    monkeypatch.setattr("birdview.bucket._errors_of", lambda *_: nullcontext())
    return open_bucket


def test_scans_in_a_bucket(scans, open_bucket):
    """Names that the plugin would read as others are invalid there."""
    run = resolve({"scans": "s3://b/kitti/"}, None, open_bucket)
    assert isinstance(run.source, Bucket)
    assert run.scans == ["a", "e/a"]
    assert run.source.file("a") == "s3://b/kitti/a.bin"
    assert run.source.state("a") == ["tag 2"]
    assert run.source.is_remote
    assert run.invalid == {
        "b#c": "'s3://b/kitti/b#c.bin': invalid scan name: the storage plugin would "
        "take another object"
    }
    (scans.parent / "split.txt").write_text("a\nd\n")
    assert run.left_out == (
        "scans: 1 file and 1 folder left out: ._a.bin, Trash (names that begin with a "
        "dot, trash and the like)"
    )
    settings = {"scans": "s3://b/kitti", "split": "split.txt"}
    run = resolve(settings, None, open_bucket)
    assert run.scans == ["a"]
    assert run.invalid == {
        "d": "split: split.txt: 1 of 2 scans not found in s3://b/kitti, the first in "
        "line 2: 'd'; one that exists is a; expected the path of a scan below scans "
        "in each line, without suffix"
    }
    (scans.parent / "split.txt").write_text("s3://b/kitti/e/a.bin\n")
    assert resolve(settings, None, open_bucket).scans == ["e/a"]
    (scans.parent / "split.txt").write_text("s3://b/lyft/e/a.bin\n")
    message = (
        "split: split.txt, line 1: 's3://b/lyft/e/a.bin' is not in s3://b/kitti, "
        "expected the path of a scan below scans, without suffix, such as e/a"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _ = resolve(settings, None, open_bucket).scans


def test_match_chooses_scans_in_a_bucket(scans, open_bucket):
    """As in a folder."""
    settings = {"scans": "s3://b/kitti"}
    run = resolve(settings | {"match": "*/*.bin"}, None, open_bucket)
    assert run.scans == ["e/a"]
    message = (
        "match: 'f/*.bin': 0 of 3 .bin objects in s3://b/kitti match, expected a "
        "pattern of their paths below it, such as a.bin; 1 file and 1 folder left out: "
        "._a.bin, Trash (names that begin with a dot, trash and the like)"
    )
    run = resolve(settings | {"match": ["*.bin", "f/*.bin"]}, None, open_bucket)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _ = run.scans


def test_objects_of_other_suffixes_are_named(scans, open_bucket):
    """As files are."""
    run = resolve({"scans": "s3://b/kitti", "suffix": ".pcd"}, None, open_bucket)
    message = (
        "scans: no .pcd object in s3://b/kitti or below, expected one for each scan; "
        "found 3 .bin (set `suffix: .bin`, or a layout with it, such as kitti) and 1 "
        ".txt; 1 folder left out: Trash (names that begin with a dot, trash and the "
        "like)"
    )
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"):
        _ = run.scans


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("s3://b/empty", "scans: no .bin object in s3://b/empty or below, expected"),
        ("s3://b", "scans: s3://b, expected a path in a bucket, without # or ?"),
        ("s3://b/a#b", "scans: s3://b/a#b, expected a path in a bucket, without #"),
    ],
)
def test_error_of_a_bucket_waits_until_scans_are_asked_for(
    scans, open_bucket, folder, message
):
    """As that of a folder."""
    run = resolve({"scans": folder}, None, open_bucket)
    with pytest.raises((OSError, ValueError), match=re.escape(message)):
        _ = run.scans


def test_images_in_a_bucket(scans, open_bucket):
    """Not the demo's, and not for targets that need them here."""
    with pytest.raises(ValueError, match="scans: null, expected scans for images in"):
        resolve({}, "s3://images", open_bucket)
    run = resolve({"scans": "scans"}, "s3://images", open_bucket)
    assert run.results_prefix == "s3://images"
    client = open_bucket.opened[-1].provider.s3c.meta.client
    client.list_objects_v2.assert_called_once_with(Bucket="images", MaxKeys=1)
    with pytest.raises(ValueError, match="default-storage-prefix: the images are in"):
        run.check_images_are_local()
    assert (
        resolve({"scans": "scans"}, "/nfs/results", open_bucket).results_prefix is None
    )
