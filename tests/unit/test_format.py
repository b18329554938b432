"""The same points in any format give the same pixels."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import test_reader_feather
import test_reader_las
import test_reader_npy
import test_reader_pcd
import test_reader_ply
from helpers import write_layout

from birdview.benchmark import formats
from birdview.demo import simulate_scan
from birdview.image import decode_image
from birdview.pixels.assembly import assemble_scan
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.render import ScanRenderer

NAMES = "x", "y", "z", "intensity"
NAMED, NUMBERED = NAMES, ("0", "1", "2", "3")
ENCODINGS = [load_encoding(name) for name in ("notebook", "complex_yolo", "pixor")]


def npy(array):
    """Return an array as a file."""
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(save, points):
    """Return the columns of points as an archive."""
    file = BytesIO()
    save(file, **dict(zip(NAMES, points.T, strict=True)))
    return file.getvalue()


def feather(points, compression):
    """Return points as a table."""
    table = pa.table(dict(zip(NAMES, points.T.copy(), strict=True)))
    return test_reader_feather.write(table, compression=compression).tobytes()


def text(points, delimiter, header=""):
    """Return points as lines of numbers."""
    file = BytesIO()
    options = {"delimiter": delimiter, "header": header, "comments": ""}
    np.savetxt(file, points, "%.9g", **options)
    return file.getvalue()


WRITERS = {
    "npy": (NUMBERED, npy),
    "npy, Fortran's order": (NUMBERED, lambda p: npy(np.asfortranarray(p))),
    "npy, float64": (NUMBERED, lambda p: npy(p.astype("f8"))),
    "npy, structured": (NAMED, lambda p: npy(test_reader_npy.structured(p))),
    "npz": (NAMED, lambda p: npz(np.savez, p)),
    "npz, deflated": (NAMED, lambda p: npz(np.savez_compressed, p)),
    "pcd, ascii": (NAMED, test_reader_pcd.as_text),
    "pcd, binary": (NAMED, test_reader_pcd.as_binary),
    "pcd, compressed": (NAMED, test_reader_pcd.as_compressed),
    "pcd, organised": (NAMED, test_reader_pcd.as_organised),
    "ply, ascii": (NAMED, test_reader_ply.as_text),
    "ply, little": (NAMED, test_reader_ply.as_little),
    "ply, big": (NAMED, test_reader_ply.as_big),
    "feather": (NAMED, lambda p: feather(p, "uncompressed")),
    "feather, lz4": (NAMED, lambda p: feather(p, "lz4")),
    "feather, zstd": (NAMED, lambda p: feather(p, "zstd")),
    "csv": (NAMED, lambda p: text(p, ",", ",".join(NAMES))),
    "csv, blanks": (NUMBERED, lambda p: text(p, " ")),
}
"""The columns of a format, and what writes points as bytes."""


@pytest.fixture(scope="module")
def points():
    """Return the points of a scan of the demo: a multiple of five."""
    scan = simulate_scan(0, 0)
    return scan[: len(scan) // 5 * 5]


def draw(path, layout):
    """Return the pixels of a scan in some encodings."""
    images = ScanRenderer().make_images(
        assemble_scan(path, load_layout(layout)), ENCODINGS
    )
    return [decode_image(content, "a.png")[1] for content, _ in images]


@pytest.fixture(scope="module")
def expected(points, tmp_path_factory):
    """Return the pixels of the scan as records, in some encodings."""
    path = tmp_path_factory.mktemp("records") / "records.bin"
    points.tofile(path)
    return draw(path, "kitti")


@pytest.mark.parametrize("form", WRITERS)
def test_pixels_are_those_of_records(points, expected, tmp_path, form):
    """All of these formats hold a float32 exactly; text does with nine digits."""
    columns, write = WRITERS[form]
    kind = form.partition(",")[0]
    (tmp_path / f"a.{kind}").write_bytes(write(points))
    fields = [f"{name} {one}" for name, one in zip(NAMES, columns, strict=True)]
    layout = load_layout(write_layout(tmp_path / "own.yaml", *fields, format=kind))
    for pixels, others in zip(
        draw(tmp_path / f"a.{kind}", layout), expected, strict=True
    ):
        np.testing.assert_array_equal(pixels, others)


@pytest.mark.parametrize("compressed", [False, True])
def test_las_rounds_to_its_scale(points, expected, tmp_path, compressed):
    """Pixels are those of points with whole millimetres and intensities of 16 bits.

    Of the others, few differ: those of points at the edges of cells and slices.
    """
    content = test_reader_las.write(points, compressed)
    (tmp_path / "a.las").write_bytes(content.tobytes())
    found = draw(tmp_path / "a.las", "las")
    rounded = points.astype("f8")
    rounded[:, :3] = np.rint(rounded[:, :3] / 0.001) * 0.001
    rounded[:, 3] = np.rint(points[:, 3] * np.float32(65535)) / 65535
    rounded.astype("<f4").tofile(tmp_path / "b.bin")
    for pixels, others in zip(found, draw(tmp_path / "b.bin", "kitti"), strict=True):
        np.testing.assert_array_equal(pixels, others)
    for pixels, others in zip(found, expected, strict=True):
        assert np.mean(pixels != others) < 0.01


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.name)
def test_formats_of_the_benchmark_hold_the_same_points(points, tmp_path, form):
    """LAS those that are rounded."""
    path = tmp_path / f"a{form.layout.suffix}"
    form.write(points, path)
    found = ScanRenderer().make_images(
        assemble_scan(path, load_layout(form.layout)), ENCODINGS[:1]
    )
    ((_, counts),) = found
    assert counts.read == len(points)


REAL = {
    "argoverse2_315973157959879000.feather": "argoverse2",
    "ascii.pcd": "pcd",
    "radiate_000001.csv": "radiate",
}
"""Real files that a built-in layout reads."""


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_rendered(name):
    """Most of their points are in the image."""
    if "BIRDVIEW_SCANS" not in os.environ:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    path = Path(os.environ["BIRDVIEW_SCANS"]).parent / "formats" / name
    images = ScanRenderer().make_images(
        assemble_scan(path, load_layout(REAL[name])), [load_encoding("mv3d")]
    )
    ((_, counts),) = images
    assert counts.drawn > 0.2 * counts.read > 0
