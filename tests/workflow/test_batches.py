"""Many scans in one job: the same images, and only what is stale is rendered."""

import json
import os
import re
import shutil
import signal

import pytest
from helpers import Project, wait_for

SCANS = [f"drive_{number // 5}/{number}" for number in range(10)]
SETTINGS = ("--config", "scans=scans", "encodings=[lyft]", "scans_per_job=4")
ALONE = SETTINGS[:-1]
ALL = {f"lyft/{scan}.png" for scan in SCANS}
PACKAGE = "workflow/scripts/birdview"


@pytest.fixture
def drive(project, make_scan):
    """Write ten scans in two folders: three batches of up to 4."""
    for number, scan in enumerate(SCANS):
        make_scan(project.folder / "scans" / f"{scan}.bin", 500, seed=number)
    return project


@pytest.fixture(scope="module")
def rendered_once(compiled, tmp_path_factory, make_scan):
    """Render ten scans in each way: in batches, and one by one."""
    both = {}
    for name, settings in (("batches", SETTINGS), ("one by one", ALONE)):
        project = Project(tmp_path_factory.mktemp("rendered"))
        for number, scan in enumerate(SCANS):
            make_scan(project.folder / "scans" / f"{scan}.bin", 500, seed=number)
        project.run(*settings)
        both[name] = project
    return both


@pytest.fixture(params=["batches", "one by one"])
def rendered(request, rendered_once, tmp_path):
    """Copy a folder of finished images, made in one of the ways."""
    copy = rendered_once[request.param].copy(tmp_path / "a project")
    copy.way = request.param
    return copy


@pytest.fixture
def in_batches(rendered_once, tmp_path):
    """Copy a folder of images that were made in batches, with all times."""
    project = rendered_once["batches"].copy(tmp_path / "a project")
    project.run(*SETTINGS)  # a copy's files are new to it
    return project


def read_images(folder):
    """Return the bytes of all images by path."""
    results = folder / "results"
    return {
        path.relative_to(results): path.read_bytes() for path in results.rglob("*.png")
    }


def count_batches(output):
    """Return how many batches a run looked at."""
    found = re.search(r"^ render batch +([0-9]+) *$", output, re.MULTILINE)
    return int(found[1]) if found else 0


def test_batches_give_the_same_images(drive):
    """As one by one; then there is nothing to do, for either."""
    assert count_batches(drive.run(*SETTINGS)) == 3
    drive.run("--directory", "plain", *ALONE, "scans=../scans")
    images = read_images(drive.folder)
    assert len(images) == 10
    assert images == read_images(drive.folder / "plain")
    for settings in (SETTINGS, ALONE, SETTINGS):
        assert "Nothing to be done" in drive.run(*settings)
    assert not list((drive.folder / "results" / "logs" / "lyft").rglob("*.bin.log"))


def test_images_made_one_by_one_are_up_to_date_in_batches(drive):
    """The jobs look once, and have nothing to do; nor have those of another size."""
    drive.run(*ALONE)
    assert drive.rendered_by(*SETTINGS) == set()
    assert "Nothing to be done" in drive.run(*SETTINGS)
    other = (*ALONE, "scans_per_job=3")
    assert drive.rendered_by(*other) == set()
    for settings in (other, ALONE):
        assert "Nothing to be done" in drive.run(*settings)


def change(scan, image, make_scan):
    """Write other points."""
    make_scan(scan, 500, seed=99)


def touch(scan, image, make_scan):
    """Give it the time of now."""
    os.utime(scan)


def copy_over(scan, image, make_scan):
    """Replace it by a file of the same bytes."""
    copy = scan.with_suffix(".copy")
    shutil.copyfile(scan, copy)
    copy.replace(scan)


def replace_by_older(scan, image, make_scan):
    """Write other points, with an old time."""
    os.utime(make_scan(scan, 500, seed=99), (1, 1))


def delete(scan, image, make_scan):
    """Remove the scan; its image stays."""
    scan.unlink()


def delete_image(scan, image, make_scan):
    """Remove the image."""
    image.unlink()


def truncate_image(scan, image, make_scan):
    """Cut the end of the image off."""
    image.write_bytes(image.read_bytes()[:-50])


def replace_image(scan, image, make_scan):
    """Copy the image of another scan, with its time."""
    shutil.copy2(image.with_name("5.png"), image)


