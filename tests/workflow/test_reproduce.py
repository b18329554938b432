"""`snakemake manifest`: made of all images, and again when one changes."""

from pathlib import Path

import pytest

from birdview.manifest import read_manifest

SETTINGS = ("--config", "scans=scans", "encodings=[lyft, complex_yolo]")


@pytest.fixture
def listed(project, make_scan):
    """Render three scans in two encodings and make the manifest."""
    for seed, name in enumerate(("0", "1", "drive/2")):
        make_scan(project.folder / "scans" / f"{name}.bin", 2000, seed=seed)
    project.run("manifest", *SETTINGS)
    return project


def manifest_of(project):
    return project.folder / "results" / "manifest.tsv"


def test_a_row_for_each_image(listed):
    """Renders what is missing first; sorted."""
    run, rows = read_manifest(manifest_of(listed))
    names = [f"{row.encoding}/{row.scan}.png" for row in rows]
    assert names == sorted(listed.images())
    assert len(names) == 6
    assert set(run) == {
        *("software", "code", "lock", "layout", "platform"),
        *("encoding complex_yolo", "encoding lyft"),
    }


def test_made_again_only_when_an_image_changes(listed, make_scan):
    """A scan, an encoding, a deleted image; the others' rows stay."""
    time = manifest_of(listed).stat().st_mtime_ns
    assert "Nothing to be done" in listed.run("manifest", *SETTINGS)
    assert manifest_of(listed).stat().st_mtime_ns == time
    _, before = read_manifest(manifest_of(listed))
    make_scan(listed.folder / "scans" / "1.bin", 2000, seed=9)
    listed.run("manifest", *SETTINGS)
    _, after = read_manifest(manifest_of(listed))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(row.encoding, row.scan) for row in changed] == [
        ("complex_yolo", "1"),
        ("lyft", "1"),
    ]
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    listed.run("manifest", *SETTINGS)
    run, rows = read_manifest(manifest_of(listed))
    assert run != read_manifest(manifest_of(listed))[0] or rows != after


def test_another_clone_with_other_cores_has_the_same(listed, tmp_path):
    """But for the words of the platform, byte for byte, wherever it is made."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scans").symlink_to(listed.folder / "scans")
    listed.run("manifest", *SETTINGS, cores=8, folder=elsewhere)
    texts = [
        Path(folder / "results/manifest.tsv").read_bytes()
        for folder in (listed.folder, elsewhere)
    ]
    assert texts[0] == texts[1]


def test_an_image_that_was_edited_is_named(listed):
    """In one line; and there is no manifest."""
    image = listed.folder / "results/lyft/1.png"
    content = image.read_bytes()
    image.write_bytes(content[:-20])
    output = listed.run("manifest", *SETTINGS, expect=1)
    line = "results/lyft/1.png: ends too early, expected a whole PNG"
    assert line in output.splitlines()
    assert not manifest_of(listed).exists()
