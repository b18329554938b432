"""Folders, names and settings of a machine that are unusual but work."""

import os
import stat

import pytest
from helpers import Project

SCANS = (
    f"{'é' * 125}1",  # as long as names can be, with .bin
    "/".join(f"{letter * 200}1" for letter in "abcdef"),
    "linked",
    "folder/0",
)
SETTINGS = ("--config", "scans=scans", "encodings=[lyft]")
PLACE = {
    "environment": {"LC_ALL": "C", "LANG": "C", "LANGUAGE": ""},
    "prepare": lambda: os.umask(0o002),
}


@pytest.fixture(
    scope="module", params=[(), ("scans_per_job=2",)], ids=["alone", "batch"]
)
def odd(request, compiled, tmp_path_factory, make_scan):
    """Return a project that was run in LC_ALL=C, for a group, and all through links."""
    root = tmp_path_factory.mktemp("odd")
    project, data = Project(root), root / "data"
    for name in SCANS[:2]:
        make_scan(data / f"{name}.bin")
    make_scan(root / "elsewhere" / "0.bin")
    (data / "linked.bin").symlink_to("../elsewhere/0.bin")
    (data / "folder").symlink_to("../elsewhere")
    (root / "disk").mkdir()
    for folder in (data, root / "disk", project.folder):
        folder.chmod(0o775)
    (project.folder / "scans").symlink_to("../data")
    (project.folder / "results").symlink_to("../disk")
    (root / "clone").symlink_to("source")
    project.source = root / "clone"
    project.arguments = ("all", "manifest", "gallery", *SETTINGS, *request.param)
    project.run(*project.arguments, **PLACE)
    return project


def test_images_are_rendered_once(odd):
    """Of all scans, by their names; the next run finds them."""
    images = odd.images()
    assert {f"lyft/{name}.png" for name in SCANS} == {*images}
    odd.run(*odd.arguments, **PLACE)
    assert odd.images() == images


def test_link_to_results_stays(odd):
    """And the files are where it leads to."""
    assert (odd.folder / "results").is_symlink()
    assert (odd.folder.parent / "disk" / "manifest.tsv").is_file()


def test_group_can_write_everything(odd):
    """Files are replaced by others, with temporary names: they obey the umask."""
    folders = odd.folder.parent / "disk", odd.folder / ".snakemake"
    for path in (path for folder in folders for path in folder.rglob("*")):
        assert path.stat().st_mode & stat.S_IWGRP, path


def test_names_are_whole_in_tables(odd):
    """Whatever the locale."""
    table = (odd.folder / "results" / "manifest.tsv").read_text(encoding="utf-8")
    assert all(f"\t{name}\t" in table for name in SCANS)


def test_failure_has_the_name_in_a_locale_without_it(odd, make_scan):
    """The error is written to the table of failures, and printed somehow."""
    bad = odd.folder / "scans" / "bäd.bin"
    bad.write_bytes(b"1")
    try:
        output = odd.run(*odd.arguments, expect=1, **PLACE)
    finally:
        bad.unlink()
    table = (odd.folder / "results" / "failed.tsv").read_text(encoding="utf-8")
    assert "bäd" in table
    assert "d.bin: 1 byte" in output
