"""`snakemake parts` renders the same images, part by part; splits choose the scans."""

import pytest

SETTINGS = ("--config", "scans=scans", "encodings=[lyft]", "part_size=5")


@pytest.fixture
def drive(project, make_scan):
    """Write ten scans in two folders: two parts of 5."""
    for number in range(10):
        name = f"drive_{number // 5}/{number}.bin"
        make_scan(project.folder / "scans" / name, 500, seed=number)
    return project


def read_images(folder):
    """Return the bytes of all images by path."""
    results = folder / "results"
    return {
        path.relative_to(results): path.read_bytes() for path in results.rglob("*.png")
    }


def count_parts(output):
    """Return how many parts a run rendered."""
    return sum(line.startswith("Touching output file") for line in output.splitlines())


def test_parts_give_the_same_images(drive):
    """As a plain run; then there is nothing to do, for either."""
    settings = (*SETTINGS, "part_size=4")
    assert count_parts(drive.run("parts", *settings)) == 3
    drive.run("--directory", "plain", *SETTINGS, "scans=../scans")
    images = read_images(drive.folder)
    assert len(images) == 10
    assert images == read_images(drive.folder / "plain")
    assert "Nothing to be done" in drive.run("parts", *settings)
    assert "Nothing to be done" in drive.run(*settings)


def test_only_stale_images_of_a_part_are_rendered(drive, make_scan):
    """A changed scan, a new one, a deleted one, another encoding, a deleted image."""
    drive.run("parts", *SETTINGS)
    before = set(drive.images())
    make_scan(drive.folder / "scans" / "drive_1" / "6.bin", 500, seed=100)
    make_scan(drive.folder / "scans" / "drive_1" / "90.bin", 500)
    changed, new = "lyft/drive_1/6.png", "lyft/drive_1/90.png"
    assert drive.rendered_by("parts", *SETTINGS) == {changed, new}
    (drive.folder / "scans" / "drive_1" / "90.bin").unlink()
    more = (*SETTINGS[:2], "encodings=[lyft, complex_yolo]", "part_size=5")
    added = {name.replace("lyft", "complex_yolo") for name in before}
    assert drive.rendered_by("parts", *more) == added
    (drive.folder / "results" / "lyft" / "drive_0" / "0.png").unlink()
    assert drive.rendered_by("parts", *more) == set()
    again = ("parts", "--forcerun", "render_part", *more)
    assert drive.rendered_by(*again) == {"lyft/drive_0/0.png"}


def test_bad_scan_fails_alone_in_its_part(drive, make_scan):
    """Each bad scan is named; the other images of its part are rendered and kept."""
    bad = drive.folder / "scans" / "drive_0" / "2.bin"
    bad.write_bytes(bytes(17))
    (drive.folder / "scans" / "drive_1" / "9.bin").unlink()
    (drive.folder / "scans" / "drive_1" / "9.bin").symlink_to("nowhere")
    output = drive.run("parts", *SETTINGS, expect=1)
    assert "scans/drive_0/2.bin: 17 bytes found, expected a multiple of 16" in output
    assert "No such file or directory: 'scans/drive_1/9.bin'" in output
    assert "results/parts/00000.txt: not all images could be rendered" in output
    assert len(drive.images()) == 8
    make_scan(bad, 500)
    rendered = drive.rendered_by("parts", *SETTINGS, expect=1)
    assert rendered == {"lyft/drive_0/2.png"}


def test_parts_use_all_settings(drive):
    """An own encoding and layout, and settings from a file."""
    (drive.folder / "own.yaml").write_text(
        (drive.source / "workflow" / "encodings" / "lyft.yaml").read_text()
    )
    (drive.folder / "my settings.yaml").write_text(
        "scans: scans\n"
        "encodings: [own.yaml]\n"
        "layout: [{x: float32}, {y: float32}, {z: float32}, {t: float32}]\n"
        "part_size: 5\n"
    )
    drive.run("parts", "--configfile", "my settings.yaml")
    drive.run("--directory", "plain", "--configfile", "my settings.yaml", "--config",
              "scans=../scans", "encodings=[../own.yaml]")  # fmt: skip
    images = read_images(drive.folder)
    assert len(images) == 10
    assert images == read_images(drive.folder / "plain")


def test_demo_in_parts(project):
    """The workflow simulates its scans first, with another seed."""
    (project.folder / "my.yaml").write_text(
        "{encodings: [lyft], part_size: 2, demo: {scans: 3, seed: 5}}"
    )
    settings = ("--configfile", "my.yaml")
    project.run("parts", *settings)
    project.run("--directory", "plain", *settings)
    images = read_images(project.folder)
    assert len(images) == 3
    assert images == read_images(project.folder / "plain")
    assert "Nothing to be done" in project.run("parts", *settings)


def test_parts_ignore_labels(drive):
    """There may be none for the scans of a part."""
    label = drive.folder / "labels" / "label_2" / "drive_0" / "0.txt"
    label.parent.mkdir(parents=True)
    label.touch()
    drive.edit("config.yaml", "labels: null", "labels: labels")
    drive.run("parts", *SETTINGS)
    assert len(drive.images()) == 10


def test_scan_that_changes_during_the_run_is_rendered_by_the_next(drive):
    """The state of a part's scans is recorded before the part is rendered."""
    drive.inject_fault(
        """
        if scan == "drive_0/3":
            import base64, time
            done = base64.b64encode(b"results/lyft/drive_0/0.png").decode()
            while not os.path.exists(f".snakemake/metadata/{done}"):
                time.sleep(0.01)
            with open("scans/drive_0/0.bin", "r+b") as scan_file:
                scan_file.write(bytes(16))
        """
    )
    drive.run("parts", *SETTINGS)
    assert drive.rendered_by("parts", *SETTINGS) == {"lyft/drive_0/0.png"}


def test_parts_ignore_the_profile_of_the_environment(drive, tmp_path):
    """SNAKEMAKE_PROFILE is for the Snakemake that starts the parts."""
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "config.yaml").write_text("dry-run: true\n")
    environment = {"SNAKEMAKE_PROFILE": str(tmp_path / "profile")}
    drive.run("parts", "--profile", "none", *SETTINGS, environment=environment)
    assert len(drive.images()) == 10


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
    split, settings = drive.folder / "train.txt", (*SETTINGS, "split=train.txt")
    split.write_text("drive_1/007\ndrive_1/77\n")
    what = "1: 'drive_1/007'; the nearest name that exists is drive_1/7"
    output = drive.run(*settings, expect=1)
    assert MISSING.format("2 of 2", drive.folder, what) in output.splitlines()
    assert "Job stats" not in output
    split.write_text("drive_1/7\ndrive_1/77\ndrive_1/78\n")
    what = "2: 'drive_1/77'; the nearest name that exists is drive_1/7"
    for target in ("all", "parts"):
        output = drive.run(target, *settings, expect=1)
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
