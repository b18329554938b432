"""What people look at: gallery, contact sheets, movies, counts, and the report."""

import csv
import json
import re
import zipfile

import cv2
import numpy as np
import pytest
from conftest import SMALL

from birdview.encoding import load_encodings
from birdview.gallery import write_gallery
from birdview.layout import find_layout
from birdview.picture import make_picture

SETTINGS = ("--config", "scans=scans", "encodings=[lyft, mv3d_slices]")
NAMES = [f"{number:02}" for number in range(5)]


@pytest.fixture
def drive(project, make_scan):
    """Write five scans, each of more points than the one before."""
    for number, name in enumerate(NAMES):
        path = project.folder / "scans" / f"{name}.bin"
        make_scan(path, 1000 * (number + 1), seed=number)
    return project


def read_counts(folder, encoding):
    """Return what the gallery has of each scan: its counts, or its error."""
    text = (folder / "results/gallery" / encoding / "counts.js").read_text()
    arguments = re.fullmatch(r"birdview\.receive\((.*)\);\n", text)[1]
    return json.loads(f"[{arguments}]")[2]


def test_gallery_renders_first(drive):
    """One command in an empty folder; it shows each image, and no scan that is gone."""
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
def test_gallery_shows_what_failed(drive, cores):
    """By their errors, in the same run; and those that were mended in the next."""
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


def test_gallery_shows_what_does_not_fit_into_memory(drive):
    """And verify names it."""
    with open(drive.folder / "scans" / "02.bin", "r+b") as file:
        file.truncate(16 * 2**28)

    drive.run("gallery", *SETTINGS, expect=1, **SMALL)
    counts = read_counts(drive.folder, "lyft")
    assert counts[2].startswith("scans/02.bin: out of memory: ")
    assert counts[3][0] == 4000
    output = drive.run("verify", *SETTINGS, expect=1, **SMALL)
    assert "scan: lyft/02: scans/02.bin: out of memory: " in output


def test_page_is_whole_whatever_scans_are_called(tmp_path):
    """Also like the marks for what is put into it."""
    names = ["/* gallery.js */", "</script>", "<!--", "/* data */"]
    encoding = load_encodings(["lyft"])["lyft"]
    rows = [(tmp_path / "none.bin", tmp_path / "a.png", encoding, n) for n in names]
    (tmp_path / "gallery").mkdir()
    assert write_gallery(tmp_path / "gallery", rows, find_layout("kitti"), 1) == 4
    page = (tmp_path / "gallery" / "index.html").read_text()
    assert page.count('"use strict"') == 1
    assert page.count("</script>") == 1
    assert page.count("<!--") == 0


def test_gallery_shows_images_as_they_are(drive):
    """One that is damaged or gone behind Snakemake's back; what others wrote."""
    drive.run(*SETTINGS)
    images = drive.folder / "results" / "lyft"
    encodings = load_encodings(["lyft", "mv3d_slices"])
    (images / "00.png").write_bytes((images / "00.png").read_bytes()[:-9])
    (images / "01.png").unlink()
    (images / "02.png").write_bytes(
        (images / "../mv3d_slices/02.png").resolve().read_bytes()
    )
    cv2.imwrite(str(images / "03.png"), np.zeros((336, 336, 3), np.uint8))
    folder = drive.folder / "results/gallery"
    folder.mkdir()
    rows = [
        (drive.folder / f"scans/{name}.bin", images / f"{name}.png", encoding, name)
        for encoding in encodings.values()
        for name in NAMES
    ]
    write_gallery(folder, rows[:5], find_layout("kitti"), threads=2)
    counts = read_counts(drive.folder, "lyft")
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
    rows = [
        (tmp_path / "none.bin", tmp_path / "none.png", encoding, f"{drive}{number:010}")
        for encoding in encodings.values()
        for number in range(7481)
    ]
    (tmp_path / "gallery").mkdir()
    write_gallery(tmp_path / "gallery", rows, find_layout("kitti"), threads=2)
    assert (tmp_path / "gallery" / "index.html").stat().st_size < 2_000_000


