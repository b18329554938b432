"""Pictures and contact sheets: colours, orientation, and that no point is lost."""

import zlib
from collections import Counter

import cv2
import numpy as np
import pytest
import yaml

from birdview.paths import ENCODINGS
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import GREY, RGB, write_png
from birdview.pixels.render import render
from birdview.view.contact_sheet import (
    LABEL,
    MAX_PICTURES,
    SIZE,
    choose_evenly,
    draw_contact_sheet,
)
from birdview.view.marks import (
    BACKGROUND,
    GAP,
    TEXT,
    draw_legend,
    draw_sensor,
    explain_colour,
    explain_scale,
    measure_line,
    put_text,
)
from birdview.view.picture import (
    choose_colours,
    explain_colours,
    find_affine,
    make_large_picture,
    make_picture,
)

LEGEND = measure_line(SIZE)
"""Pixels of a line of a contact sheet's legend."""

BASE = """
description: A map of 3 x 2 cells.
region:
  x: {min: 0, max: 3, closed: lower}
  y: {min: -1, max: 1, closed: lower}
  z: {min: 0, max: 3}
grid: {cell: 1, rows: -x, cols: -y}
channels: [{name: count, statistic: count, range: [0, 9]}]
"""


@pytest.fixture
def make_encoding(tmp_path):
    """Return a function that loads the base encoding with some keys changed."""

    def make(**changes):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(BASE) | changes))
        return load_encoding(path)

    return make


def channels(*names, **more):
    return [
        {"name": name, "statistic": "count", "range": [0, 9]} | more for name in names
    ]


# A point in the cell of the base that is farthest forward and left.
FORWARD_LEFT = np.array([[1, 0], [0, 0], [0, 0]])


@pytest.mark.parametrize("number", [1, 3])
def test_background_is_black(make_encoding, number):
    """Whatever its shade; it does not cover points that share a pixel with it."""
    encoding = make_encoding(background=255, channels=channels(*"abc"[:number]))
    planes = np.full((number, *encoding.grid.shape), 255, dtype=np.uint8)
    planes[:, 0, 0] = 100
    picture = make_picture(planes, encoding, 3, gamma=1)
    assert picture[0, 0].any()
    assert not picture[1:].any()
    assert not picture[:, 1:].any()
    np.testing.assert_array_equal(
        make_picture(planes, encoding, 1)[0, 0] > 0, picture[0, 0] > 0
    )


