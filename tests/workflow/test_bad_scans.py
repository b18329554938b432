"""A bad scan does not affect the others."""

import collections
import hashlib
import itertools
import json
import os
import re
import threading

import cv2
import numpy as np
from helpers import SMALL_MEMORY, obey_permissions

from birdview.benchmark.reference import LOOPS, draw_notebook
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import read_text
from birdview.pixels.render import render
from birdview.pixels.scan import MAX_RANGE, read_scan


def render_with_nine_others(project, make_scan, **options):
    """Add nine good scans, check that they are rendered; return the printed lines."""
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


def test_bad_scan_is_named_in_one_line(project, make_scan):
    """The other nine are rendered, without partial files; then the scan is fixed."""
    bad = make_scan(project.folder / "scans" / "bad.bin", 0)
    bad.write_bytes(bytes(33))
    lines = render_with_nine_others(project, make_scan)
    assert [line for line in lines if "bad.bin" in line] == [
        "scans/bad.bin: 33 bytes found, expected a multiple of 16 "
        "(layout kitti: x, y, z, reflectance)"
    ]
    make_scan(bad)
    assert project.rendered_by("--config", "scans=scans") == {"notebook/bad.png"}


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
    "incomplete download": (
        lambda points: points.astype("<f4").tobytes()[:-5],
        f"15995 bytes found, expected a multiple of 16 {KITTI}",
    ),
    "coordinate of 200 km": (
        lambda points: np.array([[2 * MAX_RANGE, 0, 0, 0]], dtype="<f4").tobytes(),
        "1 of 1 points have a coordinate beyond 100000 m, expected metres; or "
        f"projected ones with `origin: [200000, 0, 0]` in the layout {KITTI}",
    ),
    "coordinate of 1e30": (
        lambda points: np.array([[0, 1e30, 0, 0]], dtype="<f4").tobytes(),
        f"1 of 1 points have a coordinate beyond 100000 m, expected metres {KITTI}",
    ),
    "big endian": (
        big_endian,
        rf"\d+ of 1000 points have a coordinate beyond 100000 m, expected metres "
        f"{KITTI}",
    ),
    "five columns": (
        five_columns,
        rf"\d+ of 1250 points have a reflectance below -1, expected none below 0 "
        f"{KITTI}",
    ),
    "text": (
        as_text,
        f"text found, expected records of 16 bytes {KITTI}: set `layout: own.yaml`, "
        f"one of yours with `format: csv` and `suffix: .bin`",
    ),
    "pointer": (
        lambda points: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n",
        f"a Git LFS pointer found, expected records of 16 bytes {KITTI}: run `git lfs "
        f"pull`",
    ),
    "zip": (
        lambda points: b"PK\3\4\x14\0\0\0\x08\0" + points.astype("<f4").tobytes()[10:],
        f"a zip archive found, expected records of 16 bytes {KITTI}: unpack it with "
        f"unzip",
    ),
}


def test_files_that_are_not_scans(project, make_scan):
    """One line for each names the file, what was found and what was expected.

    Impossible coordinates are of a file with another layout whose size happens to fit.
    """
    points = np.random.default_rng(0).normal(
        [0, 0, -1, 0.5], [20, 20, 1, 0.1], (1000, 4)
    )
    (project.folder / "scans").mkdir()
    for name, (change, _) in CONTENTS.items():
        (project.folder / "scans" / f"{name}.bin").write_bytes(change(points))
    lines = render_with_nine_others(project, make_scan)
    for name, (_, message) in CONTENTS.items():
        pattern = re.escape(message).replace(re.escape(r"\d+"), r"\d+")
        found = [line for line in lines if line.startswith(f"scans/{name}.bin: ")]
        assert len(found) == 1
        assert re.fullmatch(f"scans/{name}.bin: {pattern}", found[0])


def test_special_floats_are_counted_or_drawn(project, make_scan):
    """NaN, infinities, -0.0 and subnormal numbers in each field, as in plain loops."""
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


