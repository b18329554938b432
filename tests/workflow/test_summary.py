"""What a run says at its end, and the tables that keep it."""

import os
import shutil
import time

import pytest
from helpers import wait_for

from birdview.demo import write_scan
from birdview.pixels.scan import read_scan

REFUSED = (
    "33 bytes found, expected a multiple of 16 (layout kitti: x, y, z, reflectance)"
)
BRIGHT = "of the intensities are above 1, up to"


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Simulate a scan that gives no warning."""
    path = tmp_path_factory.mktemp("street") / "0.bin"
    write_scan(path, 0, 0)
    return path


@pytest.fixture
def run(project, street):
    """Write scans into the project's folder, and return what runs the project.

    Those in `good` are as they should be, the intensities of those in `bright` are 255
    times as large, and those in `bad` are no scans.
    """

    def add(good=(), bright=(), bad=()):
        folder = project.folder / "scans"
        for name in (*good, *bright, *bad):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for name in good:
            shutil.copy(street, folder / f"{name}.bin")
        for name in bright:
            points = read_scan(street)
            points[:, 3] *= 255
            points.tofile(folder / f"{name}.bin")
        for name in bad:
            (folder / f"{name}.bin").write_bytes(bytes(33))

    def start(*settings, targets=(), **options):
        output = project.run(
            *targets,
            "--config",
            "scans=scans",
            "encodings=[mv3d]",
            *settings,
            **options,
        )
        return output.splitlines()

    start.add, start.folder = add, project.folder
    start.results = project.folder / "results"
    return start


def table(run, name):
    """Return the rows of a table in results/ without its header."""
    lines = (run.results / f"{name}.tsv").read_text().splitlines()
    return [tuple(line.split("\t")) for line in lines[1:]]


def summary(lines):
    """Return the summary in what a run printed."""
    starts = (
        "failed:",
        "warning:",
        "scans: 1 file",
        "without a scan:",
        "images:",
        "next:",
    )
    return [
        line for line in lines if line.startswith(starts) or " up to date, " in line
    ]


def test_summary_counts_everything(run):
    """Made, failed, left out, gone, where and what next; then up to date."""
    run.add(good="ab", bad=["c", "d"])
    (run.folder / "scans" / "._a.bin").write_bytes(b"")
    gone = run.results / "mv3d" / "old" / "gone.png"
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"")
    lines = run(expect=1)
    assert summary(lines) == [
        "2 images made, 0 up to date, 2 failed",
        "failed: all of them are in results/failed.tsv",
        "scans: 1 file left out: ._a.bin (names that begin with a dot, trash and the "
        "like)",
        "without a scan: 1 image, such as results/mv3d/old/gone.png; remove those that "
        "you no longer want",
        f"images: {run.results}",
        "next: fix or remove the scans that failed, and run the same command again",
    ]
    errors = {f"scans/{name}.bin: {REFUSED}" for name in "cd"}
    assert {line for line in lines if "33 bytes" in line} == errors
    assert table(run, "failed") == [
        ("mv3d", name, f"scans/{name}.bin: {REFUSED}") for name in "cd"
    ]
    assert table(run, "warnings") == []

    run.add(good="c")
    gone.unlink()
    assert summary(run(expect=1))[0] == "1 image made, 2 up to date, 1 failed"
    (run.folder / "scans" / "d.bin").unlink()
    (run.folder / "scans" / "._a.bin").unlink()
    assert summary(run()) == [
        "0 images made, 3 up to date, 0 failed",
        f"images: {run.results}",
        "next: `snakemake gallery` shows the images",
    ]
    assert table(run, "failed") == []


def test_warnings_are_repeated_and_kept(run):
    """Also by a run that renders nothing; each kind is told once."""
    run.add(good="a", bright="bcd")
    first, second = summary(run()), summary(run())
    assert first[0] == "4 images made, 0 up to date, 0 failed, warnings about 3 scans"
    assert second[0] == "0 images made, 4 up to date, 0 failed, warnings about 3 scans"
    assert first[1:] == second[1:]
    (told,) = [line for line in first if line.startswith("warning: intensity")]
    assert told.startswith("warning: intensity: 3 scans, such as b: 100 %")
    assert BRIGHT in told
    assert told.endswith(
        "in the layout, `reflectance: float32/255`; or `clip: true`, if few are above 1"
    )
    assert first[-3] == "warning: all of them are in results/warnings.tsv"
    rows = table(run, "warnings")
    assert [row[2] for row in rows if row[0] == "intensity"] == ["b", "c", "d"]
    layout = "layout=[{x: float32}, {y: float32}, {z: float32}, {i: float32/255}]"
    dark = [line for line in summary(run(layout)) if line.startswith("warning: ")]
    assert len(dark) == 3  # now it is `a`, which has one of its own
    assert dark[-2].startswith("warning: dark: 1 scan, such as a: ")
    assert {row[2] for row in table(run, "warnings")} == {"a"}


def test_strict_makes_warnings_fail(run):
    """Also about images that are up to date; no image goes or becomes stale."""
    run.add(good="a", bright="b")
    lines = run("strict=true", expect=1)
    message = "strict: warnings about 1 scan, expected none: see results/warnings.tsv"
    assert message in lines
    assert summary(lines)[0].startswith("2 images made, ")
    images = {path: os.stat(path) for path in run.results.rglob("*.png")}
    assert len(images) == 2
    assert message in run("strict=true", expect=1)
    assert message in run(
        "strict=true", targets=["results/mv3d/a.png"], expect=1
    )  # of all that the settings ask for
    run()
    assert {path: os.stat(path) for path in images} == images
    (run.folder / "scans" / "b.bin").unlink()
    assert message not in run("strict=true")


def test_terminal_shows_few_of_many_failures(run):
    """At most 20, each once in spite of two encodings; the table has all."""
    run.add(good="a", bad=[f"{number:02}" for number in range(30)])
    lines = run("encodings=[mv3d, lyft]", expect=1)
    shown = [line for line in lines if "33 bytes" in line]
    assert len(shown) == len(set(shown)) == 20
    assert "failed: 10 more in results/failed.tsv" in lines
    assert len(table(run, "failed")) == 60
    assert len(lines) < 60


def test_error_of_a_name_is_in_the_table(run):
    """It has no image, and so no encoding."""
    run.add(good=["a", "b{c}"])
    run(expect=1)
    ((encoding, scan, error),) = table(run, "failed")
    assert (encoding, scan) == ("-", "b{c}")
    assert error == (
        "'scans/b{c}.bin': invalid scan name: {...} and <...> are Snakemake wildcards"
    )


def test_two_runs_at_once_lose_no_line(run, project):
    """Each has a split of its own, and the second ends while the first still runs."""
    run.add(bright=["a", "b"], bad=["c", "d"])
    for name, scans in (("first", "ac"), ("second", "bd")):
        (run.folder / f"{name}.txt").write_text("\n".join(scans))
    project.inject_fault(
        """
        import os, time
        while scan in "ac" and not os.path.exists("go"):
            open("waiting", "w").close()
            time.sleep(0.1)
        """
    )
    settings = ("--config", "scans=scans", "encodings=[mv3d]")
    first = project.start(*settings, "split=first.txt")
    wait_for((run.folder / "waiting").exists)
    run("split=second.txt", expect=1)
    assert {row[1] for row in table(run, "failed")} == {"d"}
    (run.folder / "go").touch()
    output, _ = first.communicate(timeout=60)
    assert first.returncode == 1, output
    assert {row[1] for row in table(run, "failed")} == {"c", "d"}
    doubtful = {row[2] for row in table(run, "warnings") if row[0] == "intensity"}
    assert doubtful == {"a", "b"}
    time.sleep(0.01)
    run("split=first.txt", expect=1)  # alone: it says nothing of the second
    assert {row[1] for row in table(run, "failed")} == {"c"}


def test_batches_have_one_summary(run):
    """Warnings are recalled while nothing changes, and else are found again."""
    run.add(good="ab", bright="c", bad="d")
    size = "scans_per_job=2"

    def check(counts, *doubtful):
        assert {row[2] for row in table(run, "warnings")} == set(doubtful)
        assert [row[1] for row in table(run, "failed")] == ["d"]
        assert summary(lines)[0] == counts
        assert sum(f"scans/d.bin: {REFUSED}" in line for line in lines) == 1

    lines = run(size, expect=1)
    check("3 images made, 0 up to date, 1 failed, warnings about 1 scan", "c")
    lines = run(size, expect=1)
    check("0 images made, 3 up to date, 1 failed, warnings about 1 scan", "c")
    run.add(bright="a")
    lines = run(size, expect=1)
    check("1 image made, 2 up to date, 1 failed, warnings about 2 scans", "a", "c")
    (run.results / "warnings.tsv").unlink()
    lines = run(size, expect=1)
    check("0 images made, 3 up to date, 1 failed, warnings about 2 scans", "a", "c")
    run.add(good="d")
    assert "strict: warnings about 2 scans, expected none: see " in "\n".join(
        run(size, "strict=true", expect=1)
    )


def test_other_targets_have_no_summary(run):
    """Those that ask for no image, and a dry run."""
    run.add(bright="a")
    assert not summary(run(targets=["--dry-run"]))
    assert not (run.results / "warnings.tsv").exists()
    run()
    assert not summary(run(targets=["verify"]))


def test_table_of_the_demo(project):
    """It has its own, and no warning."""
    output = project.run("--config", "demo={scans: 2}", "encodings=[mv3d]")
    assert "2 images made, 0 up to date, 0 failed\n" in output
    for name in ("failed", "warnings"):
        text = (project.folder / f"results/demo/{name}.tsv").read_text()
        assert text.count("\n") == 1


def test_image_of_an_unreadable_scan_is_told(run):
    """A broken link fails alone."""
    run.add(good="a")
    (run.folder / "scans" / "b.bin").symlink_to("nowhere")
    run(expect=1)
    assert table(run, "failed") == [
        ("mv3d", "b", "[Errno 2] No such file or directory: 'scans/b.bin'")
    ]


def test_gallery_shows_warnings(run):
    """Beside the counts of each encoding."""
    run.add(good="a", bright="b")
    run(targets=["gallery"])
    script = (run.results / "gallery" / "mv3d" / "counts.js").read_text()
    assert '"warnings": {"1": "' in script
    assert BRIGHT in script


def test_module_writes_tables(run, project):
    """Where its results are; `onsuccess` would not run there."""
    run.add(good="a", bright="b", bad="c")
    (run.folder / "Snakefile").write_text(
        f"""
module bev:
    snakefile: "{project.source}/Snakefile"
    prefix: "bev"
    config: {{"scans": "scans", "encodings": ["mv3d"], "strict": True}}


use rule * from bev as bev_*
"""
    )
    shutil.copytree(project.source / "profiles", run.folder / "profiles")
    start = ("bev_all", "--snakefile", "Snakefile")
    output = project.run(*start, expect=1)
    assert "module bev: 2 images made, 0 up to date, 1 failed" in output
    (run.folder / "scans" / "c.bin").unlink()
    output = project.run(*start, expect=1)
    assert "module bev: strict: warnings about 1 scan, expected none" in output
    rows = (run.folder / "bev/results/warnings.tsv").read_text().splitlines()
    assert {row.split("\t")[2] for row in rows[1:]} == {"b"}
    assert (run.folder / "bev/results/failed.tsv").read_text().count("\n") == 1
    assert not run.results.exists()