def test_contact_sheet(drive):
    """Each picture in its place; drawn anew only if an image changed."""
    drive.run("contact_sheet", *SETTINGS)
    path = drive.folder / "results/contact_sheet/lyft.png"
    sheet = cv2.imread(str(path))
    side, encoding = 480, load_encodings(["lyft"])["lyft"]
    for number, name in enumerate(NAMES):
        image = cv2.imread(str(drive.folder / f"results/lyft/{name}.png"))
        picture = make_picture(image[..., ::-1].transpose(2, 0, 1), encoding, side)
        rows, cols, _ = picture.shape
        line, column = divmod(number, 3)
        top = 48 + line * (side + 34) + (side - rows) // 2
        left = 8 + column * (side + 8) + (side - cols) // 2
        part = sheet[top : top + rows, left : left + cols, ::-1]
        np.testing.assert_array_equal(part, picture)
    time = path.stat().st_mtime_ns
    drive.run("contact_sheet", *SETTINGS)
    assert path.stat().st_mtime_ns == time
    drive.run("contact_sheet", *SETTINGS[:2], "encodings=[birdnet]")
    assert path.stat().st_mtime_ns == time


def test_movie(drive):
    """A frame for each scan, at the rate of the settings, close to its picture."""
    drive.run("movie", *SETTINGS, "frame_rate=4")
    for encoding, size in (("lyft", (336, 336)), ("mv3d_slices", (800, 800))):
        path = drive.folder / f"results/movie/{encoding}.webm"
        movie = cv2.VideoCapture(str(path))
        assert movie.get(cv2.CAP_PROP_FPS) == pytest.approx(4)
        frames = []
        while (read := movie.read())[0]:
            frames.append(read[1])
        assert [frame.shape for frame in frames] == [(*size, 3)] * 5
    # More and more points, so brighter and brighter.
    sums = [int(frame[100:].sum()) for frame in frames]
    assert sums == sorted(sums)
    assert sums[-1] > 1.5 * sums[0]
    assert not list(path.parent.glob(".*"))


@pytest.mark.parametrize("rate", ["0", "61", "fast"])
def test_frame_rate_that_is_none(drive, rate):
    """One line that names the key."""
    output = drive.run("movie", *SETTINGS, f"frame_rate={rate}", expect=1)
    assert any(line.startswith("config: frame_rate: ") for line in output.splitlines())


def test_counts(drive):
    """The least, the middle and the greatest; read is the sum of the others."""
    drive.run("counts", *SETTINGS)
    with open(drive.folder / "results/counts.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 2 * 5
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
    assert sums["read"] == sums["nonfinite"] + sums["outside"] + sums["drawn"]
    chart = (drive.folder / "results/counts.svg").read_text()
    assert chart.count("<svg") == 1


def test_report(drive, visit, keep_screenshot):
    """Has what was drawn, says by which settings, and works from the file system."""
    drive.run("contact_sheet", "counts", *SETTINGS)
    benchmark = drive.folder / "results" / "benchmark"
    drive.run("--report", "report.zip", *SETTINGS)
    with zipfile.ZipFile(drive.folder / "report.zip") as report:
        names = {name.rpartition("/")[2] for name in report.namelist()}
        assert {"lyft.png", "mv3d_slices.png", "counts.svg", "counts.tsv"} <= names
        assert not {f"{name}.png" for name in NAMES} & names
        report.extractall(drive.folder / "unpacked")
    assert not benchmark.exists()  # what is not there is not measured for it
    page = visit(drive.folder / "unpacked/report/report.html", harmless="tailwindcss")
    text = page.locator("body").inner_text()
    assert "Each scan of the folder scans was read in the record layout kitti" in text
    assert "in each of the encodings lyft, mv3d_slices" in text
    page.get_by_text("Images", exact=True).first.click()
    page.get_by_text("mv3d_slices").last.wait_for()
    keep_screenshot(page)
    drive.run("--report", "report.html", *SETTINGS)
    page = (drive.folder / "report.html").read_text()
    assert "z from -2.73 to -1.93 m" in page  # the caption of a contact sheet
    assert len(page) < 6_000_000


def test_movie_plays_in_a_browser(drive, visit):
    """To its end, from the file system."""
    drive.run("movie", *SETTINGS, "frame_rate=20")
    page = drive.folder / "results/movie/page.html"
    page.write_text('<video src="mv3d_slices.webm" muted autoplay></video>')
    page = visit(page)
    page.wait_for_function("document.querySelector('video').ended")
    video = page.locator("video")
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [
        800,
        800,
    ]