EVENTS = {
    # What happens to a scan, and whether its image is rendered again: in batches; one
    # by one if it was made so; one by one if it was made in a batch.
    "drive_0/1": (change, True, True, True),
    "drive_0/2": (touch, False, False, True),
    "drive_0/3": (copy_over, False, False, True),
    "drive_0/4": (replace_by_older, True, False, False),
    "drive_1/5": (delete, False, False, False),
    "drive_1/6": (delete_image, True, True, True),
    "drive_1/7": (truncate_image, True, False, False),
    "drive_1/8": (replace_image, True, False, False),
}


def let_happen(project, make_scan):
    """Let each of the events happen, and add and rename a scan."""
    for scan, (event, *_) in EVENTS.items():
        path = project.folder / "scans" / f"{scan}.bin"
        event(path, project.folder / "results" / "lyft" / f"{scan}.png", make_scan)
    make_scan(project.folder / "scans" / "drive_0" / "1a.bin", 500, seed=20)
    path = project.folder / "scans" / "drive_1" / "9.bin"
    path.rename(path.with_name("new.bin"))


def expect_rendered(column):
    """Return the images that a way of `EVENTS` renders again."""
    again = [scan for scan, (_, *ways) in EVENTS.items() if ways[column]]
    return {f"lyft/{scan}.png" for scan in (*again, "drive_0/1a", "drive_1/new")}


def test_what_is_rendered_again_in_batches(rendered, make_scan):
    """Whichever way made the images; once more, nothing is, in batches of any size."""
    rendered.run(*SETTINGS)
    let_happen(rendered, make_scan)
    assert rendered.rendered_by(*SETTINGS) == expect_rendered(0)
    assert rendered.rendered_by(*SETTINGS) == set()
    assert rendered.rendered_by(*ALONE, "scans_per_job=3") == set()


def test_what_is_rendered_again_one_by_one(rendered, make_scan):
    """Snakemake only compares times, and knows no checksum of what it did not render.

    What it does not notice is rendered by the next run in batches.
    """
    let_happen(rendered, make_scan)
    made_in_batches = rendered.way == "batches"
    assert rendered.rendered_by(*ALONE) == expect_rendered(1 + made_in_batches)
    unnoticed = {
        f"lyft/{scan}.png"
        for scan, (_, in_batches, alone, _) in EVENTS.items()
        if in_batches and not alone
    }
    assert len(unnoticed) == 3
    assert rendered.rendered_by(*SETTINGS) == unnoticed


CHANGES = {
    "encoding": ("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]"),
    "layout": ("workflow/layouts/kitti.yaml", "fields:", "min_range: 1.0\nfields:"),
    "code": (f"{PACKAGE}/pixels/scan.py", '"""', '"""In other words: '),
}


@pytest.mark.parametrize("what", CHANGES)
def test_changed_recipe_makes_all_stale_in_both_ways(rendered, what):
    """Whichever way made them; what one has rendered again, the other does not.

    Other code changes nothing.
    """
    rendered.edit(f"{PACKAGE}/batches.py", '"""', '"""In other words: ')
    assert rendered.rendered_by(*SETTINGS) == set()
    rendered.edit(*CHANGES[what])
    assert rendered.rendered_by(*SETTINGS) == ALL
    assert rendered.rendered_by(*ALONE) == set()
    path, old, new = CHANGES[what]
    rendered.edit(path, new, old)
    assert rendered.rendered_by(*ALONE) == ALL
    assert rendered.rendered_by(*SETTINGS) == set()


def test_changed_split_renders_what_is_new(drive):
    """And what another split has rendered stays up to date."""
    split = drive.folder / "train.txt"
    split.write_text("\n".join(SCANS[:6]))
    settings = (*SETTINGS, "split=train.txt")
    assert len(drive.rendered_by(*settings)) == 6
    split.write_text("\n".join(SCANS[3:8]))
    assert drive.rendered_by(*settings) == {f"lyft/{scan}.png" for scan in SCANS[6:8]}
    split.write_text("\n".join(SCANS[:6]))
    assert drive.rendered_by(*settings) == set()


def test_added_encoding_reads_only_its_scans(drive):
    """The images of the first stay."""
    drive.run(*SETTINGS)
    more = ("--config", "scans=scans", "encodings=[lyft, complex_yolo]",
            "scans_per_job=4")  # fmt: skip
    added = {name.replace("lyft", "complex_yolo") for name in ALL}
    assert drive.rendered_by(*more) == added
    assert drive.rendered_by(*SETTINGS) == set()
    assert drive.rendered_by(*more) == set()


