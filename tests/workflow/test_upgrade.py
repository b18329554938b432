"""A folder that birdview 0.1 has left: see also tests/unit/test_from_0_1.py."""

import shutil

import pytest
from helpers import FROM_0_1, scan_of_0_1

SETTINGS = ("--config", "scans=scans", "encodings=[complex_yolo]")


@pytest.fixture
def used(project, make_scan):
    """Return a project in whose folder 0.1 has worked, after its demo."""
    make_scan(project.folder / "scans" / "0.bin", scan_of_0_1())
    results = project.folder / "results"
    shutil.copytree(FROM_0_1, results)
    image, demo = (results / f"complex_yolo/{name}.png" for name in ("0", "000000"))
    shutil.copy(image, demo)
    for name in ("parts/00000.txt", "complex_yolo/boxes/0.png"):
        (results / name).parent.mkdir()
        (results / name).write_text("0\n")
    for name in ("0", "grid.json"):
        log = results / "logs" / "complex_yolo" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    return project


@pytest.mark.parametrize("batches", [(), ("scans_per_job=1",)], ids=["alone", "batch"])
def test_results_of_0_1(used, batches):
    """Its images are rendered again; nothing else is touched but empty logs."""
    before = used.files()
    output = used.run(*SETTINGS, *batches)
    after = used.files()
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {"complex_yolo/0.png"}
    assert "1 image made, 0 up to date, 0 failed" in output
    assert (
        "without a scan: 1 image, such as results/complex_yolo/000000.png; remove "
        "those that you no longer want"
    ) in output
    assert [*(used.folder / "results").rglob("*.log")] == []
    assert used.rendered_by(*SETTINGS, *batches) == set()


def test_verify_before_anything_is_rendered_again(used):
    """What 0.1 rendered is right, and as its own manifest says."""
    manifest = "compare_with=results/manifest.tsv"
    output = used.run("verify", *SETTINGS, manifest, expect=1)
    lines = output.splitlines()
    # That of one encoding, where the manifest has eight.
    assert "encoding: lyft: none here, fbb520829938 there" in lines
    assert "encoding: complex_yolo" not in output
    assert "bytes: complex_yolo/0: the file has other bytes than it would have here, " \
        "but the same pixels" in lines  # fmt: skip
    assert "1 images verified" in used.run("verify", *SETTINGS)


def test_targets_of_0_1(used):
    """Of a profile or a script that was copied then."""
    output = used.run("parts", "--set-threads", "render_part=4", *SETTINGS, expect=1)
    assert (
        "parts: no longer a target, expected the setting scans_per_job instead: "
        "snakemake --config scans_per_job=500"
    ) in output.splitlines()
