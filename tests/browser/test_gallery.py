"""The gallery's page is used as people use it, and compared with the files."""

import json
import re
from base64 import b64decode
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from helpers import Project
from matplotlib import colormaps
from playwright.sync_api import expect

import birdview
from birdview import paths
from birdview.pixels.classes import load_classes
from birdview.pixels.encoding import load_encoding
from birdview.view.picture import make_picture

PHONE = (390, 844)
ODD = "drive 1/&lt;b'é"  # a name that would break unescaped HTML
NAMES = sorted(["000000", "000001", "000002", "000003", "bad", "nan", "tiny", ODD])
ENCODINGS = ("mv3d", "mv3d_slices", "complex_yolo")


@pytest.fixture(scope="module")
def gallery(compiled, tmp_path_factory):
    """Write the gallery of a small data set with a bad scan; return its folder."""
    project = Project(tmp_path_factory.mktemp("gallery") / "a project")
    scans = project.folder / "scans"
    rng = np.random.default_rng(1)
    for name in NAMES:
        # Like a street: most points are close, and on the ground or on walls.
        size = 40 if name == "tiny" else 4000
        points = rng.normal([0, 0, -1.6, 0.4], [20, 8, 0.3, 0.2], size=(size, 4))
        points[:, 3] = points[:, 3].clip(0, 1)
        if name == "nan":
            points[:3000, 0] = np.nan
            points[3000:3200, :3] = 0
        path = scans / f"{name}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        points.astype("<f4").tofile(path)
    (scans / "bad.bin").write_bytes(bytes(1001))
    settings = ("scans=scans", f"encodings=[{', '.join(ENCODINGS)}]")
    project.run("gallery", "--config", *settings, expect=1)
    return project.folder / "results" / "gallery"


@pytest.fixture
def show(visit, gallery):
    """Return a function that opens the gallery with a link and waits for its image."""

    def open_gallery(size=(1280, 800), touch=False, **settings):
        link = "&".join(f"{key}={quote(str(value))}" for key, value in settings.items())
        page = visit(gallery / "index.html", f"#{link}", size, touch)
        page.wait_for_selector(".pane[data-shown]")
        return page

    return open_gallery


def scan_of(page):
    return page.locator("#scan").text_content()


def shown(page, encoding, name):
    """Wait until a pane shows an image."""
    page.wait_for_selector(f'.pane[data-shown="{encoding}/{NAMES.index(name)}"]')


def pixel(page, pane=0):
    """Return the row, col and values that the page reads at its cursor."""
    data = page.locator(".values").nth(pane).get_attribute("data-pixel")
    readout = json.loads(data)
    return readout["row"], readout["col"], readout["values"]


