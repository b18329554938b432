"""Scans in each format that is read, to measure how long that takes."""

from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from birdview.benchmark.baselines import Points
from birdview.benchmark.variants import Variants, encoding_of
from birdview.pixels.field import parse_column
from birdview.pixels.layout import Layout, load_layout
from birdview.pixels.render import Renderer
from birdview.pixels.scan import read_scan

NAMES = "x", "y", "z", "intensity"
ENCODING = "notebook"
_DIGITS = "%.9g"  # restore a float32
_INTENSITY = 65535  # whole numbers in LAS
_MILLIMETRES = 0.001


class Format(NamedTuple):
    """A way to write scans.

    Attributes
    ----------
    name : str
    layout : Layout
        Reads them.
    write : function
        Takes points, shape (N, 4) float32, and a path.
    needs : str
        A module that may not be installed; empty if there is none.
    """

    name: str
    layout: Layout
    write: Callable[[Points, Path], None]
    needs: str = ""


def _layout(kind: str, columns: str, suffix: str = "") -> Layout:
    pairs = zip(NAMES, columns.split(), strict=True)
    fields = tuple(parse_column(*pair) for pair in pairs)
    return Layout(kind, fields, suffix or f".{kind}", format=kind)


def _write_records(points: Points, path: Path) -> None:
    points.tofile(path)


def _write_npy(points: Points, path: Path) -> None:
    np.save(path, points)


def _write_npz(points: Points, path: Path) -> None:
    np.savez_compressed(path, points=points)


def _write_with_header(
    header: str, points: Points, path: Path, delimiter: str = ""
) -> None:
    with open(path, "wb") as file:
        file.write(header.format(count=len(points)).encode())
        if delimiter:
            np.savetxt(file, points, fmt=_DIGITS, delimiter=delimiter)
        else:
            file.write(points.tobytes())


_PCD = (
    "VERSION .7\nFIELDS x y z intensity\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\n"
    "WIDTH {count}\nHEIGHT 1\nPOINTS {count}\nDATA "
)
_PROPERTIES = "".join(f"property float {name}\n" for name in NAMES)
_PLY = " 1.0\nelement vertex {count}\n" + _PROPERTIES + "end_header\n"


def _write_las(points: Points, path: Path) -> None:
    import laspy

    las = laspy.LasData(laspy.LasHeader(point_format=0, version="1.2"))
    las.header.scales = [_MILLIMETRES] * 3
    las.x, las.y, las.z = points[:, :3].T.astype(np.float64)
    las.intensity = np.rint(points[:, 3] * _INTENSITY).astype(np.uint16)
    las.write(str(path))


def _write_feather(points: Points, path: Path) -> None:
    from pyarrow import feather, table

    columns: dict[str, Any] = dict(zip(NAMES, points.T.copy(), strict=True))
    feather.write_feather(table(columns), str(path))


_NAMED, _NUMBERED = " ".join(NAMES), "0 1 2 3"
_AS_LAS = f"x y z intensity/{_INTENSITY}"

FORMATS = (
    Format("bin", load_layout("kitti"), _write_records),
    Format("npy", _layout("npy", _NUMBERED), _write_npy),
    Format(
        "npz, deflated",
        _layout("npz", " ".join(f"points.{number}" for number in range(4))),
        _write_npz,
    ),
    Format(
        "pcd, binary",
        _layout("pcd", _NAMED),
        partial(_write_with_header, f"{_PCD}binary\n"),
    ),
    Format(
        "pcd, ascii",
        _layout("pcd", _NAMED),
        partial(_write_with_header, f"{_PCD}ascii\n", delimiter=" "),
    ),
    Format(
        "ply, binary",
        _layout("ply", _NAMED),
        partial(_write_with_header, f"ply\nformat binary_little_endian{_PLY}"),
    ),
    Format(
        "ply, ascii",
        _layout("ply", _NAMED),
        partial(_write_with_header, f"ply\nformat ascii{_PLY}", delimiter=" "),
    ),
    Format(
        "csv",
        _layout("csv", _NAMED),
        partial(_write_with_header, f"{','.join(NAMES)}\n", delimiter=","),
    ),
    Format("las", _layout("las", _AS_LAS), _write_las, "laspy"),
    Format("laz", _layout("las", _AS_LAS, ".laz"), _write_las, "lazrs"),
    Format("feather, LZ4", _layout("feather", _NAMED), _write_feather, "pyarrow"),
)


def installed() -> list[Format]:
    """Return the formats that can be read and written here."""
    return [one for one in FORMATS if not one.needs or find_spec(one.needs)]


def path_of(scan: str, folder: Path, form: Format) -> Path:
    """Return the path of a scan in another format."""
    return folder / form.name / f"{Path(scan).stem}{form.layout.suffix}"


def write_as(scan: str, folder: Path, form: Format) -> float:
    """Write a scan in another format; return its size in MB."""
    path = path_of(scan, folder, form)
    path.parent.mkdir(exist_ok=True)
    form.write(read_scan(scan), path)
    return path.stat().st_size / 1e6


def _read(folder: Path, form: Format, scan: str) -> None:
    read_scan(path_of(scan, folder, form), form.layout)


@cache
def _renderer_of(layout: Layout) -> Renderer:
    return Renderer(encoding_of(ENCODING), layout)


def _render(folder: Path, form: Format, scan: str, image: str) -> None:
    _renderer_of(form.layout).render(path_of(scan, folder, form), image)


def readers(folder: Path) -> Variants:
    """Return what reads a scan in each format, from where `write_as` wrote it."""
    return {form.name: partial(_read, folder, form) for form in installed()}


def renderers(folder: Path) -> Variants:
    """Return what renders a scan in each format, from where `write_as` wrote it."""
    return {form.name: partial(_render, folder, form) for form in installed()}
