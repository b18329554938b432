"""The demo writes nothing where files of the user may be."""

import re

import pytest

from birdview.pixels.png import GREY, write_png

DEMO = ("--config", "encodings=[lyft, mv3d]")
SETTINGS = ("--config", "scans=scans", "encodings=[lyft, mv3d]")


@pytest.fixture
def make_images(project, make_scan):
    """Render images of scans of the user, and return all files of the results."""

    def make(*names):
        for name in names:
            make_scan(project.folder / "scans" / f"{name}.bin")
        project.run(*SETTINGS)
        return project.files()

    return make


@pytest.mark.parametrize(
    "names",
    [
        ["000000"],
        [f"{number:06}" for number in range(8)],
        ["000000", "drive_0/000001"],
        ["drive/demo/000000", "demo", "demonstration/000000"],
    ],
    ids=["one name", "all names of the demo", "sub-folders", "folders called demo"],
)
def test_demo_keeps_all_files_of_a_run(project, make_images, names):
    """For those who try the demo first, and forget `scans` later."""
    project.run(*DEMO)
    before = make_images(*names)
    project.run(*DEMO)
    after = project.files()
    assert {name: after.get(name) for name in before} == before
    demo = {f"{name}/demo/{number:06}.png" for name in ("lyft", "mv3d")
            for number in range(8)}  # fmt: skip
    assert demo <= set(project.images())
    assert project.rendered_by(*SETTINGS) == set()


def test_targets_of_the_demo_keep_those_of_a_run(project, make_images):
    """The manifest, the gallery and so on, which the user made of all images."""
    make_images("000000", "000001")
    targets = ("manifest", "counts", "contact_sheet", "movie", "gallery")
    project.run(*targets, *SETTINGS)
    project.run("bundle", "verify", *SETTINGS)
    project.run(*SETTINGS, "scans_per_job=1")
    before = project.files()
    settings = ("--config", "encodings=[lyft, mv3d]", "demo={scans: 2}")
    project.run(*targets, *settings)
    project.run("bundle", "verify", *settings)
    project.run(*settings, "scans_per_job=1")
    after = project.files()
    assert {name: after.get(name) for name in before} == before
    new = {
        re.sub(r"birdview-\w+", "birdview", name) for name in set(after) - set(before)
    }
    assert {
        *("demo/manifest.tsv", "demo/counts.tsv", "demo/counts.svg"),
        *("demo/contact_sheet/lyft.png", "demo/movie/mv3d.webm", "demo/verify.tsv"),
        *("demo/gallery/index.html", "demo/.birdview/judged.json", "demo/birdview.zip"),
    } <= new
    assert all("demo/" in name for name in new)


def test_image_by_name_is_not_the_demos(project, make_images):
    """Without `scans`, nobody knows which scan it is of."""
    before = make_images("000000")
    settings = ("--config", "encodings=[lyft]")
    output = project.run("results/lyft/000000.png", *settings, expect=1)
    assert (
        "scans: null, but 000000 is not a scan of the demo, such as demo/000000: "
        "expected the folder of the scans"
    ) in output.splitlines()
    assert project.files() == before


def test_folder_called_demo_is_an_error(project, make_scan):
    """Its images would be where the demo's are, whose images stay as they are."""
    project.run("--config", "encodings=[lyft]", "demo={scans: 1}")
    before = project.files()
    make_scan(project.folder / "scans" / "demo" / "000000.bin")
    make_scan(project.folder / "scans" / "0.bin")
    for target in ("all", "results/lyft/demo/000000.png", "manifest"):
        output = project.run(target, *SETTINGS, expect=1)
        assert (
            "scans: scans/demo/000000.bin, expected another folder than demo/: "
            "results/<encoding>/demo/ is for the demo's images"
        ) in output.splitlines()
    assert project.files() == before


def test_images_of_0_1_stay(project):
    """It rendered a user's folder demo to where the demo's images are now."""
    image = project.folder / "results" / "lyft" / "demo" / "000007.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(write_png((1, 1), GREY, b"", {"Software": "birdview 0.1.0"}))
    before = project.files()
    output = project.run(*DEMO, expect=1)
    assert (
        "results/lyft/demo/000007.png: birdview 0.1 rendered it from a scan of yours, "
        "expected an image of the demo: rename results/lyft/demo"
    ) in output.splitlines()
    assert project.files() == before


def test_demos_scans_are_not_the_users(project, make_scan):
    """Where the folder of the scans holds the results as well."""
    project.run("--config", "encodings=[lyft]", "demo={scans: 1}")
    make_scan(project.folder / "0.bin")
    project.run("--config", "encodings=[lyft]", "scans=.")
    assert set(project.images()) == {"lyft/0.png", "lyft/demo/000000.png"}