def test_scans_of_other_layouts_in_the_same_folder(drive, make_scan):
    """Images of one data set are not stale because another has another layout."""
    make_scan(drive.folder / "others" / "other.bin", 500, seed=0)
    fields = "[{x: float32}, {y: float32}, {z: float32}, {t: float32}]"
    other = ("--config", "scans=others", "encodings=[lyft]", f"layout={fields}")
    for extra in ((), ("scans_per_job=4",)):
        drive.run(*SETTINGS)
        drive.run(*other, *extra)
        assert drive.rendered_by(*SETTINGS) == set()
        assert drive.rendered_by(*other, *extra) == set()


def test_lost_and_damaged_records(in_batches):
    """They are made again from the images; nothing is rendered."""
    records = in_batches.folder / "results" / ".birdview"
    for damage in (b"", b"[]", b'{"scans": 1}', None):
        files = list((records / "batches").glob("*.json"))
        assert len(files) == 3
        for path in files:
            path.unlink() if damage is None else path.write_bytes(damage)
        assert in_batches.rendered_by(*SETTINGS) == set()
        assert "Nothing to be done" in in_batches.run(*SETTINGS)
    shutil.rmtree(records)
    assert in_batches.rendered_by(*SETTINGS) == set()


def test_records_of_former_batches_are_removed(in_batches):
    """When those of another size have replaced them."""
    folder = in_batches.folder / "results" / ".birdview"
    in_batches.run(*ALONE, "scans_per_job=10")
    for kind in ("batches", "finished"):
        (record,) = (folder / kind).iterdir()
    known = json.loads((folder / "batches" / f"{record.name}.json").read_text())
    assert known["scans"].keys() == set(SCANS)


def test_bad_scan_fails_alone_in_its_batch(drive, make_scan):
    """Each bad scan is named; the others are made; no older image of it is left."""
    drive.run(*SETTINGS)
    bad = drive.folder / "scans" / "drive_0" / "2.bin"
    bad.write_bytes(bytes(17))
    (drive.folder / "scans" / "drive_0" / "3.bin").write_bytes(bytes(18))
    (drive.folder / "scans" / "drive_1" / "9.bin").unlink()
    (drive.folder / "scans" / "drive_1" / "9.bin").symlink_to("nowhere")
    output = drive.run(*SETTINGS, expect=1)
    lines = output.splitlines()
    for error in (
        "scans/drive_0/2.bin: 17 bytes found, expected a multiple of 16 (layout kitti: "
        "x, y, z, reflectance)",
        "scans/drive_0/3.bin: 18 bytes found, expected a multiple of 16 (layout kitti: "
        "x, y, z, reflectance)",
        "[Errno 2] No such file or directory: 'scans/drive_1/9.bin'",
    ):
        assert lines.count(error) == 1
    failed = {f"lyft/drive_{name}.png" for name in ("0/2", "0/3", "1/9")}
    assert set(drive.images()) == ALL - failed
    assert "0 images made, 7 up to date, 3 failed" in lines
    table = (drive.folder / "results" / "failed.tsv").read_text()
    assert len(table.splitlines()) == 4
    make_scan(bad, 500)
    assert drive.rendered_by(*SETTINGS, expect=1) == {"lyft/drive_0/2.png"}


def test_batches_use_all_settings(drive):
    """An own encoding and layout, and settings from a file."""
    (drive.folder / "own.yaml").write_text(
        (drive.source / "workflow" / "encodings" / "lyft.yaml").read_text()
    )
    (drive.folder / "my settings.yaml").write_text(
        "scans: scans\n"
        "encodings: [own.yaml]\n"
        "layout: [{x: float32}, {y: float32}, {z: float32}, {t: float32}]\n"
        "scans_per_job: 4\n"
    )
    drive.run("--configfile", "my settings.yaml")
    drive.run("--directory", "plain", "--configfile", "my settings.yaml", "--config",
              "scans=../scans", "encodings=[../own.yaml]",
              "scans_per_job=null")  # fmt: skip
    images = read_images(drive.folder)
    assert len(images) == 10
    assert images == read_images(drive.folder / "plain")


