"""Maps of the classes of points, against plain loops: of the demo and of RELLIS-3D."""

from collections import Counter
from math import floor

import numpy as np
import pytest

from birdview import load_encoding, load_layout
from birdview.benchmark.reference import draw_semantic
from birdview.demo import write_labelled_scan
from birdview.image import decode_image
from birdview.pixels.assembly import Part, PartReader, PointLabels, assemble_scan
from birdview.pixels.classes import load_classes
from birdview.pixels.render import ScanRenderer

PRIORITY = [14, 3, 0]
MAP = """
description: The class of each cell, by three rules, and how many points have which.
region:
  x: {{min: -40, max: 40, closed: lower}}
  y: {{min: -40, max: 40, closed: lower}}
  z: {{min: -3, max: 2, closed: both}}
grid: {{cell: 0.5, rows: -x, cols: -y}}
background: 255
channels:
  - {{name: majority, statistic: majority, of: class, range: [0, 255]}}
  - {{name: at_max, statistic: at_max, of: class, range: [0, 255]}}
  - {{name: priority, statistic: priority, of: class, values: {priority},
     range: [0, 255]}}
  - {{name: points, statistic: count, range: [0, 255]}}
{counts}
"""
COUNT = (
    "  - {{name: n{0}, statistic: count, of: class, values: [{0}], range: [0, 255]}}"
)


@pytest.fixture
def demo(tmp_path):
    """Return the assembly of a scan of the demo."""
    scan, labels = tmp_path / "0.bin", tmp_path / "0.label"
    write_labelled_scan(scan, labels, 0, seed=0)
    return assemble(scan, "kitti", labels, "semantickitti")


@pytest.fixture
def rellis(sensor_scans):
    """Return the assembly of a scan of RELLIS-3D."""
    scan = sensor_scans / "rellis_os1_000104.bin"
    return assemble(scan, "rellis_ouster", scan.with_suffix(".label"), "rellis")


def assemble(scan, layout, labels, classes):
    """Return the assembly of a scan with labels of its points."""
    assembly = assemble_scan(scan, load_layout(layout))
    found = PointLabels(labels, "semantickitti", load_classes(classes))
    (part,) = assembly.parts
    return assembly._replace(parts=(Part(*part)._replace(labels=found),))


@pytest.fixture(params=["demo", "rellis"])
def assembly(request):
    return request.getfixturevalue(request.param)


def read(assembly):
    """Return points, and the classes of points."""
    made = PartReader().read(assembly, ["class"])
    return made.points, made.fields["class"]


def draw(assembly, encoding):
    """Return the pixels of an image."""
    ((content, _),) = ScanRenderer().make_images(assembly, [encoding])
    return decode_image(content, "a.png")[1]


def test_semantic(assembly):
    """The shipped encoding, on the area of mv3d."""
    expected = draw_semantic(*read(assembly))
    assert len(np.unique(expected)) > 5
    np.testing.assert_array_equal(draw(assembly, load_encoding("semantic")), expected)


def test_three_rules_and_counts(assembly, tmp_path):
    """Majority, the highest point, the first of a list; and one count for each class.

    Their sum is the number of points, but for those without a class.
    """
    numbers = range(len(assembly.parts[0].labels.classes.names))
    counts = "\n".join(COUNT.format(number) for number in numbers)
    path = tmp_path / "map.yaml"
    path.write_text(MAP.format(priority=PRIORITY, counts=counts))
    planes = draw(assembly, load_encoding(path)).reshape(-1, 160, 160)

    cells = {}
    for (x, y, z, _), number in zip(*map(np.float64, read(assembly)), strict=True):
        if -40 <= x < 40 and -40 <= y < 40 and -3 <= z <= 2:
            cell = 159 - floor((x + 40) / 0.5), 159 - floor((y + 40) / 0.5)
            cells.setdefault(cell, []).append((z, number))
    expected = np.full(planes.shape, 255, dtype=np.uint8)
    for cell, points in cells.items():
        found = [(z, int(number)) for z, number in points if np.isfinite(number)]
        in_cell = Counter(number for _, number in found)
        expected[3][cell] = min(255, len(points))
        for number in numbers:
            expected[4 + number][cell] = min(255, in_cell[number])
        if not found:
            continue
        most = max(in_cell.values())
        majority = min(number for number, n in in_cell.items() if n == most)
        highest = max(z for z, _ in found)
        expected[0][cell] = majority
        expected[1][cell] = next(number for z, number in found if z == highest)
        first = [number for number in PRIORITY if in_cell[number]]
        expected[2][cell] = first[0] if first else majority
    np.testing.assert_array_equal(planes, expected)

    assert all((planes[rule] != 255).sum() > 1000 for rule in range(3))
    few = (planes[3] != 255) & (planes[3] > 0)
    without = sum(np.isnan(number) for points in cells.values() for _, number in points)
    sums = planes[4:].astype(int).sum(axis=0)
    assert (sums[few] <= planes[3][few]).all()
    if not without:
        np.testing.assert_array_equal(sums[few], planes[3][few])
