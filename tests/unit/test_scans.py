"""Find and name the scans of a run."""

import gzip
import os
import re
import subprocess
import sys

import pytest
from helpers import obey_permissions
from hypothesis import given
from hypothesis import strategies as st

from birdview import bucket, paths
from birdview.patterns import Pattern
from birdview.scans import (
    INVALID_NAMES,
    check_folders,
    find_invalid_names,
    split_into_batches,
)
from birdview.search import Ignored, find_names, find_scans


def test_finds_scans_in_sub_folders(tmp_path):
    """Named by their paths without suffix, sorted; other files are not scans."""
    for name in ("b.bin", "drive_1/data/0.bin", "a b.bin", "a.pcd.bin", "c.txt", "bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_scans(tmp_path).names == ["a b", "a.pcd", "b", "drive_1/data/0"]


def test_follows_links_but_not_in_circles(tmp_path):
    """People collect drives with links."""
    scans, drive = tmp_path / "scans", tmp_path / "drive"
    scans.mkdir()
    drive.mkdir()
    (drive / "0.bin").touch()
    (scans / "linked").symlink_to(drive)
    (drive / "up").symlink_to(scans)
    assert find_scans(scans).names == ["linked/0"]


def test_folder_behind_several_links_is_found_behind_each(tmp_path):
    """Only circles are cut; whichever way is walked first."""
    (tmp_path / "a" / "data").mkdir(parents=True)
    (tmp_path / "a" / "data" / "0.bin").touch()
    (tmp_path / "a" / "1.bin").touch()
    for name in ("A", "b", "z"):
        (tmp_path / name).symlink_to("a")
    found = [f"{folder}/{scan}" for folder in "Aabz" for scan in ("1", "data/0")]
    assert find_scans(tmp_path).names == found


def test_skips_a_folder_with_other_files(tmp_path):
    """Under whichever name."""
    for name in ("0.bin", "results/demo/1.bin", "results/2.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("results/demo")
    skip = tmp_path / "results" / "demo"
    assert find_scans(tmp_path, skip=skip).names == ["0", "results/2"]


def test_no_scans_is_an_error_that_names_the_folder(tmp_path):
    """An empty folder, and a missing one."""
    message = f"scans: no .bin file in {tmp_path} or below, expected one for each scan"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_scans(tmp_path)
    message = f"scans: no folder at {tmp_path / 'no'}, expected one with scans"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        find_scans(tmp_path / "no")


def test_file_pattern_or_misspelt_folder_in_place_of_a_folder(tmp_path):
    """Each with the setting that works."""
    (tmp_path / "velodyne").mkdir()
    (tmp_path / "velodyne" / "0.bin").touch()
    for folder, message in (
        ("velodyne/0.bin", f"{tmp_path}/velodyne/0.bin is a file, expected the folder "
         f"that it is in: scans={tmp_path}/velodyne"),
        ("velodyne/*.bin", f"{tmp_path}/velodyne/*.bin is a pattern, expected a "
         "folder, "
         f"and the pattern as `match`: scans={tmp_path}/velodyne 'match=*.bin'"),
        ("velodine/a", f"no folder at {tmp_path}/velodine/a (did you mean velodyne?), "
         f"expected one with scans"),
        ("velodyne,", f"no folder at {tmp_path}/velodyne, (did you mean velodyne?), "
         f"expected one with scans"),
    ):  # fmt: skip
        with pytest.raises(FileNotFoundError) as caught:
            find_scans(tmp_path / folder)
        assert str(caught.value) == f"scans: {message}"


def test_finds_only_files_with_the_suffix_of_the_layout(tmp_path):
    """A longer suffix leaves out other .bin files."""
    for name in ("a.pcd.bin", "b.bin", "c/d.pcd.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_scans(tmp_path, ".pcd.bin").names == ["a", "c/d"]


def make_files(folder, *names):
    """Make empty files and the folders that they are in."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


TREE = (
    *("training/velodyne/0.bin", "training/velodyne_reduced/0.bin"),
    *("gt_database/0_Car_1.bin", "sequences/00/velodyne/0.bin"),
    *("sequences/00/voxels/0.bin", "sequences/01/velodyne/0.bin"),
    *("sequences/01/velodyne/0.txt", "1.bin", "a/b/velodyne_points/data/0.bin"),
    "a/b/sick_points/data/0.bin",
)


@pytest.mark.parametrize(
    ("match", "names"),
    [
        (None, [name.removesuffix(".bin") for name in TREE if name.endswith(".bin")]),
        ("*.bin", ["1"]),
        ("training/velodyne/*.bin", ["training/velodyne/0"]),
        ("./training//velodyne/*", ["training/velodyne/0"]),
        (
            "sequences/*/velodyne/*.bin",
            ["sequences/00/velodyne/0", "sequences/01/velodyne/0"],
        ),
        ("*/*/velodyne_points/data/*.bin", ["a/b/velodyne_points/data/0"]),
        (
            "**/velodyne/*.bin",
            [
                *("sequences/00/velodyne/0", "sequences/01/velodyne/0"),
                "training/velodyne/0",
            ],
        ),
        ("a/**", ["a/b/sick_points/data/0", "a/b/velodyne_points/data/0"]),
        (["**/?.bin", "1.bin", "training/**/velodyne/**/*.bin"], None),
        ("sequences/0[!1]/v[eo]*/0.bin", None),
    ],
)
def test_match_chooses_scans(tmp_path, match, names):
    """By patterns of their paths; those of a list add up."""
    make_files(tmp_path, *TREE)
    if names is None:
        patterns = [match] if isinstance(match, str) else match
        found = {path for pattern in patterns for path in tmp_path.glob(pattern)}
        names = [path.relative_to(tmp_path).as_posix()[:-4] for path in found]
    assert find_scans(tmp_path, match=match).names == sorted(names)


def test_match_knows_lower_case_from_upper_case(tmp_path):
    """On every system."""
    make_files(tmp_path, "A/0.bin", "a/1.bin")
    assert find_scans(tmp_path, match="a/*.bin").names == ["a/1"]
    assert find_scans(tmp_path, match="[A]/?.bin").names == ["A/0"]


COMPONENTS = st.sampled_from(["**", "*", "a", "b?", "[ab]", "*b", "[!b]*", "a.bin"])
FILES = ["*", "*.bin", "a.bin", "?.bin", "[!a]*", "b*.*", "*b*"]


@given(
    st.sets(
        st.tuples(
            st.lists(st.sampled_from(["a", "b", "ab", "bb"]), max_size=3),
            st.sampled_from(["a.bin", "b.bin", "bb.bin"]),
        ).map(lambda parts: "/".join((*parts[0], parts[1]))),
        min_size=1,
        max_size=12,
    ),
    st.lists(COMPONENTS, max_size=4),
    st.sampled_from(FILES),
)
def test_match_agrees_with_pathlib(tmp_path_factory, files, folders, file):
    """On any small tree."""
    folder = tmp_path_factory.mktemp("tree")
    make_files(folder, *files)
    pattern = "/".join((*folders, file))
    found = {path for path in folder.glob(pattern) if path.is_file()}
    names = sorted(path.relative_to(folder).as_posix()[:-4] for path in found)
    if names:
        assert find_scans(folder, match=pattern).names == names
    else:
        with pytest.raises(ValueError, match="match: "):
            find_scans(folder, match=pattern)


@pytest.mark.parametrize("pattern", ["", ".", "/a/*.bin", "../*.bin", "a/**b/*.bin"])
def test_invalid_patterns_are_rejected(pattern):
    """They cannot be meant: no path below a folder is like that."""
    message = (
        f"match: {pattern!r}, expected a pattern of paths below scans, such as "
        f"*/velodyne/*.bin, or **/velodyne/*.bin for any depth"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("match", "pattern", "hint"),
    [
        ("velodyne/*.bin", "'velodyne/*.bin'", ""),
        (["*.bin", "**/*.txt", "x"], "'**/*.txt'", ""),
        ("[*.bin, a/*]", "'[*.bin, a/*]'", "; in a list, quote patterns that begin "
         "with *"),
    ],
)  # fmt: skip
def test_pattern_without_a_file_is_an_error(tmp_path, match, pattern, hint):
    """Each must match; the message has an example of the paths."""
    make_files(tmp_path, *TREE)
    message = (
        f"match: {pattern}: 0 of 9 .bin files in {tmp_path} match, expected a pattern "
        f"of their paths below it, such as 1.bin{hint}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        find_scans(tmp_path, match=match)


def test_some_names_are_left_out_and_counted(tmp_path):
    """Files only if they would be scans; folders of programs without a word."""
    make_files(
        tmp_path,
        *("0.bin", "._0.bin", "._0.txt", ".x/0.bin", "a/__MACOSX/a/0.bin"),
        *("$RECYCLE.BIN/0.bin", "lost+found/0.bin", "@eaDir/0.bin", "a/..1.bin"),
        *("System Volume Information/0.bin", ".Trash-1000/0.bin", "Trash/0.bin"),
        *(".git/0.bin", ".snakemake/0.bin", "trash.bin", "a/lost+found.bin"),
    )
    found = find_scans(tmp_path)
    assert found.names == ["0", "a/lost+found", "trash"]
    assert sorted(found.left_out.files) == ["._0.bin", "a/..1.bin"]
    assert sorted(found.left_out.folders) == [
        *("$RECYCLE.BIN", ".Trash-1000", ".x", "@eaDir", "System Volume Information"),
        *("Trash", "a/__MACOSX", "lost+found"),
    ]
    # What does not match could not be a scan.
    assert find_scans(tmp_path, match="*.bin").left_out == (["._0.bin"], [], {})
    with pytest.raises(ValueError, match=r"match: 'lost\+found/0\.bin': 0 of 3 \.bin "):
        find_scans(tmp_path, match="lost+found/0.bin")


def test_objects_with_odd_names_are_found(tmp_path):
    """They are invalid as scans, which somebody has to know."""
    paths = ["/a.bin", "/b/c.bin", "../d.bin", "e//f.bin", "e/g.bin", "e/./h.bin"]
    names = ["../d", "/a", "/b/c", "e/./h", "e//f", "e/g"]
    assert find_names(paths, ".bin", None, "s3://b").names == names
    assert list(find_invalid_names(names)) == names[:-1]
    assert find_names(paths, ".bin", "e/*.bin", "s3://b").names == ["e/g"]


def test_folder_of_scans_may_have_any_name(tmp_path):
    """Whoever names it, means it."""
    make_files(tmp_path, ".hidden/lost+found/0.bin")
    assert find_scans(tmp_path / ".hidden" / "lost+found").names == ["0"]


@pytest.mark.parametrize(
    ("files", "folders", "unread", "text"),
    [
        ([], [], {}, ""),
        ([".a.bin"], [], {}, "1 file left out: .a.bin (names"),
        ([], ["x/Trash", ".b\n"], {}, "2 folders left out: x/Trash, '.b\\n' (names"),
        (
            *(["a", "b", "c", "d"], ["e"], {}),
            "4 files and 1 folder left out: a, b, c, e, ...",
        ),
        ([], [], {".pcd": 1}, "1 .pcd file beside the scans is not read"),
        (
            *([], [], {".pcd": 12, ".ply": 1}),
            "12 .pcd and 1 .ply files beside the scans are not read",
        ),
    ],
)
def test_what_is_left_out_is_one_short_line(files, folders, unread, text):
    """With some of the names."""
    assert str(Ignored(files, folders, unread)).startswith(text)


def test_both_kinds_of_what_is_left_out_are_one_line():
    """First what would be scans but for their names."""
    assert str(Ignored([".a.bin"], [], {".pcd": 2})) == (
        "1 file left out: .a.bin (names that begin with a dot, trash and the like); 2 "
        ".pcd files beside the scans are not read"
    )


def test_scans_of_other_suffixes_are_counted(tmp_path):
    """In all folders; but nothing that lies beside scans as a rule, or is hidden."""
    make_files(
        tmp_path,
        *("velodyne/0.bin", "velodyne/0.pcd", "velodyne/1.PCD", "ouster/0.pcd"),
        *("velodyne/1.BIN", "velodyne/._0.pcd", "image_2/0.png", "label_2/0.txt"),
        *("a/0.ply", "a/0.laz", "a/calib.txt", "labels/0.npy", "masks/0.npy"),
        *(".hidden/0.pcd", "pcd", "velodyne/.pcd", "velodyne/pcd/0.bin"),
    )
    found = find_scans(tmp_path)
    assert found.left_out.unread == {".BIN": 1, ".pcd": 3, ".ply": 1, ".laz": 1}
    # The settings say what is a scan.
    assert find_scans(tmp_path, match="**/*.bin").left_out.unread == {}


def test_scans_of_other_suffixes_than_a_long_one(tmp_path):
    """Files with a part of it are not counted, as they are no other format."""
    make_files(tmp_path, "0.pcd.bin", "1.bin", "2.pcd", "3.PCD.BIN", "4.pcd.txt")
    found = find_scans(tmp_path, ".pcd.bin")
    assert found.left_out.unread == {".pcd": 1, ".PCD.BIN": 1}


def test_objects_of_other_suffixes_are_counted():
    """As files are."""
    paths = ["a/0.bin", "a/0.pcd", "b/1.pcd", "a/", "/c.pcd"]
    assert find_names(paths, ".bin", None, "s3://b").left_out.unread == {".pcd": 2}


def test_no_scans_but_what_is_left_out(tmp_path):
    """The message says so, as somebody may miss them."""
    make_files(tmp_path, "velodyne/._0.bin", "__MACOSX/0.bin")
    message = (
        f"scans: no .bin file in {tmp_path} or below, expected one for each scan; "
        f"1 file and 1 folder left out: velodyne/._0.bin, __MACOSX (names that begin "
        f"with a dot, trash and the like)"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        find_scans(tmp_path)


def test_folder_that_cannot_be_read_is_an_error(tmp_path):
    """Unless nobody looks for scans there."""
    make_files(tmp_path, "a/0.bin", "b/c/1.bin", "lost+found/2.bin")
    for name in ("b/c", "lost+found"):
        (tmp_path / name).chmod(0)
    message = (
        f"scans: {tmp_path}/b/c: Permission denied, expected a folder that can be "
        f"read, or a `match` that leaves it out"
    )
    code = "import sys; from birdview.search import *; print(find_scans(*sys.argv[1:]))"
    for match, expected in (
        ("**/*", f"PermissionError: {message}"),
        ("a/*", "['a/0']"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path, ".bin", match],
            env=os.environ | {"PYTHONPATH": str(paths.PACKAGE.parent)},
            preexec_fn=obey_permissions,
            capture_output=True,
            text=True,
        )
        assert expected in done.stdout + done.stderr
    for name in ("b/c", "lost+found"):
        (tmp_path / name).chmod(0o755)


@pytest.mark.parametrize("folder", ["boxes/", "demo/"])
def test_reserved_folders_are_rejected_at_the_top_only(folder):
    """There are other pictures in results/<encoding>/boxes/ and demo/."""

    def file_of(scan):
        return f"here/{scan}.bin"

    check_folders(["0", f"a/{folder}0", folder[:-1]], file_of)
    message = f"scans: here/{folder}0.bin, expected another folder than {folder}: "
    with pytest.raises(ValueError, match=re.escape(message)):
        check_folders(["0", f"{folder}0"], file_of)


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


def test_batches_have_one_size_but_for_the_last():
    """Numbered from 00000, with a digest of what is in them."""
    scans = ["a", "b", "c", "d", "e"]
    batches = split_into_batches(scans, ["mv3d"], 2, even=True)
    assert [*batches.values()] == [scans[:2], scans[2:4], scans[4:]]
    assert [name[:6] for name in batches] == ["00000-", "00001-", "00002-"]
    all_of_them = {
        *batches,
        *split_into_batches(scans, ["mv3d", "lyft"], 2, even=True),
        *split_into_batches(scans[1:], ["mv3d"], 2, even=True),
        *split_into_batches(["ab", *scans[2:]], ["mv3d"], 2, even=True),
        *split_into_batches(scans, ["mv3d"], 9, even=True),
    }
    assert len(all_of_them) == 3 + 3 + 2 + 1 + 1
    assert all(re.fullmatch("[0-9]{5}-[0-9a-f]{8}", name) for name in all_of_them)


def test_last_batches_are_small():
    """So that all cores are busy to the end; small ones are not made smaller."""
    scans = [str(number) for number in range(3000)]
    sizes = [*map(len, split_into_batches(scans, ["mv3d"], 500, even=False).values())]
    assert sizes[:3] == [375, 328, 287]
    assert sizes == sorted(sizes, reverse=True)
    assert set(sizes[-8:-1]) == {100}
    assert sum(sizes) == 3000
    sizes = [*map(len, split_into_batches(scans, ["mv3d"], 90, even=False).values())]
    assert sizes == [90] * 33 + [30]
    sizes = [*map(len, split_into_batches(scans, ["mv3d"], 500, even=True).values())]
    assert sizes == [500] * 6
    many = [str(number) for number in range(8000)]
    assert [*map(len, split_into_batches(many, ["mv3d"], 500, even=False).values())][
        :9
    ] == ([500] * 9)


@pytest.mark.parametrize("name", ["a#1", "b?", "c//d", "../e", "f/./g"])
def test_some_names_are_invalid_in_a_bucket_only(name):
    """The storage plugin would take another object."""
    patterns = INVALID_NAMES | bucket.INVALID_OBJECT_NAMES
    assert list(find_invalid_names(["a", name], patterns)) == [name]


def explain_none(search):
    """Return what a message that there is no scan says after these words."""
    with pytest.raises(FileNotFoundError) as caught:
        search()
    _, _, text = str(caught.value).partition(", expected one for each scan")
    return text


AS_PCD = "set `layout: pcd`"


@pytest.mark.parametrize(
    ("files", "suffix", "text"),
    [
        ({}, ".bin", ""),
        (
            {"b/1.pcd": "# .PCD v0.7\n", "b/0.pcd": "VERSION .7\n", "c.txt": ""},
            ".bin",
            f"; found 2 .pcd (b/0.pcd is a PCD file: {AS_PCD}) and 1 .txt",
        ),
        (
            {"a.pcd": "<!doctype html>\n"},
            ".bin",
            "; found 1 .pcd (a.pcd is a web page: download it again: the server sent a "
            "page, not the file)",
        ),
        ({"0.BIN": "", "1.BIN": ""}, ".bin", "; found 2 .BIN (set `suffix: .BIN`)"),
        (
            {"0.pcd.bin": ""},
            ".velodyne",
            "; found 1 .pcd.bin (set `suffix: .pcd.bin`, or a layout with it, such as "
            "nuscenes)",
        ),
        (
            {"0.bin": ""},
            ".pcd.bin",
            "; found 1 .bin (set `suffix: .bin`, or a layout with it, such as kitti)",
        ),
        (
            {"0.bin.gz": gzip.compress(b"")},
            ".bin",
            "; found 1 .bin.gz (0.bin.gz is a gzip file: unpack it with gunzip)",
        ),
        (
            {"a\n.dat": "1"},
            ".bin",
            "; found 1 .dat (set `suffix: .dat` if they hold records)",
        ),
        (
            {"a\n.zip": b"PK\3\4\x14\0\0\0\x08\0"},
            ".bin",
            "; found 1 .zip ('a\\n.zip' is a zip archive: unpack it with unzip)",
        ),
        (
            {f"{number}.png": "" for number in range(9)}
            | {f"{number}.txt": "" for number in range(9)}
            | {
                "README": "",
                "a.json": "",
                "a/c.las": "LASF" + 40 * "\0",
                "._0.bin": "",
            },
            ".bin",
            "; found 1 .las (a/c.las is a LAS or LAZ file: set `layout: las`), 9 .png, "
            "9 .txt and 2 more; 1 file left out: ._0.bin (names that begin with a dot, "
            "trash and the like)",
        ),
        ({"a": "", "b": ""}, ".bin", "; found 2 without suffix"),
    ],
)
def test_no_scans_but_other_files(tmp_path, files, suffix, text):
    """The message says which and how many, what they are, and what reads them."""
    for name, content in files.items():
        make_files(tmp_path, name)
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(content)
    assert explain_none(lambda: find_scans(tmp_path, suffix)) == text
    assert explain_none(lambda: find_scans(tmp_path, suffix, match="x/*")) == text


def test_no_scans_but_files_that_cannot_be_read(tmp_path):
    """Then their suffix says what they should be."""
    (tmp_path / "a.pcd").symlink_to("nowhere")
    text = f"; found 1 .pcd (a.pcd is a PCD file: {AS_PCD})"
    assert explain_none(lambda: find_scans(tmp_path)) == text


def test_no_scans_but_other_objects():
    """Nothing is fetched to know what they are."""

    def search():
        find_names(["a/0.pcd", "a/1.pcd", "b.txt", "c/"], ".bin", None, "s3://b")

    assert explain_none(search) == (
        f"; found 2 .pcd (a/0.pcd should be a PCD file: {AS_PCD}) and 1 .txt"
    )
