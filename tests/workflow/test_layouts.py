"""An own layout with frame, drop and without, from file to pixel by `snakemake`."""

import json

import cv2
import numpy as np
from helpers import write_layout

from birdview.pixels.layout import load_layout
from birdview.pixels.png import read_text
from birdview.reproduce.manifest import read_manifest

POLES = """\
description: Cells of 1 m from -8 to 8 m; 17 for each metre above z = -8.
region:
  x: {min: -8, max: 8, closed: lower}
  y: {min: -8, max: 8, closed: lower}
  z: {min: -8, max: 8, closed: lower}
grid: {cell: 1, rows: -x, cols: -y}
channels:
  - {name: height, statistic: max_height, range: [-8, 7]}
"""
FIELDS = "x int16/100", "y int16/100", "z int16/100", "i uint8/255", "ring uint8"
KEYS = {
    "frame": {"yaw": 90, "height": 2.73},  # so (x, y, z) is at (-y, x, z + 1)
    "drop": {"ring": [9]},
    "without": {"x": {"min": -1, "max": 1}, "y": {"min": -1, "max": 1}},
}
POINTS = [
    (550, 50, -100, 255, 1),
    (50, 350, 100, 255, 2),
    (350, 350, 0, 255, 9),  # dropped
    (50, -50, 0, 255, 1),  # the vehicle
    (0, 0, 0, 0, 1),  # no return
    (9000, 0, 0, 255, 1),  # outside
    (650, -650, -1000, 255, 1),  # below the region
]
COUNTS = {
    "read": "7", "nonfinite": "0", "no_return": "1", "dropped": "1", "vehicle": "1",
    "duplicate": "0", "hidden": "0", "outside": "2", "outside_height": "1",
    "drawn": "2", "cells": "2",
}  # fmt: skip


def test_own_layout_from_file_to_pixel(project):
    """Pixels and digests are those of the file; only what decides them makes stale."""
    own = write_layout(project.folder / "my/own.yaml", *FIELDS, **KEYS)
    (project.folder / "my/poles.yaml").write_text(POLES)
    for name in ("0", "drive/1"):
        scan = project.folder / "scans" / f"{name}.bin"
        scan.parent.mkdir(parents=True, exist_ok=True)
        np.array(POINTS, dtype="<i2,<i2,<i2,u1,u1").tofile(scan)
    settings = ("scans=scans", "layout=my/own.yaml", "encodings=[my/poles.yaml]")
    arguments = ("all", "manifest", "--config", *settings)
    images = {"poles/0.png", "poles/drive/1.png"}

    def pixels():
        """Return the pixels that are not black, the same of both images."""
        found = []
        for name in sorted(images):
            image = cv2.imread(
                str(project.folder / "results" / name), cv2.IMREAD_UNCHANGED
            )
            assert image.shape == (16, 16)
            found.append({(r, c): image[r, c] for r, c in np.argwhere(image).tolist()})
        assert found[0] == found[1]
        return found[0]

    def check_digests():
        layout = load_layout(own)
        results = project.folder / "results"
        grid = json.loads((results / "poles/grid.json").read_text())
        assert (grid["layout"], grid["layout_digest"]) == ("own", layout.digest)
        run, rows = read_manifest(results / "manifest.tsv")
        assert (run["layout"], run["layout_sha256"]) == ("own", layout.digest)
        assert [row.scan for row in rows] == ["0", "drive/1"]
        for name in images:
            text = read_text(results / name)
            assert text["birdview:layout_sha256"] == layout.digest
        return grid, rows, text

    assert project.rendered_by(*arguments) == images
    # (5.5, 0.5, -1) is at (-0.5, 5.5, 0), and (0.5, 3.5, 1) at (-3.5, 0.5, 2).
    assert pixels() == {(8, 2): 136, (11, 7): 170}
    grid, rows, text = check_digests()
    assert grid["from_scan"] == [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]]
    assert {key: text.get(f"birdview:{key}", "0") for key in COUNTS} == COUNTS
    assert [str(count) for count in rows[0].counts] == list(COUNTS.values())

    # Nothing to do the second time, also if something is new that decides no pixel.
    others = {"description": "Another.", "source": "Nowhere.", "suffix": ".bin"}
    write_layout(own, *FIELDS[:3], "intensity uint8/255", FIELDS[4], **KEYS, **others)
    assert "Nothing to be done" in project.run(*arguments)

    write_layout(own, *FIELDS, **KEYS | {"without": {"x": {"max": 1}}})
    assert project.rendered_by(*arguments) == images
    assert pixels() == {(8, 2): 136}
    _, rows, _ = check_digests()
    assert (rows[0].counts.vehicle, rows[0].counts.drawn) == (2, 1)

    # The settings' frame is all of the frame: no yaw, and z + 4 - 1.73.
    assert project.rendered_by(*arguments, "frame={height: 4}") == images
    # That is 17 * 9.27 = 157.59, and 17 * 0.27 = 4.59 for what was below the region.
    assert pixels() == {(2, 7): 158, (1, 14): 5}

    write_layout(own, *FIELDS, **KEYS, min_rnge=1)
    output = project.run(*arguments, expect=1)
    (line,) = [line for line in output.splitlines() if "my/own.yaml" in line]
    assert line == (
        "my/own.yaml: Additional properties are not allowed ('min_rnge' was "
        "unexpected) (did you mean min_range?); allowed: description, source, format, "
        "suffix, skip, endian, order, fields, origin, clip, frame, min_range, keep, "
        "drop, without, duplicates"
    )
    assert "Traceback" not in output
