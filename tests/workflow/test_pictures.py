"""Gallery, contact sheets, movies, counts and Snakemake's report."""

import json
import re
import shutil
import zipfile

import cv2
import numpy as np
import pytest
from helpers import SMALL_MEMORY, Project

from birdview import jobs
from birdview.counts import Counts
from birdview.files import read_table
from birdview.image import ImageFile, inflate_with_zlib
from birdview.run import load_encodings
from birdview.view.gallery import write_gallery
from birdview.view.picture import make_picture

SETTINGS = ("--config", "scans=scans", "encodings=[lyft, mv3d_slices]")
NAMES = [f"{number:02}" for number in range(5)]


@pytest.fixture(scope="module")
def scans(make_scan, tmp_path_factory):
    """Write five scans, each with more points than the one before."""
    folder = tmp_path_factory.mktemp("drive") / "scans"
    for number, name in enumerate(NAMES):
        make_scan(folder / f"{name}.bin", 1000 * (number + 1), seed=number)
    return folder


@pytest.fixture
def drive(project, scans):
    """Copy the scans to a project."""
    shutil.copytree(scans, project.folder / "scans")
    return project


@pytest.fixture(scope="module")
def original(compiled, scans, tmp_path_factory):
    """Make all pictures of the scans but the gallery, in one run."""
    project = Project(tmp_path_factory.mktemp("original") / "a project")
    shutil.copytree(scans, project.folder / "scans")
    project.run("contact_sheet", "counts", "movie", *SETTINGS, "frame_rate=4")
    return project


@pytest.fixture
def pictured(original, tmp_path):
    """Copy the project with its pictures."""
    return original.copy(tmp_path / "a project")


CLASSES = """
description: Two classes.
classes:
  - {name: car, colour: [10, 250, 30], labels: [10]}
  - {name: road, colour: [200, 20, 220], labels: [40]}
"""


def test_pictures_change_with_the_colours_of_classes(project):
    """And grid.json with them and the names; images stay as they are."""
    folder = project.folder
    (folder / "scans").mkdir()
    (folder / "own.yaml").write_text(CLASSES)
    side = np.arange(-50, 50, 0.1)
    points = np.zeros((2, len(side), 4), dtype="<f4")
    points[..., 0], points[..., 2] = side, -1
    points[:, :, 1] = [[5], [-5]]
    points.tofile(folder / "scans/a.bin")
    (folder / "labels").mkdir()
    labels = np.repeat(np.array([10, 40], dtype="<u4"), len(side))
    labels.tofile(folder / "labels/a.label")
    labelled = "point_labels={path: labels, map: own.yaml}"
    settings = ("--config", "scans=scans", "encodings=[semantic]", labelled)
    targets = ("all", "contact_sheet", "movie")
    grid = folder / "results/semantic/grid.json"
    sheet = folder / "results/contact_sheet/semantic.png"

    def has_colour(*colour):
        return (cv2.imread(str(sheet))[..., ::-1] == colour).all(axis=2).any()

    project.run(*targets, *settings)
    images = project.images()
    assert [one["name"] for one in json.loads(grid.read_text())["classes"]] == [
        "car",
        "road",
    ]
    assert has_colour(10, 250, 30)
    assert has_colour(200, 20, 220)
    changed = CLASSES.replace("road", "street").replace("[10, 250", "[150, 250")
    (folder / "own.yaml").write_text(changed)
    project.run(*targets, *settings)
    assert project.images()["semantic/a.png"] == images["semantic/a.png"]
    assert json.loads(grid.read_text())["classes"] == [
        {"number": 0, "name": "car", "colour": [150, 250, 30]},
        {"number": 1, "name": "street", "colour": [200, 20, 220]},
    ]
    assert has_colour(150, 250, 30)
    assert not has_colour(10, 250, 30)
    output = project.run(*targets, *settings)
    assert "Nothing to be done" in output


def read_counts(folder, encoding):
    """Return the counts or the error of each scan in the gallery."""
    text = (folder / "results/gallery" / encoding / "counts.js").read_text()
    arguments = re.fullmatch(r"birdview\.receive\((.*)\);\n", text)[1]
    return json.loads(f"[{arguments}]")[2]["results"]


def test_gallery_renders_missing_images_first(drive):
    """One command in an empty folder; a deleted scan is no longer shown."""
    drive.run("gallery", *SETTINGS)
    assert len(drive.images()) == 10
    for encoding in ("lyft", "mv3d_slices"):
        folder = drive.folder / "results/gallery" / encoding
        counts = read_counts(drive.folder, encoding)
        assert [row[0] for row in counts] == [1000, 2000, 3000, 4000, 5000]
        assert {path.name for path in folder.iterdir()} == {
            *(f"{number}.js" for number in range(5)),
            *("0.webp", "counts.js"),
        }
    (drive.folder / "scans" / "02.bin").unlink()
    drive.run("gallery", *SETTINGS)
    assert [row[0] for row in read_counts(drive.folder, "lyft")] == [
        *(1000, 2000, 4000, 5000)
    ]