def colour(page):
    """Return the colour at the centre of the canvas, from a screenshot."""
    shot = np.frombuffer(page.locator(".pane canvas").screenshot(), np.uint8)
    picture = cv2.imdecode(shot, cv2.IMREAD_COLOR)
    return picture[picture.shape[0] // 2, picture.shape[1] // 2, ::-1].tolist()


def image(gallery, encoding, name):
    """Return the planes of an image, as OpenCV reads them."""
    path = str(gallery.parent / encoding / f"{name}.png")
    pixels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        return pixels[..., ::-1].transpose(2, 0, 1)
    return pixels.reshape(-1, load_encoding(encoding).grid.shape[0], pixels.shape[1])


def brightest(planes, encoding):
    """Return the row and col of a pixel bright in several planes, and a view of it."""
    row, col = np.unravel_index(
        planes.astype(int).sum(axis=0).argmax(), planes.shape[1:]
    )
    x, y = load_encoding(encoding).grid.to_metres(row, col)
    return row, col, {"x": x, "y": y, "zoom": 100}


def test_opens_with_the_first_scan(show, keep_screenshot):
    """The page opens from the file system, without errors or requests."""
    page = show()
    assert scan_of(page) == NAMES[0]
    assert page.locator("#position").text_content() == f"1 of {len(NAMES)}"
    assert page.title() == f"{NAMES[0]} · birdview"
    assert page.locator("#strip button").count() == len(NAMES)
    keep_screenshot(page)


def test_page_has_all_scripts_and_styles(gallery):
    """Every file that the page is made of is in it."""
    page = (gallery / "index.html").read_text()
    files = [*paths.GALLERY.glob("js/*.js"), *paths.GALLERY.glob("*.css")]
    assert len(files) > 10
    for file in files:
        assert file.read_text().strip() in page


def test_steps_through_the_scans(show):
    """Keys, buttons, the slider and the thumbnails go to other scans."""
    page = show()
    for act, name in (
        (lambda: page.keyboard.press("ArrowRight"), NAMES[1]),
        (lambda: page.click("#next"), NAMES[2]),
        (lambda: page.click("#back"), NAMES[1]),
        (lambda: page.keyboard.press("End"), NAMES[-1]),
        (lambda: page.keyboard.press("ArrowRight"), NAMES[-1]),
        (lambda: page.keyboard.press("Home"), NAMES[0]),
        (lambda: page.locator("#slider").fill("3"), NAMES[3]),
        (lambda: page.locator("#strip button").nth(2).click(), NAMES[2]),
        (lambda: page.click("#first"), NAMES[0]),
    ):
        act()
        assert scan_of(page) == name
    shown(page, "mv3d", NAMES[0])


def test_plays_and_pauses(show):
    """Playing stops at the end; the space bar plays and pauses, too."""
    page = show()
    page.select_option("#speed", "1")
    page.click("#play")
    expect(page.locator("#play")).to_have_attribute("aria-label", "Pause")
    page.select_option("#speed", "20")  # at once, playing could end before that check
    expect(page.locator("#scan")).to_have_text(NAMES[-1])
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
    page.select_option("#speed", "1")
    page.locator("#speed").blur()
    page.keyboard.press(" ")
    expect(page.locator("#scan")).to_have_text(NAMES[1])
    page.keyboard.press(" ")
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")


def test_quick_restarts_do_not_speed_up_playing(show):
    """Pausing and starting again within a step does not add a second loop."""
    page = show()
    page.select_option("#speed", "1")
    page.locator("#speed").blur()
    for _ in range(5):
        page.keyboard.press(" ")
    page.wait_for_timeout(2500)
    assert NAMES.index(scan_of(page)) <= 5  # three starts and two seconds; not nine
    page.keyboard.press(" ")


def test_keeps_the_focus(show):
    """A toggled plane keeps the focus; a focused slider gets the arrow keys."""
    page = show()
    page.locator("#planes input").nth(1).focus()
    page.keyboard.press(" ")
    assert page.evaluate("document.activeElement.id") == "plane-1"
    assert not page.locator("#plane-1").is_checked()
    page.locator("#gamma").focus()
    before = page.locator("#gamma").input_value()
    page.keyboard.press("ArrowRight")
    assert page.locator("#gamma").input_value() != before
    assert scan_of(page) == NAMES[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("orientation", ["forward", "file"])
def test_reads_values_at_the_centre(show, gallery, encoding, orientation):
    """Without a mouse, the page reads metres and values at the centre of the view."""
    planes = image(gallery, encoding, "000002")
    row, col, view = brightest(planes, encoding)
    page = show(scan="000002", encoding=encoding, turn=orientation, **view)
    assert pixel(page) == (row, col, planes[:, row, col].tolist())
    text = page.locator(".values").inner_text()
    assert f"{view['x']:.2f} m" in text
    assert f"{view['y']:.2f} m" in text
    assert f"{planes[0, row, col]}" in text


def test_reads_values_under_the_mouse(show, gallery):
    """Forward is up and left is left: 100 pixels up are 2 m at 50 pixels per metre."""
    planes, grid = image(gallery, "mv3d", "000001"), load_encoding("mv3d").grid
    row, col, view = brightest(planes, "mv3d")
    page = show(scan="000001", encoding="mv3d", **view | {"zoom": 50})
    box = page.locator(".pane canvas").bounding_box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(centre[0] - 50, centre[1] - 100)
    there = tuple(int(n) for n in grid.to_pixel(view["x"] + 2, view["y"] + 1))
    assert pixel(page) == (*there, planes[:, *there].tolist())
    page.mouse.move(*centre)
    assert pixel(page) == (row, col, planes[:, row, col].tolist())


def test_values_in_their_units(show, gallery):
    """The page converts values to units, as the encoding defines them."""
    planes = image(gallery, "mv3d", "000002")
    row, col, view = brightest(planes, "mv3d")
    page = show(scan="000002", encoding="mv3d", **view)
    density, intensity, height = planes[:, row, col] / 255
    text = page.locator(".values").inner_text()
    assert f"≈ {64**density - 1:.1f} points" in text
    assert f"≈ {intensity:.2f}" in text
    assert f"≈ {-2.73 + 4 * height:.2f} m" in text


def test_toggles_planes(show, gallery):
    """In colour, the page paints the planes that are on, at the chosen brightness."""
    planes = image(gallery, "mv3d", "000002")
    row, col, view = brightest(planes, "mv3d")
    page = show(scan="000002", encoding="mv3d", gamma=1, **view)
    values = planes[:, row, col].tolist()
    assert colour(page) == values
    page.locator("#planes input").nth(1).uncheck()
    assert colour(page) == [values[0], 0, values[2]]
    page.keyboard.press("1")
    assert colour(page) == [0, 0, values[2]]
    page.keyboard.press("2")
    page.keyboard.press("1")
    assert colour(page) == values
    page.locator("#gamma").fill("70")
    expected = [round(255 * (value / 255) ** 0.5) for value in values]
    assert colour(page) == expected != values


def test_shows_one_plane_by_value(show, gallery):
    """A single plane is painted with the colour map inferno."""
    inferno = (255 * colormaps["inferno"](np.arange(256))[:, :3]).round().astype(int)
    for encoding in ("mv3d", "mv3d_slices"):
        planes = image(gallery, encoding, "000002")
        row, col, view = brightest(planes, encoding)
        page = show(scan="000002", encoding=encoding, **view)
        page.get_by_text("one, by value").click()
        for plane in (0, len(planes) - 1):
            page.locator("#planes input").nth(plane).check()
            value = planes[plane, row, col]
            assert colour(page) == (inferno[value].tolist() if value else [0, 0, 0])


def test_switches_the_encoding(show):
    """The list and a key switch the encoding, and the planes are listed again."""
    page = show(scan="000001")
    page.select_option("#encoding", "mv3d_slices")
    shown(page, "mv3d_slices", "000001")
    assert page.locator("#planes label").count() == 7
    page.locator("#encoding").blur()
    page.keyboard.press("e")
    shown(page, "complex_yolo", "000001")


def test_compares_two_encodings(show, gallery, keep_screenshot):
    """Both panes show the same area, and share a cursor."""
    slices = image(gallery, "mv3d_slices", "000001")
    row, col, view = brightest(slices, "mv3d_slices")
    page = show(scan="000001", encoding="mv3d", **view)
    page.select_option("#compare", "mv3d_slices")
    shown(page, "mv3d_slices", "000001")
    assert page.locator(".pane").count() == 2
    page.evaluate(f"state.view = {json.dumps(view)}; drawPanes()")
    box = page.locator(".pane canvas").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    both = image(gallery, "mv3d", "000001"), slices
    for number, planes in enumerate(both):
        assert pixel(page, number) == (row, col, planes[:, row, col].tolist())
    page.keyboard.press("0")
    keep_screenshot(page)
    page.select_option("#compare", "")
    assert page.locator(".pane").count() == 1


def test_zooms_and_pans(show):
    """Wheel, keys and dragging change the view and the scale bar."""
    page = show()
    assert page.locator(".scale").inner_text() == "20 m"
    box = page.locator(".pane canvas").bounding_box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*centre)
    before = pixel(page)
    for _ in range(6):
        page.mouse.wheel(0, -300)
    expect(page.locator(".scale")).to_have_text("2 m")
    assert pixel(page) == before  # what is under the mouse stays there
    page.mouse.down()
    page.mouse.move(centre[0] + 100, centre[1] + 50)
    page.mouse.up()
    assert pixel(page) == before  # and moves with it
    page.keyboard.press("0")
    expect(page.locator(".scale")).to_have_text("20 m")
    before = page.evaluate("state.view.zoom")
    page.keyboard.press("+")
    assert page.evaluate("state.view.zoom") == pytest.approx(1.4 * before)
    page.keyboard.press("-")
    assert page.evaluate("state.view.zoom") == pytest.approx(before)
    page.mouse.move(5, 5)  # outside the canvas: values are read at the centre
    for key, number in (("w", 0), ("a", 1)):
        before = pixel(page)[number]
        page.keyboard.press(key)
        values = "JSON.parse(document.querySelector('.values').dataset.pixel)"
        axis = ("row", "col")[number]
        page.wait_for_function(f"{values}.{axis} < {before}")


def test_goes_to_a_scan_by_its_name(show):
    """A fragment of the name is enough; the page says if there is no such scan."""
    page = show()
    page.keyboard.press("/")
    page.keyboard.type("0003")
    page.keyboard.press("Enter")
    assert scan_of(page) == "000003"
    page.fill("#name", "&lt;")
    page.locator("#matches li").first.click()
    assert scan_of(page) == ODD
    shown(page, "mv3d", ODD)
    page.fill("#name", "nowhere")
    assert page.locator("#matches").inner_text() == "No such scan"
    page.keyboard.press("Escape")
    assert page.locator("#matches").is_hidden()


def test_link_restores_the_view(show, visit, gallery):
    """A copied link shows the same in another window."""
    page = show(encoding="mv3d")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("2")
    page.select_option("#compare", "complex_yolo")
    page.locator("#compare").blur()
    page.keyboard.press("o")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.click("#link")
    other = visit(gallery / "index.html", f"#{page.url.split('#')[1]}")
    shown(other, "complex_yolo", NAMES[1])
    assert scan_of(other) == NAMES[1]
    checked = [box.is_checked() for box in other.locator("#planes input").all()]
    assert checked == [True, False, True]
    states = [
        each.evaluate(
            "[state.encoding, state.compareWith, state.mode, state.orientation,"
            "...[state.view.x, state.view.y, state.view.zoom].map((n) => n.toFixed(1))]"
        )
        for each in (page, other)
    ]
    assert states[0] == states[1]
    other.evaluate("location.hash = '#scan=000002&encoding=mv3d'")
    shown(other, "mv3d", "000002")
    assert all(box.is_checked() for box in other.locator("#planes input").all())
    assert states[0][:4] == ["mv3d", "complex_yolo", "all", "file"]


def test_lists_scans_worth_a_look(show, keep_screenshot):
    """Failed scans, with their errors, those with warnings, and with unusual counts."""
    page = show()
    assert page.locator("#outliers h3").all_inner_texts() == [
        *("Failed: 1", "Warnings: 1", "Unusual counts: 1")
    ]
    listed = page.locator("#outliers li").all_inner_texts()
    assert [text.split("\n")[0] for text in listed] == ["bad", "tiny", "nan"]
    assert listed[0].split("\n")[1] == (
        "scans/bad.bin: 1001 bytes found, expected a multiple of 16 (layout kitti: x, "
        "y, z, reflectance)"
    )
    assert re.match("short: 40 points, but scans around", listed[1].split("\n")[1])
    assert re.fullmatch(r"not finite: 3,000, usually 0", listed[2].split("\n")[1])
    page.locator("#outliers button").first.click()
    assert scan_of(page) == "bad"
    message = page.locator(".message").inner_text()
    assert message.startswith("No image of this scan")
    assert "1001 bytes found" in message
    keep_screenshot(page)
    current = page.locator("#outliers [aria-current] b")
    for step, name in (
        ("n", "tiny"),
        ("n", "nan"),
        ("ArrowLeft", "drive"),
        ("n", "bad"),
    ):
        page.keyboard.press(step)
        assert scan_of(page).startswith(name)
        if step == "n":
            assert current.all_inner_texts() == [name]
    page.keyboard.press("n")
    assert page.locator(".message").is_hidden()


def test_plot_is_clickable(show):
    """A click close to an outlier goes to it; a tip shows its counts."""
    page = show()
    box = page.locator("#plot canvas").bounding_box()
    x = page.evaluate(f"toX({NAMES.index('tiny')}, {box['width']})")
    page.mouse.move(box["x"] + x + 3, box["y"] + 10)
    tip = page.locator("#plot output").inner_text()
    assert tip.startswith("tiny")
    assert "points drawn" in tip
    page.mouse.click(box["x"] + x + 3, box["y"] + 10)
    assert scan_of(page) == "tiny"


def test_plot_shows_counts_that_are_not_all_zero(show, keep_screenshot):
    """And makes room for them; four counts are always there."""
    page = show()
    assert page.evaluate("series.map(({ name }) => name)") == [
        *("drawn", "cells", "outside", "by height", "no return", "not finite")
    ]
    box = page.locator("#plot canvas").bounding_box()
    assert box["height"] == 92
    page.evaluate("series = [...series, ...series]; drawPlot()")
    assert page.locator("#plot canvas").bounding_box()["height"] == 12 * 15
    page.evaluate("series = series.slice(6); drawPlot()")
    x = page.evaluate(f"toX({NAMES.index('nan')}, {box['width']})")
    page.mouse.move(box["x"] + x, box["y"] + 10)
    assert "200 without a return" in page.locator("#plot output").inner_text()
    keep_screenshot(page)


def test_every_button_and_list_works(show):
    """In both ways to show planes: no script fails, which `visit` would notice."""
    page = show(encoding="mv3d_slices", beside="mv3d")
    for _ in range(2):
        for button in page.locator("button:visible").all():
            if button.is_visible() and button.is_enabled():
                button.click()
                page.keyboard.press("Escape")
        for menu in page.locator("select:visible").all():
            for index in range(menu.locator("option").count()):
                menu.select_option(index=index)
    page.wait_for_timeout(300)


@pytest.mark.parametrize("size", [PHONE, (844, 390)])
def test_fits_a_phone(show, size, keep_screenshot):
    """Nothing overflows, the panel opens and closes, and a tap reads values."""
    page = show(size=size, touch=True)
    width, height = size
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    for name in ("#back", "#play", "#next", "#slider", "#settings"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    canvas = page.locator(".pane canvas").bounding_box()
    assert canvas["height"] > 120
    page.touchscreen.tap(canvas["x"] + 40, canvas["y"] + canvas["height"] - 30)
    assert page.locator(".values").is_visible()
    keep_screenshot(page)
    if page.locator("#panel").is_hidden():
        page.click("#settings")
    assert page.locator("#encoding").is_visible()
    page.click("#settings")
    assert page.locator("#panel").is_hidden()


def test_keys_are_explained(show, keep_screenshot):
    """The key `?` explains each key once; all controls have accessible names."""
    page = show()
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    listed = page.locator("dialog kbd").all_inner_texts()
    assert len(listed) == len({*listed}) == 25
    assert page.locator("dialog dt").count() == page.locator("dialog dd").count() == 15
    assert page.evaluate("Object.keys(KEYS).length") == 25 + 7 + 1  # 2 to 8, and =
    keep_screenshot(page)
    page.keyboard.press("Escape")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input")]
          .filter((element) => !(element.getAttribute("aria-label") ||
            element.labels?.length || element.textContent.trim()))
          .map((element) => element.outerHTML)"""
    )
    assert unnamed == []


def is_fitted(page):
    """Whether the image touches two opposite edges of its canvas, but for 2 %."""
    return page.evaluate(
        """() => {
          const [a, b, c, d, e, f] = canvasMatrix(main), { rows, cols } = main.encoding;
          const { clientWidth, clientHeight } = main.canvas;
          const width = Math.abs(a * cols + c * rows) / clientWidth;
          const height = Math.abs(b * cols + d * rows) / clientHeight;
          return Math.abs(Math.max(width, height) - 0.98) < 0.001;
        }"""
    )


def test_fits_again_when_its_size_changes(show):
    """Until the view is moved; links say nothing of a view that fits."""
    page = show(size=(1400, 900))
    for act in (
        lambda: page.set_viewport_size({"width": 800, "height": 900}),
        lambda: page.click("#settings"),
        lambda: page.set_viewport_size({"width": 1400, "height": 500}),
        lambda: page.select_option("#compare", "mv3d_slices", force=True),
    ):
        act()
        page.wait_for_timeout(100)
        assert is_fitted(page)
    page.wait_for_timeout(400)
    assert "zoom" not in page.url
    page.locator("#compare").blur()
    page.keyboard.press("+")
    zoom = page.evaluate("state.view.zoom")
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_timeout(100)
    assert page.evaluate("state.view.zoom") == zoom
    page.keyboard.press("0")
    assert is_fitted(page)


def test_right_pane_says_what_its_colours_mean(show, keep_screenshot):
    """Its planes that are shown, each with its colour, or one with the colour bar."""
    page = show(encoding="mv3d", beside="mv3d_slices")
    key = page.locator(".pane").nth(1).locator(".colour-key")
    items = key.locator("li").all_inner_texts()
    assert len(items) == 5  # planes of the whole cell are hidden
    assert items[0].split("\n") == ["height_0", "z -2.73 … -1.93 m"]
    swatches = key.locator("li i")
    expect(swatches.nth(2)).to_have_css("background-color", "rgb(55, 255, 51)")
    keep_screenshot(page)
    page.get_by_text("one, by value").click()
    expect(key.locator("li")).to_contain_text("height_0")
    assert key.locator(".bar span").all_inner_texts() == ["-2.73 m", "-1.93 m"]
    assert page.locator(".pane").nth(0).locator(".colour-key").count() == 0


def test_slices_have_their_heights(show):
    """In the list of planes, and in a tip with the range of values."""
    page = show(encoding="mv3d_slices")
    labels = page.locator("#planes label")
    assert labels.nth(4).inner_text().split("\n")[-1] == "z 0.47 … 1.27 m"
    assert labels.nth(5).inner_text().split("\n")[-1] == "0 … 1"
    title = labels.nth(4).get_attribute("title")
    assert title == "max height of z 0.47 … 1.27 m: 0.47 … 1.27 m"
    occupancy = "{statistic: 'occupancy', zero: 0, z: [-1, -0.5]}"
    assert page.evaluate(f"formatMeaning({occupancy})") == "z -1 … -0.5 m"
    assert page.evaluate(f"main.explainValue({occupancy}, 255)") == "z -1 … -0.5 m"


def test_shows_all_planes_or_none(show):
    """By a click each; a link keeps that none is shown."""
    page = show(encoding="mv3d_slices")
    boxes = page.locator("#planes input").all()
    for button, is_on in (("All planes", True), ("None of the planes", False)):
        page.get_by_role("button", name=button).click()
        assert {box.is_checked() for box in boxes} == {is_on}
    page.click("#link")
    assert "planes=&" in f"{page.url}&"
    page.reload()
    page.wait_for_selector(".pane[data-shown]")
    assert page.locator("#notice").is_hidden()
    assert page.locator("#planes input:checked").count() == 0
    page.get_by_text("one, by value").click()
    assert page.locator("#plane-buttons").is_hidden()


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (
            {"scan": "999999", "encoding": "mv3d_slices"},
            ["Scan “999999” is not in this gallery: the first one is shown."],
        ),
        (
            {"scan": NAMES[0], "encoding": "a<b>", "planes": "x", "beside": "pixor"},
            [
                "Encoding “a<b>” is not in this gallery: mv3d is shown.",
                "Encoding “pixor” is not in this gallery: nothing is compared.",
            ],
        ),
        (
            {"encoding": "mv3d", "planes": "density fog", "layers": "labels"},
            [
                "Encoding mv3d has no plane “fog”.",
                "Boxes “labels” are not in this gallery.",
            ],
        ),
        ({"plane": "fog"}, ["Encoding mv3d has no plane “fog”."]),
    ],
)
def test_bad_link_says_what_is_missing(show, link, said):
    """And shows the first scan, and what else there is."""
    page = show(**link)
    notice = page.get_by_role("alert")
    assert notice.locator("p").all_inner_texts() == said
    assert scan_of(page) == NAMES[0]
    notice.get_by_role("button").click()
    assert notice.is_hidden()


def test_bad_link_leaves_the_scan_that_was_shown(show):
    """For the first one; a good link takes back what was said."""
    page = show(scan="000002")
    page.evaluate("location.hash = '#scan=999999'")
    expect(page.locator("#scan")).to_have_text(NAMES[0])
    assert page.locator("#notice").is_visible()
    page.evaluate("location.hash = '#scan=000003'")
    expect(page.locator("#scan")).to_have_text("000003")
    assert page.locator("#notice").is_hidden()


def test_link_counts_although_the_state_is_written_before_it_is_read(show):
    """The address follows the state with a delay."""
    page = show(scan="000002")
    page.evaluate("location.hash = '#scan=000003'; writeLink()")
    expect(page.locator("#scan")).to_have_text("000003")


def test_shows_100_000_scans(gallery, visit, tmp_path):
    """In a second, with as many elements as for a few; the scripts stay small."""
    count = 100_000
    page = (gallery / "index.html").read_text()
    start = page.index('{"scans":')
    data, end = json.JSONDecoder().raw_decode(page, start)
    scans = [f"2011_09_26/drive_{k // 400:04d}/{k % 400:010d}" for k in range(count)]
    data |= {"scans": scans, "encodings": data["encodings"][:1]}
    text = json.dumps(data, separators=(",", ":"))
    (tmp_path / "index.html").write_text(page[:start] + text + page[end:])
    results = [
        [120_000, 0, 0, 0, 0, 0, 0, 700, 500, 119_300, k % 997] for k in range(count)
    ]
    results[::100] = ["1001 bytes found"] * len(results[::100])
    results[-200:] = ["not rendered yet"] * 200  # there are no files of them here
    warned = {str(k): "short: 40 points" for k in range(1, count - 200, 100)}
    found = json.dumps({"results": results, "warnings": warned})
    (tmp_path / "mv3d").mkdir()
    (tmp_path / "mv3d/counts.js").write_text(
        f'birdview.receive("counts", "mv3d", {found});'
    )
    shown = visit(tmp_path / "index.html", f"#scan={scans[-100]}")
    expect(shown.locator("#outliers h3").first).to_have_text(
        "Failed: the first 30 of 1,198"
    )
    expect(shown.locator("#outliers h3").nth(1)).to_have_text(
        "Warnings: the first 30 of 998"
    )
    assert shown.locator("*").count() < 1000
    expect(shown.locator("#scan")).to_have_css("direction", "ltr")
    column = (
        "plot.getContext('2d').getImageData(toX(50_000, plot.clientWidth), 0, 1, 92)"
    )
    is_line = f"[...{column}.data].filter((_, k) => k % 4 === 3).every(Boolean)"
    assert not shown.evaluate(is_line)  # which would hide the curves
    steps = "for (let k = 0; k < 20; k++) { update(); document.body.offsetWidth; }"
    assert shown.evaluate(f"() => {{ {timed(steps)} }}") < 20 * 100
    assert shown.evaluate(f"() => {{ {timed('drawPlot()')} }}") < 1000
    shown.keyboard.press("/")
    shown.keyboard.type("0249/0000000399")
    shown.keyboard.press("Enter")
    assert shown.locator("#position").inner_text() == f"{count} of {count}"


def timed(script):
    """Return a script that returns how many milliseconds another takes."""
    return (
        f"const start = performance.now(); {script}; return performance.now() - start"
    )


def test_keyboard_reaches_everything(show):
    """In the order of the page, with a ring around what has the focus."""
    page = show(encoding="mv3d", beside="mv3d_slices")
    order = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              const { activeElement: one } = document, style = getComputedStyle(one);
              if (one === document.body) return null;
              const ring = one.matches("[type=radio]")
                ? getComputedStyle(one.nextElementSibling) : style;
              if (parseFloat(ring.outlineWidth) < 1) return `no ring: ${one.outerHTML}`;
              return one.id || one.name || one.tagName.toLowerCase();
            }"""
        )
        if name is None:
            break
        order.append(name)
    planes = [f"plane-{number}" for number in range(3)]
    assert order == [
        *("name", "settings", "help", "canvas", "canvas", "summary", "ul"),
        *("encoding", "compare", "mode", *planes, "all-planes", "no-planes"),
        *("gamma", "orientation", "fit", "link", "button", "button", "button"),
        *("first", "back", "play", "next", "slider", "speed"),
    ]


def test_speaks_to_screen_readers(show):
    """Scans, errors, and values at the cross are announced; pictures have names."""
    page = show(scan="000001")
    status = page.get_by_role("status").first
    expect(status).to_have_text("Scan 000001, 2 of 8")
    name = "Bird's-eye view of scan 000001, encoding mv3d"
    assert page.get_by_role("img", name=name).is_visible()
    counts = page.get_by_role("img", name="Point counts of all scans. 000001  4,000")
    page.keyboard.press("d")
    expect(status).to_contain_text("x 0.00 m row 800, y ")
    expect(status).to_contain_text("density 0")
    assert counts.count() == 0  # of 4,000 points, a few are outside
    assert "points drawn" in page.locator("#plot canvas").get_attribute("aria-label")
    page.locator("#slider").focus()
    expect(page.locator("#plot output")).to_contain_text("points drawn")
    page.keyboard.press("End")
    expect(page.locator("#plot output")).to_contain_text(NAMES[-1])
    page.fill("#name", "bad")
    page.keyboard.press("Enter")
    expect(status).to_contain_text(
        "Scan bad: No image of this scan scans/bad.bin: 1001"
    )
    page.locator("#strip button").first.click()
    assert page.evaluate("document.activeElement.ariaCurrent") == "true"
    for role in ("banner", "search", "main", "complementary", "contentinfo"):
        assert page.get_by_role(role).count() == 1


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], under) =>
    [r, g, b].map((value, k) => a * value + (1 - a) * under[k]);
  const groundOf = (one) => {
    if (!one) return [255, 255, 255];
    const colour = parse(getComputedStyle(one).backgroundColor);
    return colour[3] === 0 ? groundOf(one.parentElement)
      : over(colour, groundOf(one.parentElement));
  };
  const light = (colour) => colour.map((value) => value / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const root = getComputedStyle(document.documentElement);
  const panel = groundOf(document.querySelector("footer"));
  const probe = document.body.appendChild(document.createElement("i"));
  const curves = [...series.map(({ key }) => key), "duplicate", "dropped", "hidden",
    "vehicle", "alert", "muted"].map((key) => {
    probe.style.color = root.getPropertyValue(`--${key}`);
    return [key, contrast(parse(getComputedStyle(probe).color), panel)];
  });
  probe.remove();
  const texts = [...document.querySelectorAll("body *")].filter((one) =>
    one.checkVisibility() && [...one.childNodes].some((node) =>
      node.nodeType === Node.TEXT_NODE && node.data.trim()))
    .map((one) => [one.outerHTML.slice(0, 80),
      contrast(parse(getComputedStyle(one).color), groundOf(one))]);
  return [...curves, ...texts].filter(([, ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(show, scheme, keep_screenshot):
    """In the scheme that the system prefers; 4.5 is what WCAG demands."""
    page = show(scan="nowhere", encoding="mv3d", beside="mv3d_slices")
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(300)
    panel = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 31)"}[scheme]
    expect(page.locator("header")).to_have_css("background-color", panel)
    pane = page.locator(".pane").first
    expect(pane).to_have_css("background-color", "rgb(0, 0, 0)")
    assert page.evaluate(CONTRAST) == []
    keep_screenshot(page)


@pytest.mark.parametrize("size", [(800, 700), (1400, 900), (2560, 1440)])
def test_fits_screens(show, size):
    """Nothing overflows, and panes have most of the room."""
    page = show(size=size, encoding="mv3d", beside="mv3d_slices", scan="nowhere")
    width, height = size
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    for pane in page.locator(".pane").all():
        box = pane.bounding_box()
        assert box["width"] > 0.3 * width
        assert box["height"] > 0.45 * height
    assert page.locator("#panel").evaluate(
        "(one) => one.scrollWidth <= one.clientWidth"
    )


def test_real_scans(visit, kitti_scans, compiled, tmp_path, keep_screenshot):
    """The page decodes a row of a real image to the same values as `birdview.load`."""
    project = Project(tmp_path / "a project")
    folder = kitti_scans[0].parent
    project.run("gallery", "--config", f"scans={folder}", "encodings=[mv3d, pixor]")
    results = project.folder / "results"
    page = visit(results / "gallery" / "index.html", "#scan=000001&encoding=pixor")
    page.wait_for_selector('.pane[data-shown="pixor/1"]')
    planes, _ = birdview.load(results / "pixor" / "000001.png")
    row = "valuesAt(main.image, main.encoding, 100 * 700 + col)"
    found = page.evaluate(f"Array.from({{length: 700}}, (_, col) => {row})")
    np.testing.assert_array_equal(np.transpose(found), planes[:, 100])
    keep_screenshot(page)


CAR_BOX = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.5707963267948966"
WALKER = "Pedestrian 0.00 0 -1.57 0 0 0 0 1.8 0.6 0.8 5 1.7 20 0"
CALIB = """
P2: 1 0 0 0 0 1 0 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""


@pytest.fixture(scope="module")
def boxed(compiled, make_scan, tmp_path_factory):
    """Write a gallery with labels and predictions; return its page.

    A car reaches from (8.2, 2) to (12.2, 4) m and faces forward. It was predicted 1 m
    further ahead, in images whose rows are y. The second scan has no labels.
    """
    project = Project(tmp_path_factory.mktemp("boxed") / "a project")
    folder = project.folder
    objects = [[10, 3, -1, 0.5], [20.2, -5, -1, 0.5]]
    for name in "ab":
        make_scan(folder / "scans" / f"{name}.bin", objects)
    for path, text in (
        ("label_2/a.txt", f"{CAR_BOX}\n{WALKER}\n"),
        *(("calib/a.txt", CALIB), ("predictions/a.txt", predict())),
    ):
        (folder / path).parent.mkdir()
        (folder / path).write_text(text)
    settings = ("scans=scans", "labels=.", "predictions=predictions")
    project.run("dataset", "gallery", "--config", *settings, "encodings=[notebook]")
    return folder / "results" / "gallery" / "index.html"


def predict():
    """Return the line of a predicted car."""
    grid = load_encoding("notebook").grid
    corners = np.array([[13.2, 4], [13.2, 2], [9.2, 2], [9.2, 4]]).T
    rows, cols = grid.affine @ [*corners, np.ones(4)]
    height, width = grid.shape
    shares = np.stack([cols / width, rows / height], axis=1).ravel()
    return f"0 {' '.join(f'{share:.6f}' for share in shares)} 0.876\n"


def test_boxes_are_on_their_pixels(visit, boxed, keep_screenshot):
    """In both orientations; the front is thick, the other edges are thin."""
    page = visit(boxed, "#scan=a&x=11&y=1&zoom=40")
    page.wait_for_selector(".pane[data-shown]")
    keep_screenshot(page)
    page.keyboard.press("p")
    for orientation in ("forward", "file"):
        page.check(f"[value={orientation}]", force=True)
        for x, y, is_drawn in (
            *((12.2, 3.5, True), (12.23, 3.5, True), (12.3, 3.5, False)),
            *((8.2, 3.5, True), (8.23, 3.5, False), (10.5, 3.5, False)),
            *((10.5, 4, True), (10.5, 4.03, False), (10.5, 2, True)),
        ):
            page.evaluate(f"state.view = {{x: {x}, y: {y}, zoom: 50}}; drawPanes()")
            red, green, blue = colour(page)  # half of a car's, at the rim of an edge
            is_yellow = red > 125 and green > 100 and blue > 45
            assert is_yellow == is_drawn, (orientation, x, y, red, green, blue)


def test_boxes_are_switched_off(visit, boxed):
    """Layers by keys and clicks, classes by clicks; links keep that."""
    page = visit(boxed, "#scan=a&x=12.2&y=3.5&zoom=50")
    page.wait_for_selector(".pane[data-shown]")
    yellow, black = [255, 209, 102], [0, 0, 0]
    assert page.locator("#layers").inner_text().split() == [
        *("labels", "2", "predictions", "1")
    ]
    assert page.locator("#classes").inner_text().split() == [
        *("Car", "Pedestrian", "Cyclist")
    ]
    for act, expected in (
        (lambda: page.uncheck("#class-1"), yellow),
        (lambda: page.uncheck("#class-0"), black),
        (lambda: page.check("#class-0"), yellow),
        (lambda: page.keyboard.press("l"), black),
        (lambda: page.keyboard.press("l"), yellow),
        (lambda: page.keyboard.press("p"), yellow),
        (lambda: page.uncheck("#layer-labels"), black),
    ):
        act()
        assert colour(page) == expected
    page.click("#link")
    other = visit(boxed, f"#{page.url.split('#')[1]}")
    other.wait_for_selector(".pane[data-shown]")
    for each in (page, other):
        boxes = each.locator("#boxes input").all()
        assert [box.is_checked() for box in boxes] == [False, False, True, False, True]
    assert colour(other) == black
    other.keyboard.press("ArrowRight")
    other.wait_for_selector('.pane[data-shown="notebook/1"]')
    assert other.locator("#layers").inner_text().split("\n") == [
        *("labels", "none known", "predictions", "none known")
    ]


def test_a_tip_describes_boxes(visit, boxed, keep_screenshot):
    """Those under the mouse, or at the centre without one."""
    page = visit(boxed, "#scan=a&x=10.5&y=2.5&zoom=40")
    page.wait_for_selector(".pane[data-shown]")
    label, prediction = page.locator(".tip table").all()
    times = " \N{MULTIPLICATION SIGN} "
    assert label.locator("td").all_inner_texts() == [
        *("Car", "label", "size", f"{times.join(['4.00', '2.00', '1.50'])} m"),
        *("heading", "0°", "points", "1", "bottom z", "-1.70 m"),
    ]
    assert prediction.locator("td").all_inner_texts() == [
        *("Car", "prediction", "size", f"4.00{times}2.00 m", "score", "0.88")
    ]
    keep_screenshot(page)
    box = page.locator(".pane canvas").bounding_box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(centre[0], centre[1] - 100)  # at x = 13 m
    assert page.locator(".tip table").count() == 1
    page.keyboard.press("p")
    assert page.locator(".tip").is_hidden()


def test_a_tip_fits_a_phone(visit, boxed):
    """Wherever it is asked for: two boxes are described below each other."""
    page = visit(boxed, "#scan=a&x=10.5&y=2.5&zoom=20", PHONE)
    page.wait_for_selector(".pane[data-shown]")
    canvas = page.locator(".pane canvas").bounding_box()
    for side in (-1, 1):
        page.evaluate(f"state.view.y = 2.5 + {side} * 8")
        page.evaluate("state.cursor = {x: 10.5, y: 2.5}; drawPanes()")
        tip = page.locator(".tip").bounding_box()
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= canvas["width"]
        assert page.locator(".tip table").count() == 2


def test_without_a_data_set_there_are_no_boxes(show):
    """Nor anything to switch."""
    page = show()
    assert page.locator("#boxes").is_hidden()
    page.keyboard.press("l")
    page.keyboard.press("p")
    assert page.locator(".tip").is_hidden()


MANY = """
description: A class map between other planes.
region:
  x: {min: -80, max: 80, closed: lower}
  y: {min: -80, max: 80, closed: lower}
grid: {cell: 0.1, rows: -x, cols: -y}
background: 255
channels:
  - {name: age, statistic: mean, of: age, range: [0, 4]}
  - {name: kind, statistic: at_max, of: class, range: [0, 255]}
  - {name: ahead, statistic: mean, of: x, range: [-100, 100], unit: m/s}
  - {name: cars, statistic: count, of: class, values: [0], range: [0, 50]}
"""


@pytest.fixture(scope="module")
def classified(compiled, tmp_path_factory):
    """Write a gallery of class maps, with several sweeps; return its page."""
    project = Project(tmp_path_factory.mktemp("classified") / "a project")
    (project.folder / "many.yaml").write_text(MANY)
    settings = ("sweeps={before: 1}", "demo={scans: 2}")
    project.run(
        "gallery", "--config", *settings, "encodings=[semantic, many.yaml, mv3d]"
    )
    return project.folder / "results" / "demo" / "gallery" / "index.html"


def planes_of(page, encoding):
    return birdview.load(page.parents[2] / encoding / "demo" / "000001.png").planes


def test_class_maps_have_the_colours_of_their_classes(
    visit, classified, keep_screenshot
):
    """With a legend, and the name of the class under the mouse."""
    classes, encoding = load_classes("semantickitti"), load_encoding("semantic")
    (plane,) = planes_of(classified, "semantic")
    page = visit(classified, "#scan=demo/000001&encoding=semantic")
    for name in ("car", "road", "building"):
        number = classes.names.index(name)
        row, col = np.argwhere(plane == number)[0]
        x, y = encoding.grid.to_metres(row, col)
        link = f"#scan=demo/000001&encoding=semantic&gamma=2&x={x}&y={y}&zoom=200"
        page.evaluate(f"location.hash = {json.dumps(link)}")
        page.wait_for_selector('.pane[data-shown="semantic/1"]')
        expect(page.locator(".values")).to_contain_text(name)
        assert pixel(page) == (row, col, [number])
        assert colour(page) == [*classes.colours[number]]
        page.get_by_text("one, by value").click()
        assert colour(page) == [*classes.colours[number]]
        expect(page.locator("#bar")).to_be_hidden()
    legend = page.locator("#palette li")
    assert legend.all_inner_texts() == [*classes.names]
    swatch = legend.nth(8).locator("i")
    expect(swatch).to_have_css("background-color", "rgb(255, 0, 255)")
    page.keyboard.press("0")
    keep_screenshot(page)
    page.select_option("#encoding", "mv3d")
    page.wait_for_selector('.pane[data-shown="mv3d/1"]')
    expect(page.locator("#palette")).to_be_hidden()


@pytest.mark.parametrize("level", [0, 1, 4])
@pytest.mark.parametrize("name", ["semantic", "many"])
def test_smaller_class_maps_are_those_of_pictures(visit, classified, name, level):
    """Each pixel has the most frequent class, beside the brightest of other planes."""
    page = visit(classified, f"#scan=demo/000001&encoding={name}")
    page.wait_for_selector(f'.pane[data-shown="{name}/1"]')
    url = page.evaluate(f"main.level({level}).toDataURL()")
    png = np.frombuffer(b64decode(url.partition(",")[2]), np.uint8)
    side = 1600 >> level
    path = classified.parents[3] / "many.yaml" if name == "many" else name
    picture = make_picture(
        planes_of(classified, name),
        load_encoding(path),
        side,
        palette=load_classes("semantickitti"),
    )
    painted = cv2.imdecode(png, cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(painted, picture)


def test_planes_beside_a_class_map(visit, classified, keep_screenshot):
    """They have their units, and are seen where the map is switched off."""
    encoding = load_encoding(classified.parents[3] / "many.yaml")
    planes = planes_of(classified, "many")
    (row, col), *_ = np.argwhere((planes[1] == 0) & (planes[3] != 255))
    x, y = encoding.grid.to_metres(row, col)
    link = f"#scan=demo/000001&encoding=many&gamma=1&x={x}&y={y}&zoom=200"
    page = visit(classified, link)
    page.wait_for_selector('.pane[data-shown="many/1"]')
    age, _, ahead, _ = planes[:, row, col] / 255
    readout = page.locator(".values")
    if age < 1:
        expect(readout).to_contain_text(f"≈ {4 * age:.1f} sweeps")
    expect(readout).to_contain_text(f"≈ {-100 + 200 * ahead:.2f} m/s")
    expect(readout).to_contain_text("car")
    assert colour(page) == [100, 150, 245]
    page.locator("#plane-1").uncheck()
    values = [value for value in planes[[0, 2, 3], row, col] if value != 255]
    assert colour(page) == 3 * [max(values)]
    page.locator("#plane-1").check()
    page.keyboard.press("0")
    keep_screenshot(page)


def test_says_how_many_sweeps_an_image_shows(visit, classified):
    """Those that were found, of those that there could be."""
    page = visit(classified, "#scan=demo/000000&encoding=semantic&beside=mv3d")
    page.wait_for_selector('.pane[data-shown="semantic/0"]')
    first, second = page.locator(".name").all()
    expect(first).to_contain_text(", 1 plane, sweeps: 1 of 2, labelled: 1 of 1")
    expect(second).to_contain_text("3 planes, sweeps: 1 of 2")
    page.keyboard.press("ArrowRight")
    expect(first).to_contain_text("sweeps: 2 of 2, labelled: 2 of 2")