@pytest.mark.parametrize("rows", ["x", "-x", "y", "-y"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_forward_is_up_and_left_is_left(make_encoding, rows, direction):
    """A picture is upright, whatever the order of the image's rows and columns."""
    cols = direction + {"x": "y", "y": "x"}[rows[-1]]
    encoding = make_encoding(grid={"cell": 1, "rows": rows, "cols": cols})
    planes = np.zeros((1, *encoding.grid.shape), dtype=np.uint8)
    row, col = encoding.grid.to_pixel(2.5, 0.5)
    planes[0, row, col] = 255
    picture = make_picture(planes, encoding, longest=3)
    np.testing.assert_array_equal(picture.any(axis=2), FORWARD_LEFT)


@pytest.mark.parametrize("rows", ["x", "-x", "y", "-y"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_a_point_is_found_on_a_picture(make_encoding, rows, direction):
    """Whatever the order of rows and columns, and however large the picture."""
    cols = direction + {"x": "y", "y": "x"}[rows[-1]]
    encoding = make_encoding(grid={"cell": 1, "rows": rows, "cols": cols})
    for shape in (3, 2), (12, 8):
        matrix = find_affine(encoding, shape)
        np.testing.assert_allclose(matrix @ (3, 1, 1), (0, 0))
        np.testing.assert_allclose(matrix @ (0, -1, 1), shape)
        np.testing.assert_allclose(matrix @ (0, 0, 1), (shape[0], shape[1] / 2))


def test_large_pictures_show_each_pixel(make_encoding):
    """Pixels are enlarged by a whole number, at least to the size that is asked for."""
    encoding = make_encoding()
    planes = np.random.default_rng(0).integers(0, 256, (1, 3, 2), dtype=np.uint8)
    small = make_picture(planes, encoding, 3)
    for min_side, factor in (1, 1), (3, 1), (4, 2), (10, 4):
        np.testing.assert_array_equal(
            make_large_picture(planes, encoding, min_side),
            small.repeat(factor, axis=0).repeat(factor, axis=1),
        )


def test_large_pictures_have_the_proportions_of_the_ground(make_encoding):
    """Cells that are longer than wide become pixels that are."""
    encoding = make_encoding(
        grid={"cell": {"x": 1, "y": 0.5}, "rows": "y", "cols": "x"}
    )
    planes = np.arange(1, 13, dtype=np.uint8).reshape(1, 4, 3)
    picture = make_large_picture(planes, encoding, 4)
    assert picture.shape == (6, 4, 3)
    np.testing.assert_array_equal(picture[::2], picture[1::2])
    assert len(np.unique(picture[..., 2])) == 12


def test_no_pixel_is_lost_by_rounding():
    """A large picture of each built-in encoding has as many pixels as its images."""
    for file in sorted(ENCODINGS.glob("*.yaml")):
        encoding = load_encoding(file)
        rows, cols, planes = encoding.shape
        picture = make_large_picture(
            np.zeros((planes, rows, cols), dtype=np.uint8), encoding, 1
        )
        upright = encoding.grid.rows.column == 0
        assert picture.shape == (*((rows, cols) if upright else (cols, rows)), 3)


def test_the_sensor_has_an_arrow_up():
    """It is drawn where it is, also at the edge, and not where it is not."""
    for name, place in ("lyft", (336, 336)), ("pixor", (700, 400)):
        encoding = load_encoding(name)
        picture = np.zeros((672, 672, 3) if name == "lyft" else (700, 800, 3), np.uint8)
        draw_sensor(picture, encoding, 20)
        row, col = np.nonzero((picture == TEXT).all(axis=2))
        assert col.mean() == pytest.approx(place[1], abs=1)
        assert place[0] - 55 <= row.min() <= place[0] - 45
        assert place[0] - 2 <= row.max() <= place[0] + 8


def test_no_sensor_outside_the_picture(make_encoding):
    """A map that begins 10 m ahead."""
    area = {"min": 10, "max": 13, "closed": "lower"}
    region = yaml.safe_load(BASE)["region"] | {"x": area}
    picture = np.zeros((30, 20, 3), dtype=np.uint8)
    draw_sensor(picture, make_encoding(region=region), 5)
    assert not picture.any()


@pytest.mark.parametrize(
    ("per_metre", "width", "length"),
    [(10, 1600, "20 m"), (2.5, 1000, "50 m"), (1000, 500, "0.1 m"), (1, 60, "10 m")],
)
def test_a_scale_is_as_long_as_it_says(per_metre, width, length):
    """At most a fifth of the picture's width."""
    entry = explain_scale(per_metre, width)
    assert entry.text == length
    legend = draw_legend([entry], width, 14)
    assert entry.width == round(float(length.split()[0]) * per_metre) <= width / 5
    bar = (legend == TEXT).all(axis=2)[len(legend) // 2]
    assert np.flatnonzero(bar[: GAP + entry.width + GAP]).tolist() == [
        *range(GAP, GAP + entry.width)
    ]


def test_colours_are_explained_by_the_names_of_channels(make_encoding):
    """Three planes are red, green and blue; slices say where they are."""
    assert explain_colours(load_encoding("mv3d")) == [
        ("density", (255, 0, 0)),
        ("intensity", (0, 255, 0)),
        ("height", (0, 0, 255)),
    ]
    texts = [text for text, _ in explain_colours(load_encoding("lyft"))]
    assert texts[0] == "count_0: z -1.98 to -0.48 m"
    encoding = make_encoding(
        slices=2,
        channels=[*channels("low", "n", slice="each"), *channels("whole")],
    )
    (low, blue), (high, red) = explain_colours(encoding)
    assert (low, high) == ("low_0, n_0: z 0 to 1.5 m", "low_1, n_1: z 1.5 to 3 m")
    assert blue[2] == red[0] == 255


def test_some_of_many_slices_are_explained():
    """The lowest, the highest, and others between them."""
    texts = [text for text, _ in explain_colours(load_encoding("pixor"))]
    assert len(texts) == 6
    assert texts[0] == "occupancy_0: z -2.5 to -2.4 m"
    assert texts[-1] == "occupancy_34: z 0.9 to 1 m"


def test_three_planes_are_red_green_and_blue(make_encoding):
    """The pixels of a picture of three planes are those of the image."""
    encoding = make_encoding(channels=channels("a", "b", "c"))
    planes = np.random.default_rng(0).integers(0, 256, (3, 3, 2), dtype=np.uint8)
    picture = make_picture(planes, encoding, longest=3, gamma=1)
    np.testing.assert_array_equal(picture, planes.transpose(1, 2, 0))


def test_slices_go_from_blue_to_red(make_encoding):
    """Higher slices cover lower ones; channels of whole cells are not painted."""
    encoding = make_encoding(
        slices=2, channels=[*channels("low", slice="each"), *channels("n", "m")]
    )
    colours = choose_colours(encoding.channels)
    (low, high), others = colours[:2], colours[2:]
    assert others == [None, None]
    assert low[2] == 255 > low[0]
    assert high[0] == 255 > high[2]
    planes = np.zeros((4, 3, 2), dtype=np.uint8)
    planes[0, :2, 0], planes[1, 1:, 0] = 255, 255
    planes[2:, :, 1] = 255
    picture = make_picture(planes, encoding, longest=3, gamma=1)
    np.testing.assert_array_equal(picture[:, 0], [low, high, high])
    assert not picture[:, 1].any()


def test_half_a_value_is_half_transparent(make_encoding):
    """A value of 128 in the upper slice mixes both colours, as calculated by hand."""
    encoding = make_encoding(slices=2, channels=channels("a", slice="each"))
    low, high = choose_colours(encoding.channels)
    planes = np.zeros((2, 3, 2), dtype=np.uint8)
    planes[0], planes[1] = 255, 128
    expected = [a * 127 // 255 + b * 128 // 255 for a, b in zip(low, high, strict=True)]
    picture = make_picture(planes, encoding, longest=3, gamma=1)
    assert (picture == expected).all()


def test_each_channel_has_its_own_colour_without_slices(make_encoding):
    """Channels of whole cells are painted if there are no slices."""
    encoding = make_encoding(channels=channels(*"abcde"))
    assert len(set(choose_colours(encoding.channels))) == 5
    assert len(choose_colours(make_encoding().channels)) == 1


def test_a_single_point_stays_visible():
    """One of 1600 x 1600 pixels keeps its value in a picture of 10 x 10."""
    encoding = load_encoding("mv3d")
    planes = np.zeros((3, 1600, 1600), dtype=np.uint8)
    planes[1, 333, 1598] = 200
    picture = make_picture(planes, encoding, longest=10, gamma=1)
    assert picture.shape == (10, 10, 3)
    assert picture[2, 9].tolist() == [0, 200, 0]
    assert np.count_nonzero(picture) == 1


def paint_by_loops(planes, colours, height, width):
    """Paint a picture pixel by pixel, as the definition says."""
    count, rows, cols = planes.shape
    picture = np.zeros((height, width, 3), dtype=int)
    to_row, to_col = np.arange(rows) * height // rows, np.arange(cols) * width // cols
    for row, col in np.ndindex(height, width):
        covered = planes[:, to_row == row][:, :, to_col == col]
        for plane, colour in zip(covered, colours, strict=True):
            value = int(plane.max())
            below = picture[row, col] * (255 if count == 3 else 255 - value) // 255
            picture[row, col] = below + np.array(colour) * value // 255
    return picture


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (7, 13), (29, 31)])
@pytest.mark.parametrize("longest", [1, 5, 7, 12])
def test_pictures_of_awkward_sizes(make_encoding, count, shape, longest):
    """Sizes that do not divide each other give the same picture as plain loops."""
    rows, cols = shape
    encoding = make_encoding(
        region={
            "x": {"min": 0, "max": rows, "closed": "lower"},
            "y": {"min": 0, "max": cols, "closed": "lower"},
        },
        channels=channels(*"abcde"[:count]),
    )
    planes = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)
    planes[planes < 100] = 0
    picture = make_picture(planes, encoding, longest, gamma=1)
    colours = choose_colours(encoding.channels)
    np.testing.assert_array_equal(
        picture, paint_by_loops(planes, colours, *picture.shape[:2])
    )


PALETTE = Classes(
    "own",
    ("car", "road", "tree"),
    ((100, 150, 245), (255, 0, 255), (0, 175, 0)),
    (),
    (),
)
CLASS = {"name": "class", "statistic": "majority", "of": "class", "range": [0, 255]}


def paint_classes_by_loops(plane, height, width):
    """Paint a class map pixel by pixel, as the definition says."""
    rows, cols = plane.shape
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    to_row, to_col = np.arange(rows) * height // rows, np.arange(cols) * width // cols
    for row, col in np.ndindex(height, width):
        covered = Counter(plane[to_row == row][:, to_col == col].ravel().tolist())
        known = [(-n, number) for number, n in covered.items() if number < 3]
        if known:
            _, number = min(known)
            picture[row, col] = PALETTE.colours[number]
    return picture


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (29, 31)])
@pytest.mark.parametrize("longest", [1, 5, 12, 31])
@pytest.mark.parametrize("share", [0.05, 0.9])
def test_a_class_map_has_the_colours_of_its_classes(
    make_encoding, shape, longest, share
):
    """Of the most frequent class, without gamma; 255 and unknown numbers are black."""
    rows, cols = shape
    encoding = make_encoding(
        region={
            "x": {"min": 0, "max": rows, "closed": "lower"},
            "y": {"min": 0, "max": cols, "closed": "lower"},
        },
        channels=[CLASS],
        background=255,
    )
    rng = np.random.default_rng(0)
    planes = rng.integers(0, 5, (1, *shape), dtype=np.uint8)
    planes[rng.random(planes.shape) > share] = 255
    picture = make_picture(planes, encoding, longest, palette=PALETTE)
    np.testing.assert_array_equal(
        picture, paint_classes_by_loops(planes[0], *picture.shape[:2])
    )


def test_background_is_no_class(make_encoding):
    """Whatever its number: where it is 0, the first class cannot be seen."""
    encoding = make_encoding(channels=[CLASS])
    planes = np.zeros((1, 3, 2), dtype=np.uint8)
    planes[0, 0, 0] = 2
    picture = make_picture(planes, encoding, 3, palette=PALETTE)
    assert picture[0, 0].tolist() == [0, 175, 0]
    assert np.count_nonzero(picture.any(axis=2)) == 1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_class_maps_cover_other_planes(make_encoding, number):
    """Of the others, the brightest is grey; a later map covers those before it."""
    maps = [CLASS | {"name": f"class_{k}"} for k in range(2)]
    encoding = make_encoding(
        channels=[*channels(*"abc"[:number]), *maps], background=255
    )
    planes = np.full((number + 2, 3, 2), 255, dtype=np.uint8)
    planes[:number, :2] = [[[10 * (k + 1)] * 2, [0, 255]] for k in range(number)]
    planes[-2, 0] = 0, 1
    planes[-1, 0] = 255, 2
    picture = make_picture(planes, encoding, 3, gamma=0.5, palette=PALETTE)
    grey = round(255 * (10 * number / 255) ** 0.5)
    assert picture[0].tolist() == [[100, 150, 245], [0, 175, 0]]
    assert not picture[1:].any()
    planes[-2:] = 255
    picture = make_picture(planes, encoding, 3, gamma=0.5, palette=PALETTE)
    assert picture[0].tolist() == 2 * [3 * [grey]]


@pytest.mark.parametrize(
    "change",
    [{"range": [0, 19]}, {"statistic": "max"}, {"of": "ring"}],
)
def test_other_channels_are_no_class_maps(make_encoding, change):
    """Their values are shades."""
    encoding = make_encoding(channels=[CLASS | change])
    planes = np.full((1, 3, 2), 1, dtype=np.uint8)
    np.testing.assert_array_equal(
        make_picture(planes, encoding, 3, palette=PALETTE),
        make_picture(planes, encoding, 3),
    )


def test_contact_sheet_of_class_maps_has_a_legend(make_encoding, tmp_path):
    """Of the classes that occur, in the order of their numbers."""
    encoding = make_encoding(channels=[CLASS], background=255)
    images = {}
    for number, name in enumerate("ab"):
        lines = np.full((3, 3), 255, dtype=np.uint8)
        lines[:, 0] = 0  # filters
        lines[0, 1:] = 2 * number, 7
        images[name] = tmp_path / f"{name}.png"
        text = {"birdview:channels": "class"}
        stream = zlib.compress(lines.tobytes())
        images[name].write_bytes(write_png((3, 2), GREY, stream, text))
    sheets = []
    for palette in (None, PALETTE):
        draw_contact_sheet(tmp_path / "sheet.png", images, encoding, 2, palette)
        sheets.append(cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1])
    plain, sheet = sheets
    assert plain.shape == sheet.shape
    assert not (plain == PALETTE.colours[0]).all(axis=2).any()
    legend = sheet[-LEGEND:]
    lefts = {}
    for name, colour in zip(PALETTE.names, PALETTE.colours, strict=True):
        found = np.flatnonzero((legend == colour).all(axis=2).any(axis=0))
        if len(found):
            assert len(found) == SIZE
            lefts[name] = found[0]
    assert [*lefts] == ["car", "tree"]
    assert lefts["car"] < lefts["tree"]