def test_unreadable_scan_fails_alone(project, make_scan):
    """With the error of the system."""
    make_scan(project.folder / "scans" / "bad.bin").chmod(0)
    lines = render_with_nine_others(project, make_scan, prepare=obey_permissions)
    assert "[Errno 13] Permission denied: 'scans/bad.bin'" in lines


def test_broken_link_fails_alone(project, make_scan):
    """Its older image is removed; a loop of links is searched only once."""
    scans = project.folder / "scans"
    good = make_scan(project.folder / "elsewhere.bin")
    scans.mkdir()
    (scans / "link.bin").symlink_to(good)
    (scans / "loop").symlink_to(".")
    project.run("--config", "scans=scans")
    assert list(project.images()) == ["notebook/link.png"]
    good.unlink()
    lines = render_with_nine_others(project, make_scan)
    assert "[Errno 2] No such file or directory: 'scans/link.bin'" in lines


def test_other_files_are_left_out(project, make_scan):
    """What macOS leaves behind, and what `match` does not name; the run says so."""
    names = ["velodyne/0", "gt_database/0_Car_1", "velodyne/._1", "__MACOSX/velodyne/1"]
    for name in names:
        make_scan(project.folder / "scans" / f"{name}.bin", 10)
    (project.folder / "scans" / ".git").mkdir()
    settings = ("--config", "scans=scans", "encodings=[lyft]")
    output = project.run(*settings, "match=*/*.bin")
    assert [line for line in output.splitlines() if "left out" in line] == [
        "scans: 1 file and 1 folder left out: velodyne/._1.bin, __MACOSX (names that "
        "begin with a dot, trash and the like)"
    ]
    assert set(project.images()) == {f"lyft/{name}.png" for name in names[:2]}
    rendered = project.rendered_by(*settings, "match=*/[0-9].bin", "scans_per_job=9")
    assert rendered == set()
    (record,) = (project.folder / "results/.birdview/batches").iterdir()
    assert [*json.loads(record.read_text())["scans"]] == ["velodyne/0"]
    output = project.run(*settings, "match=velodyn/*.bin", expect=1)
    assert (
        f"match: 'velodyn/*.bin': 0 of 2 .bin files in {project.folder}/scans match, "
        "expected a pattern of their paths below it, such as gt_database/0_Car_1.bin; "
        "1 file and 1 folder left out: velodyne/._1.bin, __MACOSX (names that begin "
        "with a dot, trash and the like)"
    ) in output.splitlines()


def test_folder_that_cannot_be_read_is_an_error(project, make_scan):
    """It may hold scans: nothing is rendered without a word."""
    make_scan(project.folder / "scans" / "0.bin")
    locked = project.folder / "scans" / "b"
    locked.mkdir(mode=0)
    output = project.run("--config", "scans=scans", expect=1, prepare=obey_permissions)
    assert (
        f"scans: {locked}: Permission denied, expected a folder that can be read, or a "
        f"`match` that leaves it out"
    ) in output.splitlines()
    assert project.images() == {}


def test_folder_may_be_named_like_a_scan(project, make_scan):
    """It is searched like any other."""
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
INVALID_NAMES = {
    "br{a}ce": "{...} and <...> are Snakemake wildcards",
    "{scan}": "{...} and <...> are Snakemake wildcards",
    "a<b>c": "{...} and <...> are Snakemake wildcards",
    "new\nline": "tabs and line breaks do not fit into the lists of scans",
    "tab\tx": "tabs and line breaks do not fit into the lists of scans",
    "latin\udce4": "it is not UTF-8",
    "x" * 20: "it ends in a pattern repeated 20 times, which Snakemake rejects as a "
    "cyclic wildcard",
    "a.png/x": "the folder a.png would replace the file a.png",
    "grid.json/x": "the folder grid.json would replace the file grid.json",
}


