"""Names that some file systems take for the same."""

import shutil
from unicodedata import normalize

import pytest

from birdview import paths, run
from birdview.files import find_one_file
from birdview.run import resolve
from birdview.scans import find_alike

COMPOSED, DECOMPOSED = (normalize(form, "café/0") for form in ("NFC", "NFD"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def careless_disk(monkeypatch):
    """Let the disk of the results ignore case and normal forms."""
    monkeypatch.setattr(run, "find_one_file", lambda _, pairs: next(iter(pairs), None))


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["a", "b", "a/b"], []),
        (["Drive/0", "drive/1"], []),
        (["Drive/0", "a", "drive/0", "DRIVE/0"],
         [("Drive/0", "drive/0"), ("Drive/0", "DRIVE/0")]),
        ([COMPOSED, DECOMPOSED], [(COMPOSED, DECOMPOSED)]),
        (["straße", "STRASSE"], [("straße", "STRASSE")]),
        (["\udcff", "\udcfe"], []),
        ([], []),
    ],
)  # fmt: skip
def test_names_that_are_alike(names, pairs):
    """In case, in normal form, or both."""
    assert [*find_alike(names)] == pairs


def test_disk_is_tried_out(folder):
    """In the folder, or where it will be; nothing is left behind."""
    same = ("drive/0", "./drive/0")
    for results in ("results", "."):
        assert find_one_file(results, [("a", "b"), same, ("c", "c")]) == same
        assert find_one_file(results, [("a", "b")]) is None
    assert [*folder.iterdir()] == []


def test_disk_that_cannot_be_written_is_not_tried_out():
    """Rendering fails there, and says so."""
    assert find_one_file("/proc/results", [("a", "a")]) is None


@pytest.mark.parametrize(
    "names", [("Drive/a", "drive/a"), (COMPOSED, DECOMPOSED)], ids=["case", "form"]
)
def test_images_that_are_one_file_are_an_error(folder, careless_disk, make_scan, names):
    """Before the first job, and with both names told apart."""
    for name in names:
        make_scan(folder / "scans" / f"{name}.bin", 1)
    one, other = (ascii(f"scans/{name}.bin") for name in sorted(names))
    with pytest.raises(ValueError, match="scans: ") as error:
        _ = resolve({"scans": "scans"}).scans
    assert str(error.value) == (
        f"scans: {one} and {other}, whose images are the same file on the disk of "
        f"results, expected names that differ otherwise than in case or in Unicode's "
        f"normal form: rename one"
    )


def test_images_are_told_apart_by_other_disks(folder, make_scan):
    """As by this one."""
    make_scan(folder / "scans" / "a.bin", 1)
    make_scan(folder / "scans" / "A.bin", 1)
    if find_one_file(".", [("a", "A")]):
        pytest.skip("this disk ignores case")
    assert resolve({"scans": "scans"}).scans == ["A", "a"]


@pytest.mark.parametrize(("name", "same"), [("Logs", "logs"), ("LYFT", "lyft")])
def test_encodings_whose_folders_are_one_are_an_error(
    folder, careless_disk, make_scan, name, same
):
    """And one whose folder is for other files."""
    make_scan(folder / "scans" / "a.bin", 1)
    shutil.copy(paths.ENCODINGS / "lyft.yaml", f"{name}.yaml")
    settings = {"scans": "scans", "encodings": ["lyft", f"{name}.yaml"]}
    with pytest.raises(ValueError, match="encodings: ") as error:
        _ = resolve(settings).scans
    assert str(error.value) == (
        f"encodings: {name}, but results/{same} is the same folder on this disk, which "
        f"ignores case, expected another name: rename the file"
    )
