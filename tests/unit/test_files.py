"""Write files atomically; write tables and read them back."""

import errno
import os

import pytest

from birdview.files import (
    atomic_path,
    format_table,
    read_table,
    remove_abandoned,
    write_atomically,
    write_table,
)


def test_file_appears_when_it_is_complete(tmp_path):
    """Under its own name, with nothing beside it."""
    with atomic_path(tmp_path / "a") as partial:
        partial.write_bytes(b"new")
        assert not (tmp_path / "a").exists()
        assert partial.parent == tmp_path
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


def test_abandoned_files_are_removed(tmp_path):
    """Those of a killed process, in any folder below; not those that may be in use."""
    for name in (".1-2.partial", "a/.3-4.partial", "a/b.partial", "a/.5-6.partial"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (1, 1))
    os.utime(tmp_path / "a" / ".5-6.partial", (3, 3))
    remove_abandoned(tmp_path, 2_000_000_000)
    assert os.listdir(tmp_path) == ["a"]
    assert sorted(os.listdir(tmp_path / "a")) == [".5-6.partial", "b.partial"]
    remove_abandoned(tmp_path / "none", 0)


def test_failure_keeps_the_old_file(tmp_path):
    """And leaves no partial one."""
    write_atomically(tmp_path / "a", b"old")

    def write_half():
        with atomic_path(tmp_path / "a") as partial:
            partial.write_bytes(b"half")
            raise KeyError("failed")

    with pytest.raises(KeyError):
        write_half()
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_error_names_the_file_and_not_the_partial_one(tmp_path):
    """Also the error of a full disk, which has no name."""
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "no" / "a", b"")
    assert caught.value.filename == str(tmp_path / "no" / "a")

    def fill_disk():
        with atomic_path(tmp_path / "a"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        fill_disk()
    assert caught.value.filename == str(tmp_path / "a")


def test_errors_of_other_files_keep_their_names(tmp_path):
    """Reading another file while writing this one, for example."""
    with (
        pytest.raises(FileNotFoundError, match="other"),
        atomic_path(tmp_path / "a"),
    ):
        (tmp_path / "other").read_bytes()


def test_name_may_be_as_long_as_names_can_be(tmp_path):
    """255 bytes; the partial file has a short name."""
    write_atomically(tmp_path / ("x" * 255), b"")


def test_table_is_read_back(tmp_path):
    """Whatever the names, but for tabs and line breaks; floats with four digits."""
    odd = "a \x85\u2028\"'ä b"
    rows = [{"name": odd, "ms": 1234.5678, "count": 7}, {"name": "", "ms": 0.5}]
    rows[1]["count"] = 8
    write_table(tmp_path / "t.tsv", rows)
    assert read_table(tmp_path / "t.tsv") == [
        {"name": odd, "ms": "1235", "count": "7"},
        {"name": "", "ms": "0.5", "count": "8"},
    ]


def test_table_without_rows_is_its_header():
    """One line."""
    assert format_table(["a", "b"], []) == "a\tb\n"