def test_each_scan_name_is_kept_or_rejected(project, make_scan):
    """Its image has the same name; or one line says why no image can."""
    settings = ("--config", "scans=scans", "encodings=[lyft]")
    for name in [*NAMES, *INVALID_NAMES]:
        make_scan(project.folder / "scans" / f"{name}.bin")
    output = project.run(*settings, expect=1)
    assert set(project.images()) == {f"lyft/{name}.png" for name in NAMES}
    lines = output.splitlines()
    for name, why in INVALID_NAMES.items():
        assert f"{f'scans/{name}.bin'!r}: invalid scan name: {why}" in lines
    output = project.run("verify", *settings, expect=1)
    for name, why in INVALID_NAMES.items():
        assert f"{f'scans/{name}.bin'!r}: invalid scan name: {why}" in output
    project.run("gallery", *settings, expect=1)
    counts = (project.folder / "results/gallery/lyft/counts.js").read_text()
    assert counts.count("invalid scan name") == len(INVALID_NAMES)
    for name in INVALID_NAMES:
        (project.folder / "scans" / f"{name}.bin").unlink()
    assert "Nothing to be done" in project.run(*settings)


def test_pictures_do_not_hide_an_invalid_name(project, make_scan):
    """Every target fails with its error, also if there are no other scans."""
    settings = ("--config", "scans=scans", "encodings=[lyft]")
    bad = make_scan(project.folder / "scans" / "a{b}.bin")
    line = "'scans/a{b}.bin': invalid scan name: "
    output = project.run("gallery", *settings, expect=1)
    assert any(text.startswith(line) for text in output.splitlines())
    make_scan(bad.with_name("0.bin"))
    for target in ("contact_sheet", "movie"):
        output = project.run(target, *settings, expect=1)
        assert any(text.startswith(line) for text in output.splitlines())


def test_scan_that_is_replaced_while_it_is_read(tmp_path, make_scan):
    """The digest in the image is of the bytes that it shows."""
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


def test_scan_that_does_not_fit_into_memory(project, make_scan):
    """It is named; half-drawn buffers do not leak into the other images."""
    with open(make_scan(project.folder / "scans" / "bad.bin"), "r+b") as file:
        file.truncate(16 * 2**28)

    lines = render_with_nine_others(project, make_scan, **SMALL_MEMORY)
    assert [line for line in lines if line.startswith("scans/bad.bin: out of memory: ")]
    for number in range(9):
        scan = read_scan(project.folder / "scans" / f"{number}.bin")
        image = project.folder / "results" / "notebook" / f"{number}.png"
        np.testing.assert_array_equal(cv2.imread(str(image)), draw_notebook(scan))


def test_scan_that_turns_bad_loses_its_image(project, make_scan):
    """An image that does not show its scan is not kept."""
    scan = make_scan(project.folder / "scans" / "0.bin")
    make_scan(project.folder / "scans" / "1.bin")
    project.run("--config", "scans=scans")
    scan.write_bytes(bytes(17))
    project.run("--config", "scans=scans", expect=1)
    assert list(project.images()) == ["notebook/1.png"]


def test_empty_scan_gives_a_blank_image(project, make_scan):
    """It is not an error."""
    make_scan(project.folder / "scans" / "0.bin", 0)
    project.run("--config", "scans=scans")
    assert list(project.images()) == ["notebook/0.png"]
    assert not cv2.imread(str(project.folder / "results/notebook/0.png")).any()


def test_no_target_is_outside_of_results(project, make_scan):
    """Whatever path the user asks for."""
    make_scan(project.folder / "scans" / "0.bin")
    make_scan(project.folder / "x.bin")
    project.run("--config", "scans=scans")
    before = sorted(project.folder.rglob("*.png"))
    for name in ("../../x", "a/../../../x", "../x"):
        target = f"results/notebook/{name}.png"
        output = project.run(target, "--config", "scans=scans", expect=1)
        assert ".png: no such target, expected an image such as" in output
    assert sorted(project.folder.rglob("*.png")) == before
