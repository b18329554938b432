"""Find and name the scans of a run."""

import re

import pytest

from birdview import bucket
from birdview.scans import (
    INVALID_NAMES,
    check_folders,
    find_invalid_names,
    find_labelled,
    find_scans,
    split_into_parts,
)


def test_finds_scans_in_sub_folders(tmp_path):
    """Named by their paths without suffix, sorted; other files are not scans."""
    for name in ("b.bin", "drive_1/data/0.bin", "a b.bin", "a.pcd.bin", "c.txt", "bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_scans(tmp_path) == ["a b", "a.pcd", "b", "drive_1/data/0"]


def test_follows_links_but_not_in_circles(tmp_path):
    """People collect drives with links."""
    scans, drive = tmp_path / "scans", tmp_path / "drive"
    scans.mkdir()
    drive.mkdir()
    (drive / "0.bin").touch()
    (scans / "linked").symlink_to(drive)
    (drive / "up").symlink_to(scans)
    assert find_scans(scans) == ["linked/0"]


def test_folder_behind_several_links_is_found_behind_each(tmp_path):
    """Only circles are cut; whichever way is walked first."""
    (tmp_path / "a" / "data").mkdir(parents=True)
    (tmp_path / "a" / "data" / "0.bin").touch()
    (tmp_path / "a" / "1.bin").touch()
    for name in ("A", "b", "z"):
        (tmp_path / name).symlink_to("a")
    found = [f"{folder}/{scan}" for folder in "Aabz" for scan in ("1", "data/0")]
    assert find_scans(tmp_path) == found


def test_skips_a_folder_with_other_files(tmp_path):
    """Under whichever name."""
    for name in ("0.bin", "results/demo/1.bin", "results/2.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("results/demo")
    skip = tmp_path / "results" / "demo"
    assert find_scans(tmp_path, skip=skip) == ["0", "results/2"]


def test_no_scans_is_an_error_that_names_the_folder(tmp_path):
    """An empty folder, and a missing one."""
    message = f"scans: no .bin file in {tmp_path} or below, expected one for each scan"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_scans(tmp_path)
    message = f"scans: no folder at {tmp_path / 'no'}, expected one with scans"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_scans(tmp_path / "no")


def test_finds_only_files_with_the_suffix_of_the_layout(tmp_path):
    """A longer suffix leaves out other .bin files."""
    for name in ("a.pcd.bin", "b.bin", "c/d.pcd.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_scans(tmp_path, ".pcd.bin") == ["a", "c/d"]


@pytest.mark.parametrize("folder", ["boxes/", "demo/"])
def test_reserved_folders_are_rejected_at_the_top_only(folder):
    """There are other pictures in results/<encoding>/boxes/ and demo/."""

    def file_of(scan):
        return f"here/{scan}.bin"

    check_folders(["0", f"a/{folder}0", folder[:-1]], file_of)
    message = f"scans: here/{folder}0.bin, expected another folder than {folder}: "
    with pytest.raises(ValueError, match=re.escape(message)):
        check_folders(["0", f"{folder}0"], file_of)


def test_finds_scans_with_labels(tmp_path):
    """In sub-folders too."""
    (tmp_path / "label_2" / "b").mkdir(parents=True)
    for name in ("0", "b/1", "9"):
        (tmp_path / "label_2" / f"{name}.txt").touch()
    assert find_labelled(tmp_path, ["0", "2", "b/1"]) == ["0", "b/1"]


def test_no_labels_is_an_error_that_names_the_folder(tmp_path):
    """A missing folder, and one without a label for any scan."""
    folder = tmp_path / "label_2"
    message = f"labels: no folder at {folder}, expected KITTI's labels"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_labelled(tmp_path, ["0"])
    folder.mkdir()
    message = f"labels: none in {folder} for a scan, such as 0.txt"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_labelled(tmp_path, ["0"])


def test_invalid_names_are_found_with_the_reason():
    """Names that Snakemake or the folders in results/ cannot take."""
    valid = ["a", "a b", "b/{", "b/}c", "00000000000000000000x", "x.png", "deep/er/0"]
    invalid = {
        "{x}": "{...} and <...> are Snakemake wildcards",
        "b/{x}/0": "{...} and <...> are Snakemake wildcards",
        "a<b>": "{...} and <...> are Snakemake wildcards",
        "a\nb": "tabs and line breaks do not fit into the lists of scans",
        "\udcff": "it is not UTF-8",
        "ab"
        * 20: "it ends in a pattern repeated 20 times, which Snakemake rejects as a "
        "cyclic wildcard",
        "a.png/0": "the folder a.png would replace the file a.png",
        "a.log/b/0": "the folder a.log would replace the file a.log",
        "grid.json/0": "the folder grid.json would replace the file grid.json",
    }
    assert find_invalid_names([*valid, *invalid]) == invalid
    assert find_invalid_names(valid) == {}


def test_parts_have_one_size_but_for_the_last():
    """Numbered from 00000."""
    scans = ["a", "b", "c", "d", "e"]
    assert split_into_parts(scans, 2) == {
        "00000": scans[:2],
        "00001": scans[2:4],
        "00002": scans[4:],
    }
    assert split_into_parts(scans, 9) == {"00000": scans}


@pytest.mark.parametrize("name", ["a#1", "b?", "c//d", "../e", "f/./g"])
def test_some_names_are_invalid_in_a_bucket_only(name):
    """The storage plugin would take another object."""
    patterns = INVALID_NAMES | bucket.INVALID_OBJECT_NAMES
    assert list(find_invalid_names(["a", name], patterns)) == [name]
