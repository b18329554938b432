"""A bad scan stops nobody but itself."""

import collections
import hashlib
import itertools
import os
import re
import threading

import cv2
import numpy as np
import pytest
from conftest import SMALL, obey_permissions

from birdview.encoding import load_encoding
from birdview.png import read_text
from birdview.reference import LOOPS, draw_notebook
from birdview.render import render
from birdview.scan import FARTHEST, read_scan


def render_beside_nine(project, make_scan, **options):
    """Render a folder with nine good scans; return what snakemake printed."""
    for number in range(9):
        make_scan(project.folder / "scans" / f"{number}.bin")
    output = project.run("--config", "scans=scans", expect=1, **options)
    assert sorted(project.images()) == [f"notebook/{number}.png" for number in range(9)]
    assert sorted(os.listdir(project.folder / "results" / "notebook")) == [
        *(f"{number}.png" for number in range(9)),
        "grid.json",
    ]
    assert "Traceback" not in output
    return output.splitlines()


def test_one_bad_scan_among_ten(project, make_scan):
    """Nine images, one line that names the scan, no partial file; then it is mended."""
    bad = make_scan(project.folder / "scans" / "bad.bin", 0)
    bad.write_bytes(bytes(33))
    lines = render_beside_nine(project, make_scan)
    assert [line for line in lines if "bad.bin" in line] == [
        "scans/bad.bin: 33 bytes found, expected a multiple of 16 "
        "(layout kitti: x, y, z, reflectance)"
    ]
    make_scan(bad)
    assert project.remade("--config", "scans=scans") == {"notebook/bad.png"}


def test_numbers_that_cannot_be_coordinates(project, make_scan):
    """A file of another layout, whose size happens to fit."""
    make_scan(project.folder / "scans" / "bad.bin", [[2 * FARTHEST, 0, 0, 0]])
    lines = render_beside_nine(project, make_scan)
    assert [line for line in lines if "bad.bin" in line] == [
        "scans/bad.bin: 1 of 1 points have a coordinate beyond 100000 m, expected "
        "metres (layout kitti: x, y, z, reflectance); is it another layout?"
    ]


def big_endian(points):
    return points.astype(">f4").tobytes()


def five_columns(points):
    ring = np.arange(len(points))[:, None] % 64
    return np.hstack([points, ring]).astype("<f4").tobytes()


def as_text(points):
    return "".join(
        f"{x:.3f} {y:.3f} {z:.3f} {r:.2f}\n" for x, y, z, r in points
    ).encode()


KITTI = "(layout kitti: x, y, z, reflectance)"
CONTENTS = {
    "1 byte": (
        lambda points: bytes(1),
        f"1 bytes found, expected a multiple of 16 {KITTI}",
    ),
    "15 bytes": (
        lambda points: bytes(15),
        f"15 bytes found, expected a multiple of 16 {KITTI}",
    ),
    "17 bytes": (
        lambda points: bytes(17),
        f"17 bytes found, expected a multiple of 16 {KITTI}",
    ),
    "a download that ended early": (
        lambda points: points.astype("<f4").tobytes()[:-5],
        f"15995 bytes found, expected a multiple of 16 {KITTI}",
    ),
    "coordinate of 1e30": (
        lambda points: np.array([[0, 1e30, 0, 0]], dtype="<f4").tobytes(),
        f"1 of 1 points have a coordinate beyond 100000 m, expected metres {KITTI}; "
        "is it another layout?",
    ),
    "big endian": (
        big_endian,
        rf"\d+ of 1000 points have a coordinate beyond 100000 m, expected metres "
        f"{KITTI}; is it another layout?",
    ),
    "five columns": (
        five_columns,
        rf"\d+ of 1250 points have a reflectance below -1, expected none below 0 "
        f"{KITTI}; is it another layout?",
    ),
    "text": (as_text, f"text found, expected records of 16 bytes {KITTI}"),
}


def test_contents_that_are_no_scan(project, make_scan):
    """One line for each, that names it, what was found and what was expected."""
    points = np.random.default_rng(0).normal(
        [0, 0, -1, 0.5], [20, 20, 1, 0.1], (1000, 4)
    )
    (project.folder / "scans").mkdir()
    for name, (change, _) in CONTENTS.items():
        (project.folder / "scans" / f"{name}.bin").write_bytes(change(points))
    lines = render_beside_nine(project, make_scan)
    for name, (_, message) in CONTENTS.items():
        pattern = message.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")
        found = [line for line in lines if line.startswith(f"scans/{name}.bin: ")]
        assert len(found) == 1
        assert re.fullmatch(f"scans/{name}.bin: {pattern}", found[0])