def test_contact_sheet_explains_its_colours(make_encoding, tmp_path):
    """Below the pictures: a scale, and each colour beside the name of its channel."""
    encoding = make_encoding(channels=channels("a", "b", "c"))
    image = tmp_path / "a.png"
    stream = zlib.compress(bytes(3 * 7))
    image.write_bytes(write_png((3, 2), RGB, stream, {"birdview:channels": "a,b,c"}))
    draw_contact_sheet(tmp_path / "sheet.png", {"a": image}, encoding, 1)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    legend = sheet[48 + 480 + LABEL + GAP :]
    assert legend.shape == (LEGEND, sheet.shape[1], 3)
    lefts = []
    for colour in np.diag([255, 255, 255]):
        row, col = np.nonzero((legend == colour).all(axis=2))
        assert len(row) == SIZE**2
        lefts.append(col.min())
    assert lefts == sorted(lefts)


def test_planes_beside_class_maps_are_grey_in_the_legend(make_encoding, tmp_path):
    """They are shown together, so the legend does not name them."""
    encoding = make_encoding(channels=[CLASS, *channels("a")], background=255)
    image = tmp_path / "a.png"
    stream = zlib.compress(bytes(6 * [0, 1, 2]))
    text = {"birdview:channels": "class,a"}
    image.write_bytes(write_png((6, 2), GREY, stream, text))
    draw_contact_sheet(tmp_path / "sheet.png", {"a": image}, encoding, 1, PALETTE)
    legend = cv2.imread(str(tmp_path / "sheet.png"))[-LEGEND:, :, ::-1]
    assert (legend == (200, 200, 200)).all(axis=2).sum() >= SIZE**2
    assert (legend == PALETTE.colours[1]).all(axis=2).sum() == SIZE**2