@pytest.mark.parametrize("cores", [1, 2])
def test_gallery_shows_errors(drive, cores):
    """In the run in which a scan fails; and its image once the scan is fixed."""
    bad = drive.folder / "scans" / "02.bin"
    good = bad.read_bytes()
    bad.write_bytes(good[:-1])
    drive.run("gallery", *SETTINGS, cores=cores, expect=1)
    for encoding in ("lyft", "mv3d_slices"):
        counts = read_counts(drive.folder, encoding)
        assert [type(row) for row in counts] == [list, list, str, list, list]
        assert counts[2].startswith("scans/02.bin: 47999 bytes found, expected")
    bad.write_bytes(good)
    drive.run("gallery", *SETTINGS, cores=cores)
    assert read_counts(drive.folder, "lyft")[2][0] == 3000


def test_gallery_shows_a_scan_that_does_not_fit_into_memory(drive):
    """And `verify` names it."""
    with open(drive.folder / "scans" / "02.bin", "r+b") as file:
        file.truncate(16 * 2**28)

    drive.run("gallery", *SETTINGS, expect=1, **SMALL_MEMORY)
    counts = read_counts(drive.folder, "lyft")
    assert counts[2].startswith("scans/02.bin: out of memory: ")
    assert counts[3][0] == 4000
    output = drive.run("verify", *SETTINGS, expect=1, **SMALL_MEMORY)
    assert "scan: lyft/02: scans/02.bin: out of memory: " in output


def write_to(folder, images):
    """Write the gallery of images to a folder; return how many are missing."""
    folder.mkdir()
    return write_gallery(folder, images, lambda image: "", inflate_with_zlib, threads=2)


def test_page_escapes_scan_names(tmp_path):
    """Even those that look like the template's own marks, or like HTML."""
    names = ["/* gallery.js */", "</script>", "<!--", "/* data */"]
    encoding = load_encodings(["lyft"])["lyft"]
    images = [
        ImageFile(tmp_path / "a.png", encoding, name, tmp_path / "none.bin")
        for name in names
    ]
    assert write_to(tmp_path / "gallery", images) == 4
    page = (tmp_path / "gallery" / "index.html").read_text()
    assert page.count('"use strict"') == 1
    assert page.count("</script>") == 1
    assert page.count("<!--") == 0


def test_gallery_shows_damaged_and_missing_images_as_errors(pictured):
    """Whatever happened to them without Snakemake's knowledge."""
    folder = pictured.folder / "results" / "lyft"
    (folder / "00.png").write_bytes((folder / "00.png").read_bytes()[:-9])
    (folder / "01.png").unlink()
    other = pictured.folder / "results" / "mv3d_slices" / "02.png"
    (folder / "02.png").write_bytes(other.read_bytes())
    cv2.imwrite(str(folder / "03.png"), np.zeros((336, 336, 3), np.uint8))
    encoding = load_encodings(["lyft"])["lyft"]
    images = [
        ImageFile(folder / f"{name}.png", encoding, name, f"scans/{name}.bin")
        for name in NAMES
    ]
    assert write_to(pictured.folder / "results" / "gallery", images) == 4
    counts = read_counts(pictured.folder, "lyft")
    assert counts[0].endswith("00.png: ends too early, expected a whole PNG")
    assert counts[1] == "not rendered yet"
    assert "encoding" in counts[2]
    assert counts[3].endswith("no read in its text, expected birdview's PNG")
    assert counts[4][0] == 5000


def test_page_of_many_scans_is_small(tmp_path):
    """7,481 with names as long as those of KITTI's raw data, in all encodings."""
    names = ["notebook", "mv3d", "mv3d_slices", "complex_yolo", "pixor", "birdnet"]
    encodings = load_encodings([*names, "avod_like", "lyft"])
    drive = "2011_09_26/2011_09_26_drive_0001_sync/velodyne_points/data/"
    none = tmp_path / "none"
    images = [
        ImageFile(none, encoding, f"{drive}{number:010}", none)
        for encoding in encodings.values()
        for number in range(7481)
    ]
    assert write_to(tmp_path / "gallery", images) == 8 * 7481
    page = (tmp_path / "gallery" / "index.html").read_text()
    assert f"{drive}0000007480" in page
    assert all(f'"{name}"' in page for name in encodings)
    assert len(page.encode()) < 2_000_000


def test_contact_sheet(pictured):
    """Every picture is where it should be; drawn again only if an image changed."""
    path = pictured.folder / "results/contact_sheet/lyft.png"
    sheet = cv2.imread(str(path))
    side, encoding = 480, load_encodings(["lyft"])["lyft"]
    for number, name in enumerate(NAMES):
        image = cv2.imread(str(pictured.folder / f"results/lyft/{name}.png"))
        picture = make_picture(image[..., ::-1].transpose(2, 0, 1), encoding, side)
        rows, cols, _ = picture.shape
        line, column = divmod(number, 3)
        top = 48 + line * (side + 34) + (side - rows) // 2
        left = 8 + column * (side + 8) + (side - cols) // 2
        drawn = sheet[top : top + rows, left : left + cols, ::-1]
        np.testing.assert_array_equal(drawn, picture)
    time = path.stat().st_mtime_ns
    pictured.run("contact_sheet", *SETTINGS)
    assert path.stat().st_mtime_ns == time
    pictured.run("contact_sheet", *SETTINGS[:2], "encodings=[birdnet]")
    assert path.stat().st_mtime_ns == time


