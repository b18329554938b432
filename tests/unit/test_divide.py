"""Divide the scans of a run into the splits of a data set."""

import hashlib
import random
import re
from itertools import chain

import pytest

from birdview.run import resolve
from birdview.sources import Folder
from birdview.training.divide import check_splits, divide

DRIVES = [f"drive_{drive}/{number:06}" for drive in range(50) for number in range(20)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return where scans are, and work there."""
    monkeypatch.chdir(tmp_path)
    return Folder(str(tmp_path / "scans")).place


def number_of(name):
    """Return the number from 0 to 1 that a name is hashed to, by other means."""
    return float.fromhex(f"0x0.{hashlib.sha256(name.encode()).hexdigest()[:12]}")


def test_share_goes_by_the_hash_of_the_name(place):
    """In the order of the splits; what is above all shares is in no split."""
    names = ["000000", "drive/000001", "ü"]
    hashed = {name: number_of(name) for name in names}
    assert [round(number, 3) for number in hashed.values()] == [0.569, 0.066, 0.377]
    splits = {"val": 0.2, "train": 0.3}
    assert divide(names, splits, "scan", place) == {
        "val": ["drive/000001"],
        "train": ["ü"],
    }
    assert divide(names, {"train": 1}, "scan", place) == {"train": names}


def test_shares_are_kept_within_statistical_bounds(place):
    """Of 10,000 names: four standard deviations."""
    names = [f"{number:06}" for number in range(10_000)]
    splits = {"train": 0.7, "val": 0.2, "test": 0.1}
    divided = divide(names, splits, "scan", place)
    assert sorted(chain(*divided.values())) == names
    for name, share in splits.items():
        deviation = (10_000 * share * (1 - share)) ** 0.5
        assert abs(len(divided[name]) - 10_000 * share) < 4 * deviation


@pytest.mark.parametrize("by", ["scan", "drive"])
def test_scan_keeps_its_split_when_others_come(place, by):
    """Whatever the others are, and in whatever order."""
    few = DRIVES[::7]
    splits = {"train": 0.8, "val": 0.2}
    before = divide(few, splits, by, place)
    shuffled = random.Random(0).sample(DRIVES, len(DRIVES))
    after = divide(shuffled, splits, by, place)
    for name in splits:
        assert set(before[name]) == set(after[name]) & set(few)
        assert before[name]


def test_drive_is_in_one_split(place):
    """It goes by its own name, and scans that are in no folder are one drive."""
    flat = ["a", "b", "c"]
    divided = divide(DRIVES + flat, {"train": 0.5, "val": 0.5}, "drive", place)
    drives = [{scan.rpartition("/")[0] for scan in scans} for scans in divided.values()]
    assert all(len(folders) > 10 for folders in drives)
    assert drives[0].isdisjoint(drives[1])
    assert drives[0] == {
        folder for folder in drives[0] | drives[1] if number_of(folder) < 0.5
    }


def test_files_name_scans_and_shares_take_the_rest(place, tmp_path):
    """A file is read as the setting `split`: a suffix and absolute paths are fine."""
    names = DRIVES[:100]
    (tmp_path / "test.txt").write_bytes(
        f"{names[3]}.bin\r\n{tmp_path}/scans/{names[5]}.bin\r\n".encode("utf-16")
    )
    splits = {"train": 0.6, "test": "test.txt", "val": 0.2}
    divided = divide(names, splits, "scan", place)
    rest = [scan for scan in names if scan not in (names[3], names[5])]
    assert divided == {
        "train": [scan for scan in rest if number_of(scan) < 0.6],
        "test": [names[3], names[5]],
        "val": [scan for scan in rest if 0.6 <= number_of(scan) < 0.8],
    }
    assert divide(names, {"test": "test.txt"}, "scan", place) == {
        "test": [names[3], names[5]]
    }


def test_three_shares_are_all(place):
    """Although 0.7 + 0.2 + 0.1 is not 1 in binary."""
    check_splits({"a": 0.7, "b": 0.2, "c": 0.1})
    check_splits({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3, "d": 1e-10})


NAME = "the name becomes that of a folder, expected letters, digits, _ and -"
SHARE = (
    "expected a share above 0 and up to 1, or the path of a file with names of scans"
)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": 0.8, "val": 0.3}, "shares of 1.1 in all, expected at most 1"),
        ({"train": 1, "val": 1e-8}, "shares of 1.00000001 in all, expected at most 1"),
        ({"train": 0.5, "val": 0}, f"val: 0, {SHARE}"),
        ({"train": -0.1}, f"train: -0.1, {SHARE}"),
        ({"train": 1.1}, f"train: 1.1, {SHARE}"),
        ({"train": float("nan")}, f"train: nan, {SHARE}"),
        ({"a/b": 0.5}, f"'a/b': {NAME}"),
        ({"..": 0.5}, f"'..': {NAME}"),
        ({"": 0.5}, f"'': {NAME}"),
        ({"-a": 0.5}, f"'-a': {NAME}"),
        ({"ü": 0.5}, f"'ü': {NAME}"),
        ({"names": 0.5}, "names: a key of data.yaml, expected another name than path, "
         "names, nc, channels, download, kpt_shape, flip_idx, masks_dir, "
         "label_mapping"),
        ({1: 0.5}, "1, expected text: put quotes around it"),
        ({"val": 0.2, "Val": 0.2}, "val and Val would have the same folder on some "
         "disks, expected different names"),
        ({"train": "one.txt", "test": 0.5, "val": "two.txt"}, "train and val share 2 "
         "scans, the first is drive_0/000001, expected each scan in one split"),
        ({"train": "one.txt", "val": "last.txt"}, "train and val share 1 scan, the "
         "first is drive_0/000002, expected each scan in one split"),
        ({"val": "missing.txt"}, "val: missing.txt: 2 of 3 scans not found in the run, "
         "the first in line 2: 'drive_0/000077'; the nearest name that exists is "
         "drive_0/000017; expected the path of a scan below scans in each line, "
         "without suffix"),
        ({"val": "elsewhere.txt"}, "val: elsewhere.txt, line 1: '/else/000003.bin' is "
         "not in the run, expected the path of a scan below scans, without suffix, "
         "such as drive_0/000003"),
        ({"val": "empty.txt"}, "val: nothing in empty.txt, expected the name of a scan "
         "in each line"),
        ({"val": "binary.txt"}, "val: binary.txt is neither UTF-8 text nor UTF-16 with "
         "a byte order mark, expected names of scans: save it as UTF-8"),
        ({"val": "no.txt"}, "val: no file no.txt, expected one with the name of a scan "
         "in each line"),
    ],
)  # fmt: skip
def test_errors(place, tmp_path, splits, message):
    """One line, which begins with the key."""
    for name, text in {
        "one": "drive_0/000002\ndrive_0/000001\n",
        "two": "drive_0/000001\ndrive_0/000002\ndrive_0/000003\n",
        "last": "drive_0/000002",
        "missing": "drive_0/000001\ndrive_0/000077\nx\n",
        "elsewhere": "/else/000003.bin\n",
        "empty": "\n",
        "binary": "a\0",
    }.items():
        (tmp_path / f"{name}.txt").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        divide(DRIVES[:20], splits, "scan", place)
    assert str(error.value) == f"dataset: splits: {message}"


def test_settings_of_a_run(tmp_path, monkeypatch):
    """Null means the defaults; a share may arrive as text; the sum is checked."""
    monkeypatch.chdir(tmp_path)
    defaults = {"splits": {"train": 0.8, "val": 0.2}, "by": "scan"}
    for settings in ({}, {"dataset": None}, {"dataset": "null"}, {"dataset": {}}):
        run = resolve(settings)
        assert defaults.items() <= run.settings["dataset"].items()
        assert sorted(chain(*run.splits.values())) == run.scans
    run = resolve({"dataset": {"splits": {"all": "1"}, "by": "drive"}})
    assert run.settings["dataset"]["splits"] == {"all": 1.0}
    assert run.splits == {"all": run.scans}
    (tmp_path / "test.txt").write_text("demo/000003\n")
    run = resolve({"dataset": {"splits": {"test": "test.txt"}}})
    assert run.splits == {"test": ["demo/000003"]}
    for dataset, message in (
        ({"splits": {"a": 0.8, "b": 0.8}}, "dataset: splits: shares of 1.6 in all"),
        (
            {"splits": {"a": None}},
            "config: dataset: splits: a: None, expected a number or text",
        ),
        ({"splits": {}}, "config: dataset: splits: {} should be non-empty"),
        ({"by": "day"}, "config: dataset: by: day, expected one of scan, drive"),
        (0, "config: dataset: 0, expected keys and values"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            resolve({"dataset": dataset})
