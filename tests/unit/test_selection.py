"""Boxes that count become polygons in pixels; the others are counted by reason."""

from math import pi

import numpy as np
import pytest
import yaml

from birdview.pixels.encoding import load_encoding
from birdview.training.classes import name_classes
from birdview.training.labels.box import Box, lay_bottom
from birdview.training.selection import outline, select
from birdview.training.yolo import (
    check_cells,
    check_names,
    format_data,
    format_labels,
)

MV3D = load_encoding("mv3d")
CLASSES = {"Vehicle": ["Car", "Van"], "Person": "Pedestrian"}


def make_box(x=10.0, y=-5.0, z=-1.7, size=(4.0, 2.0, 1.5), heading=0.0, kind="Car"):
    length, width, height = size
    ahead, left = lay_bottom(length, width, heading)
    corners = np.stack([x + ahead, y + left, np.full(4, z)], axis=1)
    return Box(kind, corners, height, 1)


def choose(*boxes, points=5, encoding=MV3D, min_points=1):
    def count(some):
        return [points] * len(some)

    return select(boxes, encoding, name_classes(CLASSES), min_points, count)


@pytest.mark.parametrize("name", ["mv3d", "notebook", "complex_yolo", "pixor"])
def test_outline_is_where_points_at_the_corners_are_drawn(name):
    """A position in pixel (i, j) is from (i, j) to (i + 1, j + 1)."""
    grid = load_encoding(name).grid
    box = make_box(x=20.013, y=3.021, heading=0.3)
    corners = outline(box, grid)
    rows, cols = grid.to_pixel(*box.corners[:, :2].T)
    np.testing.assert_array_equal(np.floor(corners), np.stack([rows, cols], axis=1))
    back = grid.affine_inverse @ [*corners.T, np.ones(4)]
    np.testing.assert_allclose(back.T, box.corners[:, :2], atol=1e-9)


def test_heading_and_size_follow_from_the_corners():
    box = make_box(heading=2.5)
    assert box.heading == pytest.approx(2.5)
    assert box.size == pytest.approx((4, 2))
    assert box.centre == pytest.approx((10, -5, -1.7))
    assert make_box(heading=pi / 2).corners[0] == pytest.approx((9, -3, -1.7))


def test_boxes_get_the_class_of_their_kind_in_the_order_of_the_labels():
    boxes = make_box(kind="Van"), make_box(x=20), make_box(x=30, kind="Pedestrian")
    targets = choose(*boxes).targets
    assert [target.name for target in targets] == ["Vehicle", "Vehicle", "Person"]
    assert [target.box.kind for target in targets] == ["Van", "Car", "Pedestrian"]
    assert {target.points for target in targets} == {5}


@pytest.mark.parametrize(
    ("boxes", "points", "reason"),
    [
        ([make_box(kind="Tram")], 5, "class"),
        ([make_box(x=80.1)], 5, "outside"),
        ([make_box()], 0, "points"),
        ([make_box(size=(200, 2, 2))], 5, "large"),
        ([make_box(), make_box()], 5, "repeated"),
    ],
)
def test_boxes_left_out_are_counted_by_kind_and_reason(boxes, points, reason):
    selection = choose(*boxes, points=points)
    assert selection.left_out == {(boxes[0].kind, reason): 1}
    assert len(selection.targets) == len(boxes) - 1


def test_points_are_counted_for_boxes_that_may_count_alone():
    """The scan of a map without one need not be read."""

    def count(boxes):
        raise AssertionError

    select([make_box(x=90)], MV3D, name_classes(CLASSES), 1, count)


def test_a_box_with_its_centre_inside_stays_as_it_is():
    """One that is clipped would be no rectangle."""
    (target,) = choose(make_box(x=79.9)).targets
    assert target.outline[:, 0].min() < 0
    line = format_labels([target], ["Vehicle"], MV3D.grid.shape)
    shares = np.reshape([float(word) for word in line.split()[1:]], (4, 2))
    np.testing.assert_allclose(shares * 1600, target.outline[:, ::-1], atol=1e-3)
    assert shares[:, 1].min() < 0


@pytest.mark.parametrize("end", ["min", "max"])
def test_centres_are_inside_as_points_are(end):
    """An end of the region counts if it is one of the region's, to the last bit."""
    interval = MV3D.x
    edge = getattr(interval, end)
    inward = np.nextafter(np.float32(edge), np.float32(0))
    assert len(choose(make_box(x=float(inward))).targets) == 1
    assert len(choose(make_box(x=edge)).targets) == getattr(interval, f"has_{end}")


def test_fewer_points_than_wanted_are_too_few():
    assert choose(make_box(), points=4, min_points=5).targets == []
    assert len(choose(make_box(), points=0, min_points=0).targets) == 1


@pytest.mark.parametrize(
    ("classes", "where"),
    [
        ({"Car": ["Car", "Van"], "Truck": ["Van"]}, "Car and Truck"),
        ({"Car": ["Van", "Van"]}, "Car twice"),
    ],
)
def test_a_kind_is_in_one_class(classes, where):
    with pytest.raises(ValueError, match="dataset: classes: Van is in") as error:
        name_classes(classes)
    assert str(error.value) == (
        f"dataset: classes: Van is in {where}, expected each kind once"
    )


def test_cells_that_are_not_square_have_no_oriented_boxes():
    """YOLO turns boxes in pixels."""
    grid = MV3D.grid._replace(cols=MV3D.grid.cols._replace(cell=0.2))
    assert check_cells(MV3D) == ""
    assert check_cells(MV3D._replace(grid=grid)) == (
        "mv3d: cells of 0.1 x 0.2 m, expected square ones for YOLO, which turns boxes "
        "in pixels and would get other sizes; there are COCO's files and boxes.json"
    )


def test_scans_in_a_folder_images_have_no_oriented_boxes():
    """YOLO replaces the last `/images/` of a path by `/labels/`."""
    assert check_names(["images", "a/0", "my_images/0", "a/images"]) == ""
    assert check_names(["a/0", "a/images/0"]) == (
        "a/images/0: in a folder images, expected another name for YOLO, which would "
        "look for its label in another folder there; there is what others read"
    )


def test_names_of_classes_are_read_as_they_are():
    """Also those that mean something else in yaml."""
    names = ["Car", "yes", "1", "null", "-", "@", "[x]", "Person_sitting", "Fußgänger"]
    data = yaml.safe_load(format_data(["train"], names, 3))
    assert data["names"] == dict(enumerate(names))
    assert "0: Car\n" in format_data(["train"], names, 3)


def test_data_names_splits_and_classes_in_order():
    lines = format_data(["train", "val"], ["Car", "Person"], 3).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        *("train: images/train", "val: images/val", "channels: 3"),
        *("names:", "  0: Car", "  1: Person"),
    ]
