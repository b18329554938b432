"""Which scans a folder holds."""

import re

import pytest

from birdview import bucket
from birdview.dataset import divide, find_labelled, find_scans, find_unfit, name_scans


def test_finds_scans_in_sub_folders(tmp_path):
    """By their paths without suffix, sorted; other files are not scans."""
    for name in ("b.bin", "drive_1/data/0.bin", "a b.bin", "a.pcd.bin", "c.txt", "bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_scans(tmp_path) == ["a b", "a.pcd", "b", "drive_1/data/0"]


def test_follows_links_but_not_in_circles(tmp_path):
    """People collect drives by links."""
    scans, drive = tmp_path / "scans", tmp_path / "drive"
    scans.mkdir()
    drive.mkdir()
    (drive / "0.bin").touch()
    (scans / "linked").symlink_to(drive)
    (drive / "up").symlink_to(scans)
    assert find_scans(scans) == ["linked/0"]


def test_no_scans_is_an_error_that_says_where(tmp_path):
    """An empty folder, and none at all."""
    message = f"scans: no .bin file in {tmp_path} or below, expected one for each scan"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_scans(tmp_path)
    message = f"scans: no folder at {tmp_path / 'no'}, expected one with scans"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_scans(tmp_path / "no")


def test_names_of_a_drive():
    """Six digits, as KITTI's."""
    assert name_scans(2) == ["000000", "000001"]


def test_longer_suffix(tmp_path):
    """Files that end otherwise are not scans of such a layout."""
    for name in ("a.pcd.bin", "b.bin", "c/d.pcd.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_scans(tmp_path, ".pcd.bin") == ["a", "c/d"]


def test_folder_that_is_taken(tmp_path):
    """The pictures of boxes are there; deeper down it is a name like others."""
    (tmp_path / "a" / "boxes").mkdir(parents=True)
    (tmp_path / "a" / "boxes" / "0.bin").touch()
    assert find_scans(tmp_path) == ["a/boxes/0"]
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "0.bin").touch()
    message = f"scans: {tmp_path}/boxes/ holds scans, expected another name"
    with pytest.raises(ValueError, match=re.escape(message)):
        find_scans(tmp_path)


def test_scans_with_labels(tmp_path):
    """Those that have one, in sub-folders too."""
    (tmp_path / "label_2" / "b").mkdir(parents=True)
    for name in ("0", "b/1", "9"):
        (tmp_path / "label_2" / f"{name}.txt").touch()
    assert find_labelled(tmp_path, ["0", "2", "b/1"]) == ["0", "b/1"]


def test_no_labels_is_an_error_that_says_where(tmp_path):
    """No folder, and none that fits."""
    folder = tmp_path / "label_2"
    message = f"labels: no folder at {folder}, expected KITTI's labels"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_labelled(tmp_path, ["0"])
    folder.mkdir()
    message = f"labels: none in {folder} for a scan, such as 0.txt"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_labelled(tmp_path, ["0"])


def test_unfit_names():
    """Those that Snakemake or the results' folders do not take, with the reason."""
    fit = ["a", "a b", "b/{", "b/}c", "00000000000000000000x", "x.png", "deep/er/0"]
    unfit = {
        "{x}": "Snakemake takes {...} and <...> for something else",
        "b/{x}/0": "Snakemake takes {...} and <...> for something else",
        "a<b>": "Snakemake takes {...} and <...> for something else",
        "a\nb": "a tab or a line's end does not fit into the lists of scans",
        "\udcff": "it is not UTF-8",
        "ab" * 20: "it ends with twenty times the same, to Snakemake a loop",
        "a.png/0": "the folder a.png would be where the file a.png of another is",
        "a.log/b/0": "the folder a.log would be where the file a.log of another is",
        "grid.json/0": "the folder grid.json would be where the file grid.json of "
        "another is",
    }
    assert find_unfit([*fit, *unfit]) == unfit
    assert find_unfit(fit) == {}


def test_parts():
    """Of one size, but for the last one."""
    scans = name_scans(5)
    assert divide(scans, 2) == {
        "00000": scans[:2],
        "00001": scans[2:4],
        "00002": scans[4:],
    }
    assert divide(scans, 9) == {"00000": scans}


@pytest.mark.parametrize("name", ["a#1", "b?", "c//d", "../e", "f/./g"])
def test_names_that_are_others_in_a_bucket(name):
    """On a disk, some of them are fine."""
    assert list(find_unfit(["a", name], bucket.UNFIT)) == [name]
