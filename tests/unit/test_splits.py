"""Read the lists of scans that people have."""

import random
import re
import time

import pytest

from birdview.sources import Demo, Folder
from birdview.splits import find_nearest


@pytest.fixture
def scans(tmp_path):
    """Make a folder with scans, also behind a link and under odd names."""
    folder = tmp_path / "data" / "scans"
    for name in (
        "0",
        "1",
        "a/2",
        "odd.bin",
        "end ",
        "#x",
        "a b",
        "ü",
        "both",
        "both.bin",
    ):
        file = folder / f"{name}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "link").symlink_to("data")
    (folder / "more").symlink_to("a")
    return folder


def find(scans, content, folder=None):
    """Return what is found by a split with some content."""
    path = scans.parent / "split.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Folder(str(folder or scans), ".bin", path).find()


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1\n0\n\n1\n", ["0", "1"]),
        ("a/2", ["a/2"]),
        ("\ufeff0\r\n1\r\n", ["0", "1"]),
        ("\ufeffü\n0\n".encode("utf-16-le"), ["0", "ü"]),
        ("\ufeff0\r\n".encode("utf-16-be"), ["0"]),
        ("0 \n 1\t\n   \n", ["0", "1"]),
        ("0.bin\na/2.bin \n", ["0", "a/2"]),
        ("./0\n././1.bin\n./a//2\n", ["0", "1", "a/2"]),
        ("odd.bin\nend \n#x\na b\n", ["#x", "a b", "end ", "odd.bin"]),
        ("odd.bin.bin\nboth\nboth.bin.bin\n", ["both", "both.bin", "odd.bin"]),
        ("more/2\n", ["more/2"]),
    ],
)
def test_split_is_understood(scans, content, names):
    """As text in any encoding with a mark, and whatever is around the names."""
    found = find(scans, content)
    assert (found.names, found.missing) == (names, {})


def test_absolute_paths_are_understood(scans, tmp_path):
    """If they are below the folder of the scans, also by way of links."""
    link = tmp_path / "link" / "scans"
    for folder in (scans, link):
        for prefix in (scans, link):
            content = f"{prefix}/0.bin\n{prefix}/a/2\n{prefix}/more/2.bin\n"
            found = find(scans, content, folder)
            assert (found.names, found.missing) == (["0", "a/2", "more/2"], {})
    found = find(scans, f"{scans}/0.bin\n{scans}/7.bin\n")
    assert found.names == ["0"]
    assert list(found.missing) == [f"{scans}/7.bin"]


END = "expected the path of a scan below scans in each line, without suffix"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0\n3\n4\n3\n", f"2 of 3 scans not found in {{scans}}, the first in line 2: "
         f"'3'; one that exists is #x; {END}"),
        ("0\n0001\n", f"1 of 2 scans not found in {{scans}}, the first in line 2: "
         f"'0001'; the nearest name that exists is 1; {END}"),
        ("0\nvelodyne/1.bin \n", f"1 of 2 scans not found in {{scans}}, the first in "
         f"line 2: 'velodyne/1.bin'; the nearest name that exists is 1; {END}"),
        ("# train\n0\n", f"1 of 2 scans not found in {{scans}}, the first in line 1: "
         f"'# train'; one that exists is #x; {END}, and no comments"),
        ("[\"2\"]\n0\n", f"1 of 2 scans not found in {{scans}}, the first in line 1: "
         f"'[\"2\"]'; the nearest name that exists is a/2; {END}, and no quotes or "
         f"brackets"),
        ("0\ndate a 0002\n", f"1 of 2 scans not found in {{scans}}, the first in line "
         f"2: 'date a 0002'; the nearest name that exists is a/2; {END}, and nothing "
         f"else"),
    ],
)  # fmt: skip
def test_missing_scans_are_one_message(scans, content, message):
    """It says how many there are, and what was probably meant; the others are found."""
    found = find(scans, content)
    assert found.names == ["0"]
    message = f"split: {scans.parent}/split.txt: {message}"
    assert list(found.missing.values()) == [message.replace("{scans}", str(scans))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("00\n01\n", f": 2 of 2 scans not found in {{scans}}, the first in line 1: "
         f"'00'; the nearest name that exists is 0; {END}"),
        ("0\n\n/kitti/velodyne/000001.bin\n", ", line 3: '/kitti/velodyne/000001.bin' "
         "is not in {scans}, expected the path of a scan below scans, without suffix, "
         "such as 1"),
        ("C:\\data\\xyz.bin\n", ", line 1: 'C:\\\\data\\\\xyz.bin' is not in {scans}, "
         "expected the path of a scan below scans, without suffix, such as #x"),
        ("0\na/../0\n", ", line 2: 'a/../0', expected the path of a scan below scans, "
         "without suffix"),
    ],
)  # fmt: skip
def test_split_that_cannot_be_meant_is_an_error(scans, content, message):
    """None of its scans exists, or a path is elsewhere."""
    message = f"split: {scans.parent}/split.txt{message.replace('{scans}', str(scans))}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        find(scans, content)


def test_no_scans_at_all(tmp_path):
    """Rather a wrong folder or layout than a wrong name."""
    (tmp_path / "scans").mkdir()
    message = (
        f"split: {tmp_path}/split.txt: 1 of 1 scans not found in {tmp_path}/scans, the "
        f"first in line 1: '0'; there is no .bin file; {END}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        find(tmp_path / "scans", "0\n")


def test_split_of_the_demo(tmp_path):
    """Of names that it may have; others are an error."""
    split = tmp_path / "split.txt"
    split.write_text("demo/000001 \ndemo/000000.bin\n")
    demo = Demo(8, "results", split)
    assert demo.find().names == ["demo/000000", "demo/000001"]
    split.write_text("demo/000001\n000002\n")
    message = (
        "scans: null, but 000002 is not a scan of the demo, such as demo/000000: "
        "expected the folder of the scans"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        demo.find()


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("000001", "000002"),
        ("7", "drive_1/data/0000000007"),
        ("drive_2 7", "drive_2/data/0000000007"),
        ("drive_2\\data\\0000000007.bin", "drive_2/data/0000000007"),
        ("Drive_1/NIGHT", "drive_1/night"),
        ("drive_1/nigt", "drive_1/night"),
        ("images/x", None),
        ("", None),
    ],
)
def test_nearest_name(line, nearest):
    """By the last part, or else by the letters."""
    names = ["000000", "000002", "drive_1/data/0000000007", "drive_1/night"]
    names += ["drive_2/data/0000000007"]
    assert find_nearest(line, ".bin", names) == nearest


def test_nearest_of_very_many_names_is_found_at_once():
    """Only the neighbours are compared letter by letter."""
    numbers = random.Random(0).sample(range(10**6), 100_000)
    names = sorted(f"scan_{number:06}_top" for number in numbers)
    missing = names.pop(50_000)
    start = time.monotonic()
    assert find_nearest(missing, ".bin", names)
    assert time.monotonic() - start < 5
