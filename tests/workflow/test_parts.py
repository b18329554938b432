"""`snakemake parts`: the same images, part by part; and splits, which say which."""

import pytest

SETTINGS = ("--config", "scans=scans", "encodings=[lyft]", "part_size=4")


@pytest.fixture
def drive(project, make_scan):
    """Write ten scans in two folders: parts of 4, 4 and 2."""
    for number in range(10):
        name = f"drive_{number // 5}/{number}.bin"
        make_scan(project.folder / "scans" / name, 500, seed=number)
    return project


def read_images(folder):
    results = folder / "results"
    return {
        path.relative_to(results): path.read_bytes() for path in results.rglob("*.png")
    }


def started(output):
    """Return how many parts a run had to start."""
    return sum(line.startswith("Touching output file") for line in output.splitlines())


def test_same_images(drive):
    """As those of a plain run; then there is nothing to do, for neither."""
    assert started(drive.run("parts", *SETTINGS)) == 3
    drive.run("--directory", "plain", *SETTINGS, "scans=../scans")
    images = read_images(drive.folder)
    assert len(images) == 10
    assert images == read_images(drive.folder / "plain")
    assert "Nothing to be done" in drive.run("parts", *SETTINGS)
    assert "Nothing to be done" in drive.run(*SETTINGS)


def test_what_is_stale(drive, make_scan):
    """A scan that changed, scans that are new, one that is gone, another encoding."""
    drive.run("parts", *SETTINGS)
    make_scan(drive.folder / "scans" / "drive_1" / "6.bin", 500, seed=100)
    assert drive.remade("parts", *SETTINGS) == {"lyft/drive_1/6.png"}
    make_scan(drive.folder / "scans" / "drive_2" / "0.bin", 500)
    assert drive.remade("parts", *SETTINGS) == {"lyft/drive_2/0.png"}
    (drive.folder / "scans" / "drive_2" / "0.bin").unlink()
    assert drive.remade("parts", *SETTINGS) == set()
    more = (*SETTINGS[:2], "encodings=[lyft, complex_yolo]", "part_size=4")
    assert len(drive.remade("parts", *more)) == 10
    (drive.folder / "results" / "lyft" / "drive_0" / "0.png").unlink()
    assert drive.remade("parts", *more) == set()
    again = ("parts", "--forcerun", "render_part", *more)
    assert drive.remade(*again) == {"lyft/drive_0/0.png"}


def test_bad_scans(drive, make_scan):
    """Each is named; the other images of their parts are made, and kept."""
    bad = drive.folder / "scans" / "drive_0" / "2.bin"
    bad.write_bytes(bytes(17))
    (drive.folder / "scans" / "drive_1" / "9.bin").unlink()
    (drive.folder / "scans" / "drive_1" / "9.bin").symlink_to("nowhere")
    output = drive.run("parts", *SETTINGS, expect=1)
    assert "scans/drive_0/2.bin: 17 bytes found, expected a multiple of 16" in output
    assert "No such file or directory: 'scans/drive_1/9.bin'" in output
    assert "results/parts/00000.txt: not all images could be made" in output
    assert len(drive.images()) == 8
    make_scan(bad, 500)
    assert drive.remade("parts", *SETTINGS, expect=1) == {"lyft/drive_0/2.png"}


def test_all_settings_hold(drive, make_scan):
    """An encoding and a layout of one's own, and settings from a file."""
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
    """The scans that the workflow makes itself, of another seed."""
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


def test_labels_of_some(drive):
    """They are no concern of the parts."""
    label = drive.folder / "labels" / "label_2" / "drive_0" / "0.txt"
    label.parent.mkdir(parents=True)
    label.touch()
    drive.edit("config.yaml", "labels: null", "labels: labels")
    drive.run("parts", *SETTINGS)
    assert len(drive.images()) == 10


def test_scan_that_changes_meanwhile(drive):
    """The next run sees it: a part is as its scans were before."""
    drive.edit(
        "workflow/scripts/birdview/part.py",
        "    if status:\n",
        "    if not os.path.exists('once'):\n"
        "        open('once', 'w').close()\n"
        "        with open('scans/drive_0/0.bin', 'r+b') as file:\n"
        "            file.write(bytes(16))\n"
        "    if status:\n",
    )
    drive.run("parts", *SETTINGS)
    assert drive.remade("parts", *SETTINGS) == {"lyft/drive_0/0.png"}


def test_profile_of_the_environment(drive, tmp_path):
    """Only what starts the parts obeys it, not their own Snakemake."""
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "config.yaml").write_text("dry-run: true\n")
    environment = {"SNAKEMAKE_PROFILE": str(tmp_path / "profile")}
    drive.run("parts", "--profile", "none", *SETTINGS, environment=environment)
    assert len(drive.images()) == 10


def test_split(drive):
    """Only the scans that it names, in whatever order, however often."""
    (drive.folder / "train.txt").write_text("drive_1/7\ndrive_0/0\r\n\ndrive_1/7\n")
    drive.run(*SETTINGS, "split=train.txt")
    assert sorted(drive.images()) == ["lyft/drive_0/0.png", "lyft/drive_1/7.png"]


def test_split_with_a_name_that_is_none(drive):
    """A scan that is not there fails alone."""
    (drive.folder / "train.txt").write_text("drive_1/7\ndrive_1/77\n")
    output = drive.run(*SETTINGS, "split=train.txt", expect=1)
    assert "No such file or directory: 'scans/drive_1/77.bin'" in output
    assert list(drive.images()) == ["lyft/drive_1/7.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "split: no file train.txt, expected one with the name of a scan in each "
         "line"),
        (b"", "split: nothing in train.txt, expected the name of a scan in each line"),
        (b"a\n../b\n", "split: train.txt, line 2: '../b', expected the path of a scan "
         "below scans, without suffix"),
        (b"/data/a\n", "split: train.txt, line 1: '/data/a', expected the path of a "
         "scan below scans, without suffix"),
        (b"\xff\xfe", "split: train.txt is no text, expected names of scans"),
        (b"boxes/1\n", "scans: {folder}/scans/boxes/ holds scans, expected another "
         "name: results/<encoding>/boxes/ is for pictures of boxes"),
    ],
)  # fmt: skip
def test_wrong_splits(drive, text, message):
    """One line that says what is wrong."""
    if text is not None:
        (drive.folder / "train.txt").write_bytes(text)
    output = drive.run(*SETTINGS, "split=train.txt", expect=1)
    assert message.format(folder=drive.folder) in output.splitlines()


def test_split_of_the_demo(project):
    """Its scans are known by their number."""
    output = project.run("--config", "split=train.txt", expect=1)
    assert (
        "scans: null, expected the folder of the split's scans" in output.splitlines()
    )