def test_movie(pictured):
    """A frame for each scan, at the frame rate of the settings."""
    for encoding, size in (("lyft", (336, 336)), ("mv3d_slices", (800, 800))):
        path = pictured.folder / f"results/movie/{encoding}.webm"
        movie = cv2.VideoCapture(str(path))
        assert movie.get(cv2.CAP_PROP_FPS) == pytest.approx(4)
        frames = []
        while (read := movie.read())[0]:
            frames.append(read[1])
        assert [frame.shape for frame in frames] == [(*size, 3)] * 5
    # Every scan has more points, so every frame is brighter.
    sums = [int(frame[100:].sum()) for frame in frames]
    assert sums == sorted(sums)
    assert sums[-1] > 1.5 * sums[0]
    assert not list(path.parent.glob(".*"))


def test_counts(pictured):
    """Minimum, median and maximum; read is the sum of the others."""
    rows = read_table(pictured.folder / "results/counts.tsv")
    assert len(rows) == 2 * len(Counts._fields)
    read = rows[0]
    assert {key: read[key] for key in list(read)[:6]} == {
        "encoding": "lyft",
        "count": "read",
        "scans": "5",
        "least": "1000",
        "median": "3000",
        "greatest": "5000",
    }
    sums = {row["count"]: int(row["sum"]) for row in rows if row["encoding"] == "lyft"}
    assert sums["read"] == 15_000
    parts = set(Counts._fields) - {"read", "outside_height", "cells"}
    assert sums["read"] == sum(sums[key] for key in parts)
    chart = (pictured.folder / "results/counts.svg").read_text()
    assert chart.count("<svg") == 1
    assert "points outside the region" in chart
    assert "beams without a return" not in chart  # there are none


def names_in(archive):
    """Return the names of the files in a zipped report."""
    with zipfile.ZipFile(archive) as report:
        return {name.rpartition("/")[2] for name in report.namelist()}


def test_report_shows_the_existing_pictures(pictured, visit, keep_screenshot):
    """It says which settings they have, and works from the file system."""
    benchmark, images = pictured.folder / "results" / "benchmark", pictured.images()
    pictured.run("report", "--report", "report.zip", *SETTINGS)
    names = names_in(pictured.folder / "report.zip")
    assert {"lyft.png", "mv3d_slices.png", "counts.svg", "counts.tsv"} <= names
    assert not {f"{name}.png" for name in NAMES} & names
    # Nothing is rendered or measured for the report.
    assert not benchmark.exists()
    assert pictured.images() == images
    shutil.unpack_archive(pictured.folder / "report.zip", pictured.folder / "unpacked")
    page = visit(
        pictured.folder / "unpacked/report/report.html", harmless="tailwindcss"
    )
    text = page.locator("body").inner_text()
    assert "Each scan in the folder scans was read with the layout kitti" in text
    assert "in each of the encodings lyft, mv3d_slices" in text
    page.get_by_text("Contact sheets: what the images look like").first.click()
    page.get_by_text("scans side by side").first.wait_for()
    page.get_by_text("mv3d_slices").last.wait_for()
    keep_screenshot(page)
    pictured.run("report", "--report", "report.html", *SETTINGS)
    page = (pictured.folder / "report.html").read_text()
    assert "z from -2.73 to -1.93 m" in page  # the caption of a contact sheet
    assert len(page) < 6_000_000


def test_report_names_charts_of_the_benchmark_by_their_titles():
    """Not by the files they are drawn from."""
    assert jobs.label_chart("readers") == {"shows": "Reading one scan"}


def test_report_of_the_default_target_says_how_to_get_pictures(pictured, visit):
    """`snakemake --report report.zip` has no pictures."""
    pictured.run("--report", "report.zip", *SETTINGS)
    assert not {"lyft.png", "counts.svg"} & names_in(pictured.folder / "report.zip")
    shutil.unpack_archive(pictured.folder / "report.zip", pictured.folder / "unpacked")
    page = visit(
        pictured.folder / "unpacked/report/report.html", harmless="tailwindcss"
    )
    assert "snakemake report --report" in page.locator("body").inner_text()


def test_movie_plays_in_a_browser(pictured, visit):
    """To its end, from the file system."""
    page = pictured.folder / "results/movie/page.html"
    page.write_text('<video src="mv3d_slices.webm" muted autoplay></video>')
    page = visit(page)
    page.wait_for_function("document.querySelector('video').ended")
    video = page.locator("video")
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [
        800,
        800,
    ]