def test_an_entry_wider_than_a_legend_is_cut():
    """No line is wide enough for it, so its text loses its beginning."""
    legend = draw_legend([explain_colour("a name of a class", (9, 8, 7), 14)], 60, 14)
    assert legend.shape == (LEGEND, 60, 3)
    assert (legend == (9, 8, 7)).all(axis=2).sum() == SIZE**2
    assert (legend[:, -GAP // 2 :] == BACKGROUND).all()


def test_a_long_legend_has_several_lines(make_encoding, tmp_path):
    """Each name is whole, or loses its beginning if no line is as wide."""
    encoding = make_encoding(channels=[CLASS], background=255)
    names = tuple(f"class {number} {'of points ' * number}" for number in range(30))
    palette = Classes("long", names, 30 * ((200, 100, 50),), (), ())
    image = tmp_path / "a.png"
    stream = zlib.compress(bytes([0, 0, 1, 0, 2, 3, 0, 4, 5]))
    image.write_bytes(write_png((3, 2), GREY, stream, {"birdview:channels": "class"}))
    draw_contact_sheet(tmp_path / "sheet.png", {"a": image}, encoding, 1, palette)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    legend = sheet[48 + 480 + LABEL + GAP :]
    assert len(legend) % LEGEND == 0
    assert len(legend) > LEGEND
    assert (legend == (200, 100, 50)).all(axis=2).sum() == 6 * SIZE**2


def test_cells_that_are_longer_than_wide(make_encoding):
    """The picture has the proportions of the ground."""
    encoding = make_encoding(
        region={
            "x": {"min": 0, "max": 40, "closed": "lower"},
            "y": {"min": -10, "max": 10, "closed": "lower"},
        },
        grid={"cell": {"x": 1, "y": 0.1}, "rows": "-x", "cols": "-y"},
    )
    planes = np.zeros((1, 40, 200), dtype=np.uint8)
    assert make_picture(planes, encoding, longest=40).shape == (40, 20, 3)
    # Not more pixels than the image has: 40 rows stay 40.
    assert make_picture(planes, encoding, longest=80).shape == (40, 40, 3)


def test_scans_are_chosen_evenly():
    """The first and the last are chosen, and all if there are few."""
    assert choose_evenly(range(5)) == [0, 1, 2, 3, 4]
    assert choose_evenly(range(MAX_PICTURES)) == list(range(MAX_PICTURES))
    chosen = choose_evenly(range(7481))
    assert len(chosen) == MAX_PICTURES == len(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, 7480)
    steps = set(np.diff(chosen))
    assert steps == {118, 119}
    assert choose_evenly(range(65))[:2] == [0, 1]


def test_long_text_loses_its_beginning():
    """The end of a name tells scans apart; the text stays within its width."""
    picture = np.zeros((30, 300, 3), dtype=np.uint8)
    name = "2011_09_26_drive_0001_sync/velodyne_points/data/0000000042"
    put_text(picture, name, (10, 20), 14, (255, 255, 255), 150)
    cols = np.flatnonzero(picture.any(axis=(0, 2)))
    assert cols.min() >= 9
    assert cols.max() <= 161
    assert cols.max() > 120


def test_contact_sheet_of_empty_images(tmp_path, make_scan):
    """Images without points are drawn like any other, with their names below."""
    encoding = load_encoding("lyft")
    images = {}
    for name in ("a", "b", "c"):
        scan = make_scan(tmp_path / f"{name}.bin", np.empty((0, 4)))
        images[name] = tmp_path / f"{name}.png"
        render(scan, images[name], encoding)
    draw_contact_sheet(tmp_path / "sheet.png", images, encoding, 3)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (48 + 2 * (480 + LABEL + GAP) + LEGEND, 8 + 2 * 488, 3)
    assert not sheet[48 : 48 + 480, 8 : 8 + 480].any()
    assert sheet[528:554, 8:30].max() > 100  # the name