def test_numbers_that_are_odd_but_numbers(project, make_scan):
    """NaN, infinities, -0.0, subnormal, in each field: counted or drawn, as by hand."""
    odd = [np.nan, np.inf, -np.inf]
    points = [[1, 2, -1, 0.5] for _ in range(12)]
    for number, point in enumerate(points):
        point[number // 3] = odd[number % 3]
    drawn = [[-0.0, 0.0, -1, 0.5], [1e-40, -1e-40, -1, 0.5], [0.05, 0.05, -0.5, 1e-45]]
    make_scan(project.folder / "scans" / "odd.bin", points + drawn)
    project.run("--config", "scans=scans", "encodings=[notebook, mv3d]")
    for name in ("notebook", "mv3d"):
        image = project.folder / "results" / name / "odd.png"
        text = read_text(image)
        counts = [text[f"birdview:{key}"] for key in ("read", "nonfinite", "drawn")]
        assert counts == ["15", "12", "3"]
        pixels = cv2.imread(str(image), cv2.IMREAD_UNCHANGED)
        scan = read_scan(project.folder / "scans" / "odd.bin")
        np.testing.assert_array_equal(pixels, LOOPS[name](scan))


def test_unreadable_scan(project, make_scan):
    """The system's own message."""
    make_scan(project.folder / "scans" / "bad.bin").chmod(0)
    lines = render_beside_nine(project, make_scan, prepare=obey_permissions)
    assert "[Errno 13] Permission denied: 'scans/bad.bin'" in lines


def test_link_to_nowhere(project, make_scan):
    """It fails alone, and its older image goes; a loop of links is walked once."""
    scans = project.folder / "scans"
    good = make_scan(project.folder / "elsewhere.bin")
    scans.mkdir()
    (scans / "link.bin").symlink_to(good)
    (scans / "loop").symlink_to(".")
    project.run("--config", "scans=scans")
    assert list(project.images()) == ["notebook/link.png"]
    good.unlink()
    lines = render_beside_nine(project, make_scan)
    assert "[Errno 2] No such file or directory: 'scans/link.bin'" in lines


def test_folder_that_is_named_like_a_scan(project, make_scan):
    """It is a folder like any other."""
    make_scan(project.folder / "scans" / "x.bin" / "0.bin")
    project.run("--config", "scans=scans")
    assert list(project.images()) == ["notebook/x.bin/0.png"]


NAMES = [
    *(
        "a b",
        "quote'",
        'quo"te',
        "ünï",
        "日本",
        "😀",
        "-dash",
        "--cores",
        "st*r",
        "q?m",
    ),
    *("[ab]", "$HOME", "back\\slash", "100%s", "a;b", "#x", "~x", "end "),
    *(
        "http:x",
        "a|b",
        "a&b",
        "..x",
        "dot.",
        "a,b",
        "br{ace",
        "Case",
        "case",
        "a",
        "a.png",
    ),
    *("grid.json", "x" * 19, "n" * 100 + "m1" * 15 + "o"),
]
REFUSED = {
    "br{a}ce": "Snakemake takes {...} and <...> for something else",
    "{scan}": "Snakemake takes {...} and <...> for something else",
    "a<b>c": "Snakemake takes {...} and <...> for something else",
    "new\nline": "a tab or a line's end does not fit into the lists of scans",
    "tab\tx": "a tab or a line's end does not fit into the lists of scans",
    "latin\udce4": "it is not UTF-8",
    "x" * 20: "it ends with twenty times the same, to Snakemake a loop",
    "a.png/x": "the folder a.png would be where the file a.png of another is",
    "grid.json/x": "the folder grid.json would be where the file grid.json of another "
    "is",
}


def test_names(project, make_scan):
    """All that a file may be called becomes an image of that name, or is refused."""
    for name in [*NAMES, *REFUSED]:
        make_scan(project.folder / "scans" / f"{name}.bin")
    output = project.run("--config", "scans=scans", "encodings=[lyft]", expect=1)
    assert set(project.images()) == {f"lyft/{name}.png" for name in NAMES}
    lines = output.splitlines()
    for name, why in REFUSED.items():
        assert f"{f'scans/{name}.bin'!r}: no name for an image: {why}" in lines
    output = project.run(
        "verify", "--config", "scans=scans", "encodings=[lyft]", expect=1
    )
    for name, why in REFUSED.items():
        assert f"{f'scans/{name}.bin'!r}: no name for an image: {why}" in output
    project.run("gallery", "--config", "scans=scans", "encodings=[lyft]", expect=1)
    counts = (project.folder / "results/gallery/lyft/counts.js").read_text()
    assert counts.count("no name for an image") == len(REFUSED)
    for name in REFUSED:
        (project.folder / "scans" / f"{name}.bin").unlink()
    assert "Nothing to be done" in project.run(
        "--config", "scans=scans", "encodings=[lyft]"
    )


def test_pictures_do_not_hide_a_scan_that_is_refused(project, make_scan):
    """Nor does the run, if there are no others."""
    settings = ("--config", "scans=scans", "encodings=[lyft]")
    bad = make_scan(project.folder / "scans" / "a{b}.bin")
    line = "'scans/a{b}.bin': no name for an image: "
    output = project.run("gallery", *settings, expect=1)
    assert any(text.startswith(line) for text in output.splitlines())
    make_scan(bad.with_name("0.bin"))
    for target in ("contact_sheet", "movie"):
        output = project.run(target, *settings, expect=1)
        assert any(text.startswith(line) for text in output.splitlines())


def test_demo_takes_the_place_of_no_other_images(project, make_scan):
    """Who forgets to name the scans is told: KITTI's have the names of the demo's."""
    make_scan(project.folder / "scans" / "000000.bin")
    project.run("--config", "scans=scans")
    before = project.images()
    for target in ("all", "contact_sheet", "results/notebook/000000.png"):
        output = project.run(target, expect=1)
        assert (
            "scans: null, but results/notebook/000000.png is of another scan than the "
            "demo's: expected the folder of the scans, or another --directory"
        ) in output.splitlines()
    assert project.images() == before


@pytest.mark.parametrize("folder", ["a{b}", "a<b>"])
def test_folder_that_snakemake_does_not_take(project, make_scan, folder):
    """One line, before anything is done."""
    make_scan(project.folder / folder / "0.bin")
    output = project.run("--config", f"scans={folder}", expect=1)
    why = "Snakemake takes {...} and <...> for something else"
    where = f"{project.folder / folder}"
    assert f"scans: {where!r}: no path for scans: {why}" in output.splitlines()


def test_scan_that_is_replaced_while_it_is_read(tmp_path, make_scan):
    """The image claims the bytes that it shows, whichever they were."""
    encoding = load_encoding("lyft")
    known, contents = {}, []
    for seed in range(2):
        scan = make_scan(tmp_path / f"{seed}.bin", 20_000, seed=seed)
        render(scan, tmp_path / f"{seed}.png", encoding)
        contents.append(scan.read_bytes())
        known[hashlib.sha256(contents[-1]).hexdigest()] = tmp_path / f"{seed}.png"
    changing, stop = tmp_path / "x.bin", threading.Event()

    def replace():
        for number in itertools.cycle(range(2)):
            (tmp_path / "new").write_bytes(contents[number])
            os.replace(tmp_path / "new", changing)
            if stop.is_set():
                return

    changing.write_bytes(contents[0])
    thread = threading.Thread(target=replace)
    thread.start()
    try:
        claimed = collections.Counter()
        for _ in range(300):
            render(changing, tmp_path / "x.png", encoding)
            digest = read_text(tmp_path / "x.png")["birdview:scan_sha256"]
            assert (tmp_path / "x.png").read_bytes() == known[digest].read_bytes()
            claimed[digest] += 1
    finally:
        stop.set()
        thread.join()
    assert len(claimed) == 2


def test_scan_that_is_too_large_for_the_memory(project, make_scan):
    """Named like any other; what was half drawn does not show in another image."""
    with open(make_scan(project.folder / "scans" / "bad.bin"), "r+b") as file:
        file.truncate(16 * 2**28)

    lines = render_beside_nine(project, make_scan, **SMALL)
    assert [line for line in lines if line.startswith("scans/bad.bin: out of memory: ")]
    for number in range(9):
        scan = read_scan(project.folder / "scans" / f"{number}.bin")
        image = project.folder / "results" / "notebook" / f"{number}.png"
        np.testing.assert_array_equal(cv2.imread(str(image)), draw_notebook(scan))


def test_a_scan_that_turns_bad_loses_its_image(project, make_scan):
    """An image that no longer fits its scan is not kept."""
    scan = make_scan(project.folder / "scans" / "0.bin")
    make_scan(project.folder / "scans" / "1.bin")
    project.run("--config", "scans=scans")
    scan.write_bytes(bytes(17))
    project.run("--config", "scans=scans", expect=1)
    assert list(project.images()) == ["notebook/1.png"]


def test_empty_scan_is_no_error(project, make_scan):
    """A blank image."""
    make_scan(project.folder / "scans" / "0.bin", 0)
    project.run("--config", "scans=scans")
    assert list(project.images()) == ["notebook/0.png"]


def test_nothing_is_written_outside_the_results(project, make_scan):
    """Not even if somebody asks for it."""
    make_scan(project.folder / "scans" / "0.bin")
    make_scan(project.folder / "x.bin")
    project.run("--config", "scans=scans")
    before = sorted(project.folder.rglob("*.png"))
    for name in ("../../x", "a/../../../x", "../x"):
        target = f"results/notebook/{name}.png"
        output = project.run(target, "--config", "scans=scans", expect=1)
        assert "MissingRuleException" in output
    assert sorted(project.folder.rglob("*.png")) == before