def test_demo_in_batches(project):
    """The workflow simulates its scans first, with another seed."""
    (project.folder / "my.yaml").write_text(
        "{encodings: [lyft], scans_per_job: 2, demo: {scans: 3, seed: 5}}"
    )
    settings = ("--configfile", "my.yaml")
    project.run(*settings)
    project.run("--directory", "plain", *settings, "--config", "scans_per_job=null")
    images = read_images(project.folder)
    assert len(images) == 3
    assert images == read_images(project.folder / "plain")
    assert "Nothing to be done" in project.run(*settings)
    project.run(*settings, "--config", "demo={scans: 3, seed: 6}")
    assert images.keys() == read_images(project.folder).keys()
    assert images != read_images(project.folder)


def test_dry_run_names_the_batches_that_are_due(drive, make_scan):
    """And renders nothing."""
    drive.run(*SETTINGS)
    make_scan(drive.folder / "scans" / "drive_0" / "1.bin", 500, seed=99)
    before = drive.images()
    assert count_batches(drive.run(*SETTINGS, "--dry-run")) == 1
    assert drive.images() == before
    assert drive.rendered_by(*SETTINGS) == {"lyft/drive_0/1.png"}


def test_scan_that_changes_during_the_run_is_rendered_by_the_next(drive):
    """The state of a scan is that before it was read."""
    drive.inject_fault(
        """
        if scan == "drive_0/3":
            with open("scans/drive_0/0.bin", "r+b") as scan_file:
                scan_file.write(bytes(16))
        """
    )
    drive.run(*SETTINGS)
    assert drive.rendered_by(*SETTINGS) == {"lyft/drive_0/0.png"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_batches_stop_on_a_signal(drive, number):
    """After the scans that are being rendered; the next run renders the rest."""
    drive.inject_fault("import time; time.sleep(0.5)")
    process = drive.start(*SETTINGS)
    wait_for(lambda: len(drive.images()) >= 2)
    os.kill(process.pid, number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1, output
    before = drive.images()
    assert 2 <= len(before) <= 6
    assert drive.rendered_by(*SETTINGS) == ALL - before.keys()


@pytest.mark.parametrize("ends_by", ["SIGKILL", "SIGSEGV"])
def test_process_that_ends_fails_its_batch_only(drive, ends_by):
    """As when memory is short, or in native code; the same command does the rest."""
    drive.inject_fault(
        f"""
        import signal
        if scan == "drive_1/5" and not os.path.exists("ended"):
            open("ended", "w").close()
            os.kill(os.getpid(), signal.{ends_by})
        """
    )
    output = drive.run(*SETTINGS, expect=1)
    (line,) = [line for line in output.splitlines() if line.startswith("batch 00001-")]
    assert f": its process ended by {ends_by}, expected its result: " in line
    assert line.endswith("; the same command does the rest")
    (log,) = (drive.folder / "results" / "logs" / "batches").glob("00001-*.log")
    assert log.read_text() == f"{line}\n"
    before = drive.images()
    assert before.keys() == ALL - {f"lyft/drive_1/{number}.png" for number in (5, 6, 7)}
    assert drive.rendered_by(*SETTINGS) == ALL - before.keys()


def test_processes_end_with_a_killed_run(drive):
    """After the scan that is being rendered; the next run renders the rest."""
    drive.inject_fault(
        """
        import time
        with open(f"{os.getpid()}.pid", "w"):
            time.sleep(0.5)
        """
    )
    process = drive.start(*SETTINGS)
    wait_for(lambda: len(drive.images()) >= 2)
    process.kill()
    process.communicate()
    names = [path.stem for path in drive.folder.glob("*.pid")]
    assert len(names) >= 2
    wait_for(lambda: not any(os.path.exists(f"/proc/{name}") for name in names))
    before = drive.images()
    assert len(before) <= 8
    assert drive.rendered_by(*SETTINGS) == ALL - before.keys()


TARGETS = ("gallery", "movie", "counts", "bundle")


def test_targets_work_with_batches(drive):
    """The plan has no node for an image; what is made is as one by one."""
    output = drive.run(*TARGETS, *SETTINGS)
    assert count_batches(output) == 3
    assert not re.search("^ render +[0-9]", output, re.MULTILINE)
    assert "Nothing to be done" in drive.run(*TARGETS[1:], *SETTINGS)
    drive.run("--directory", "plain", *TARGETS, *ALONE, "scans=../scans")

    def find_files(folder):
        results = folder / "results"
        suffixes = (".html", ".webm", ".tsv", ".svg", ".png", ".zip")
        return {
            path.relative_to(results)
            for path in results.rglob("*")
            if path.suffix in suffixes
        }

    assert find_files(drive.folder) == find_files(drive.folder / "plain")


def test_targets_notice_changed_images(drive, make_scan):
    """The manifest is written again, and a single image is rendered by its name."""
    drive.run("manifest", *SETTINGS)
    manifest = drive.folder / "results" / "manifest.tsv"
    before = manifest.read_text()
    scan = drive.folder / "scans" / "drive_0" / "1.bin"
    make_scan(scan, 500, seed=99)
    drive.run("manifest", *SETTINGS)
    assert manifest.read_text() != before
    drive.run("verify", *SETTINGS)
    make_scan(scan, 500, seed=100)
    name = "results/lyft/drive_0/1.png"
    assert drive.rendered_by(name, *SETTINGS) == {"lyft/drive_0/1.png"}
    assert drive.rendered_by(*SETTINGS) == set()


def test_small_batches_in_a_large_run_announce_themselves(project, make_scan):
    """How much disk there is; and one by one, how much faster batches would be."""
    for number in range(1000):
        make_scan(project.folder / "scans" / f"{number}.bin", 10, seed=number)
    settings = ("--config", "scans=scans", "encodings=[lyft, complex_yolo]")
    output = project.run(*settings, "scans_per_job=500")
    (line,) = [line for line in output.splitlines() if line.startswith("disk: ")]
    assert re.fullmatch(
        r"disk: about [\d.]+ MB for 2,000 images, [\d.]+ [TGM]B free", line
    )
    assert "one job each" not in output


def test_setting_and_target_that_were_replaced(project):
    """One line says what replaces them."""
    output = project.run("--config", "part_size=9", expect=1)
    assert (
        "config: part_size is no longer a setting: set scans_per_job, which renders as "
        "many scans in one job"
    ) in output.splitlines()
    output = project.run("parts", expect=1)
    assert (
        "parts: no longer a target, expected the setting scans_per_job instead: "
        "snakemake --config scans_per_job=500"
    ) in output.splitlines()


def test_split_chooses_scans(drive):
    """In any order, repeated or not, as text from Windows; `match` does not count."""
    text = "drive_1/7\ndrive_0/0.bin \r\n\ndrive_1/7\n"
    (drive.folder / "train.txt").write_text(text, encoding="utf-16")
    drive.run(*SETTINGS, "split=train.txt", "match=nothing")
    assert sorted(drive.images()) == ["lyft/drive_0/0.png", "lyft/drive_1/7.png"]


MISSING = (
    "split: train.txt: {} scans not found in {}/scans, the first in line {}; expected "
    "the path of a scan below scans in each line, without suffix"
)


def test_missing_scans_of_a_split_are_one_failure(drive):
    """Before the first job if none exists; otherwise the others are rendered."""
    split = drive.folder / "train.txt"
    split.write_text("drive_1/007\ndrive_1/77\n")
    what = "1: 'drive_1/007'; the nearest name that exists is drive_1/7"
    output = drive.run(*SETTINGS, "split=train.txt", expect=1)
    assert MISSING.format("2 of 2", drive.folder, what) in output.splitlines()
    assert "Job stats" not in output
    split.write_text("drive_1/7\ndrive_1/77\ndrive_1/78\n")
    what = "2: 'drive_1/77'; the nearest name that exists is drive_1/7"
    for settings in (ALONE, SETTINGS):
        output = drive.run(*settings, "split=train.txt", expect=1)
        assert [line for line in output.splitlines() if line.startswith("split: ")] == [
            MISSING.format("2 of 3", drive.folder, what)
        ]
        assert list(drive.images()) == ["lyft/drive_1/7.png"]


def test_invalid_split_is_one_line(drive):
    """The default target fails with it; nothing is rendered."""
    (drive.folder / "train.txt").write_text("a\n../b\n")
    output = drive.run(*SETTINGS, "split=train.txt", expect=1)
    assert (
        "split: train.txt, line 2: '../b', expected the path of a scan below scans, "
        "without suffix"
    ) in output.splitlines()
    assert drive.images() == {}
