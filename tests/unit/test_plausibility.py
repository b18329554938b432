"""Images that may be wrong give a warning, with advice that puts them right.

Each scan is made from the demo's, by what went wrong for other people.
"""

import shutil

import numpy as np
import pytest
import yaml
from helpers import SENSORS, write_layout

from birdview import load_layout
from birdview.checks.advice import say_field
from birdview.checks.images import find_doubts, name_fitting_layouts
from birdview.checks.plausibility import CHECKS, Drawn, judge
from birdview.counts import Counts
from birdview.demo import simulate_scan
from birdview.image import ImageFile, read_image
from birdview.pixels.assembly import Joined
from birdview.pixels.encoding import load_encoding
from birdview.pixels.field import parse_column
from birdview.pixels.figures import Figures
from birdview.pixels.frame import make_frame
from birdview.pixels.render import render

ENCODINGS = (
    *("notebook", "mv3d", "mv3d_slices", "complex_yolo"),
    *("pixor", "birdnet", "avod_like", "lyft"),
)
STREET = simulate_scan(0, 0)
NUMBERS = np.arange(len(STREET))
FLOATS = dict.fromkeys(("x", "y", "z", "reflectance"), "float32")


def fields(**types):
    """Return the fields of KITTI's records with other types, as settings have them."""
    return [{name: kind} for name, kind in (FLOATS | types).items()]


@pytest.fixture
def warn(tmp_path):
    """Return what renders scans, given as bytes or arrays, and returns the warnings."""

    def find(scans, layout="kitti", encodings=("mv3d",), **changes):
        layout = load_layout(layout)._replace(**changes)
        images = []
        for name in encodings:
            encoding = load_encoding(name)
            for scan, data in scans.items():
                file, image = tmp_path / f"{scan}.bin", tmp_path / name / f"{scan}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                image.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data if isinstance(data, bytes) else data.tobytes())
                render(file, image, encoding, layout)
                images.append(ImageFile(str(image), encoding, scan, str(file)))
        return find_doubts(images, layout)

    find.planes = lambda scan: read_image(tmp_path / "mv3d" / f"{scan}.png").planes
    return find


def changed(column, change, points=STREET):
    """Return points with other numbers in a column, or in several."""
    points = points.copy()
    points[:, column] = change(points[:, column])
    return points


def turned(axis, degrees=10):
    """Return the street as a sensor sees it that is tilted along an axis."""
    angle, points = np.radians(degrees), STREET.copy()
    along, up = STREET[:, axis], STREET[:, 2]
    points[:, axis] = along * np.cos(angle) + up * np.sin(angle)
    points[:, 2] = up * np.cos(angle) - along * np.sin(angle)
    return points


def wider(*columns):
    """Return the street with further numbers in each record."""
    more = [np.broadcast_to(column, len(STREET)) for column in columns]
    return np.column_stack([STREET, *more]).astype("<f4")


def polar():
    x, y, z, intensity = STREET.T.astype(float)
    distance = np.hypot(np.hypot(x, y), z)
    angles = np.arctan2(y, x), np.arcsin(z / distance)
    return np.column_stack([distance, *angles, intensity]).astype("<f4")


def without_returns(share):
    points = STREET.copy()
    points[np.random.default_rng(0).random(len(points)) < share] = 0
    return points


def with_outlier():
    points = STREET.copy()
    points[500, :3] = 12, 3, -31
    return points


def blocks(count):
    return STREET.tobytes()[: 4096 * count]


ASK = "is `layout` right? `snakemake inspect` looks for one that is"
CASES = {
    "millimetres": (
        changed(slice(3), lambda metres: 1000 * metres),
        "units: half of the points are farther than 8192 m from the sensor; are they "
        "in millimetres? In the layout, `x: float32/1000, y: float32/1000, z: "
        "float32/1000`",
        {"layout": fields(x="float32/1000", y="float32/1000", z="float32/1000")},
    ),
    "centimetres": (
        changed(slice(3), lambda metres: 100 * metres),
        "units: half of the points are farther than 724.1 m from the sensor; are they "
        "in centimetres? In the layout, `x: float32/100, y: float32/100, z: "
        "float32/100`",
        {"layout": fields(x="float32/100", y="float32/100", z="float32/100")},
    ),
    "kilometres": (
        changed(slice(3), lambda metres: metres / 1000),
        "units: half of the points are nearer than 0.01105 m from the sensor; are "
        "they in kilometres? In the layout, `x: float32*1000, y: float32*1000, z: "
        "float32*1000`",
        {"layout": fields(x="float32*1000", y="float32*1000", z="float32*1000")},
    ),
    "a map": (
        STREET + np.float32([1000, 2000, 100, 0]),
        "units: half of the points are farther than 2048 m from the sensor; all points "
        "are about 2.9e+03 m away: are they those of a map? In the layout, `origin: "
        "[x, y, z]`, the place of the sensor",
        {"origin": (1000.0, 2000.0, 100.0)},
    ),
    "road at 0": (
        changed(2, lambda z: z + np.float32(1.73)),
        "height: the road seems to be at z = 0.05 m, expected -1.73 m; 17031 of 120732 "
        "points are outside, 16867 by height alone; set `frame: {height: -0.05}`, the "
        "height above the road",
        {"frame": make_frame({"height": -0.05}, "")},
    ),
    "pole": (
        changed(2, lambda z: z - 3),
        "height: the road seems to be at z = -4.66 m, expected -1.73 m; 115512 of "
        "120732 points are outside, 115348 by height alone; set `frame: {height: "
        "4.66}`, the height above the road",
        {"frame": make_frame({"height": 4.66}, "")},
    ),
    "nose down": (
        turned(0),
        "tilt: the road is 1.6 m lower ahead than behind; set the mounting's angles, "
        "`frame: {pitch: ..., roll: ...}`: `snakemake inspect` measures them",
        {"frame": make_frame({"pitch": -10}, "")},
    ),
    "left side down": (
        turned(1),
        "tilt: the road is 1.6 m lower on the left than on the right; set the "
        "mounting's angles, `frame: {pitch: ..., roll: ...}`: `snakemake inspect` "
        "measures them",
        {"frame": make_frame({"roll": 10}, "")},
    ),
    "z down": (
        changed(2, lambda z: -z),
        "layout: read as kitti, points are 1.5 m below the road and 0.0 m above it: is "
        f"z down?; {ASK}",
        {"layout": [{"x": "float32"}, {"y": "float32"}, {"-z": "float32"},
                    {"reflectance": "float32"}]},
    ),
    "0 to 255": (
        changed(3, lambda intensity: 255 * intensity),
        "intensity: 100 % of the intensities are above 1, up to 252.4; in the layout, "
        "`reflectance: float32/255`; or `clip: true`, if few are above 1",
        {"layout": fields(reflectance="float32/255")},
    ),
    "decibels": (
        changed(3, lambda intensity: -0.9 * intensity),
        "intensity: 100 % of the intensities are below 0, down to -0.891; give it "
        "a factor and an offset in the layout, such as `reflectance: "
        "float32*0.025+1.75` for -70 to -30 dB",
        {"layout": fields(reflectance="float32/-0.9")},
    ),
    "dark": (
        changed(3, lambda intensity: intensity / 100),
        "dark: 100 % of the intensities are below 4/255, which is all but black, and "
        "the greatest is 0.0099; in the layout, `reflectance: float32/0.0099` and "
        "`clip: true`",
        {"layout": fields(reflectance="float32/0.0099"), "clip": True},
    ),
    "constant": (
        changed(3, lambda intensity: 0 * intensity + np.float32(0.5)),
        "constant: all intensities are 0.5; if there is none in the files, use an "
        "encoding without, or call the field `unused_intensity` in the layout",
        {"layout": [{"x": "float32"}, {"y": "float32"}, {"z": "float32"},
                    {"unused_intensity": "float32"}]},
    ),
    "without a return": (
        without_returns(0.41),
        "no_return: 49443 of 120732 points (41 %) are at (0, 0, 0); they are beams "
        "without a return, and not drawn; if that is right, say so by `min_range: 0.1` "
        "in the layout",
        {"choice": load_layout("kitti").choice._replace(min_range=0.1)},
    ),
    "each point twice": (
        np.repeat(STREET, 2, axis=0),
        "duplicates: about 50 % of the points repeat another one exactly; set "
        "`duplicates: drop` in the layout",
        {"choice": load_layout("kitti").choice._replace(drops_duplicates=True)},
    ),
    "header": (
        bytes([228, 13, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]) + STREET.tobytes(),
        "header: 1 of 2024 points looked at have a coordinate below 1e-30 m, which is "
        "none; is it a header? In the layout, `skip: 16`, if it has 16 bytes",
        {"skip": 16},
    ),
    "filled with zeros": (
        blocks(300) + bytes(STREET.nbytes - 300 * 4096),
        "zeros: the last 702912 of 1931712 bytes are zeros, from the start of a block "
        "on; a full disk or a broken copy leaves such files: copy them again",
        None,
    ),
    "empty": (
        b"",
        "empty: the file is empty; copy the files again, or remove them if there is "
        "nothing in them",
        None,
    ),
    "nothing but beams without a return": (
        bytes(160),
        "empty: none of 10 points could be drawn: 0 not finite, 10 without a return; "
        "copy the files again, or remove them if there is nothing in them",
        None,
    ),
    "integers": (
        np.arange(40_000, dtype="<i8"),
        "layout: read as kitti, 100% of the points have a coordinate below 1e-06 m; "
        f"{ASK}",
        None,
    ),
    "a third of the numbers from elsewhere": (
        np.where(NUMBERS[:, None] % 3, STREET, STREET[:, [0, 1, 1, 3]]),
        f"record: two coordinates of 33 % of the points are the same number; {ASK}",
        None,
    ),
    "PCL's 32 bytes": (
        np.column_stack(
            [STREET[:, :3], 0 * NUMBERS + 1, STREET[:, 3], *np.zeros((3, len(STREET)))]
        ).astype("<f4"),
        "layout: read as kitti, every second record is no point: are there "
        f"more bytes in it?; {ASK}",
        {"layout": [{"x": "float32"}, {"y": "float32"}, {"z": "float32"},
                    {"_": "float32"}, {"reflectance": "float32"}, {"_": "float32"},
                    {"_": "float32"}, {"_": "float32"}]},
    ),
    "polar coordinates": (
        polar(),
        "layout: read as kitti, x, y and z look like range, azimuth and elevation; "
        f"{ASK}",
        None,
    ),
    "six numbers": (
        wider(STREET[::-1, 3], NUMBERS % 7)[: len(STREET) // 2 * 2],
        "layout: read as kitti, z holds the same numbers as x or y; the bytes fit "
        "waymo6 better: if it is one of these, set `layout: waymo6`",
        None,
    ),
}  # fmt: skip
"""A scan, its only warning, and what its advice leads to, if to anything."""
SAME_PIXELS = {
    *("millimetres", "centimetres", "nose down", "left side down", "z down"),
    *("each point twice", "header", "PCL's 32 bytes"),
}


@pytest.mark.parametrize("name", CASES)
def test_warning_goes_if_its_advice_is_followed(warn, name):
    """It is the only one, and then the image is right."""
    scan, message, change = CASES[name]
    kind, told = message.split(": ", 1)
    found = warn({"a": scan})
    if kind != "layout":  # which may be told in addition
        found = [one for one in found if one.kind != "layout"]
    assert [(one.kind, one.scan, f"{one.found}; {one.advice}") for one in found] == [
        (kind, "a", told)
    ]
    if change is None:
        return
    assert warn({"a": scan}, **({"layout": "kitti"} | change)) == []
    if name in SAME_PIXELS:
        found = warn.planes("a").astype(int)
        assert warn({"a": STREET}) == []
        # Sines and divisors round: hardly a point is in another pixel.
        assert (found != warn.planes("a")).mean() < 1e-3


def test_range_that_an_outlier_sets(warn):
    """The notebook's plane is stretched to it; that of others is not."""
    (found,) = warn({"a": with_outlier()}, encodings=("notebook", "mv3d"))
    assert found == (
        "range",
        "notebook",
        "a",
        "a few pixels set the range of a plane: others use 6 % of its shades",
        "use an encoding with fixed ranges, such as mv3d; or leave outliers out by "
        "`keep: {z: {min: -10, max: 30}}` in the layout",
    )


def test_range_is_right_without_the_outlier(warn, tmp_path):
    """Which the layout leaves out, as the advice says."""
    path = write_layout(tmp_path / "keep.yaml", keep={"z": {"min": -10, "max": 30}})
    assert warn({"a": with_outlier()}, path, ["notebook"]) == []


def test_nothing_inside_the_region(warn):
    """Of a sensor that looks back, nothing is in the half plane ahead."""
    behind = STREET[STREET[:, 0] < 0]
    found = warn({"a": behind}, encodings=("complex_yolo", "mv3d"))
    assert [(one.kind, one.encoding) for one in found] == [("outside", "complex_yolo")]
    assert found[0].found.startswith(
        f"{len(behind)} of {len(behind)} points are outside"
    )
    assert found[0].advice == ASK


def test_all_outside_by_height(warn):
    """Too few points to know the road; the advice is about heights."""
    few = changed(2, lambda z: z + 20)[::200]
    (found,) = warn({"a": few})
    assert found.kind == "outside"
    assert found.advice == (
        "set the `frame`'s height, or use an encoding that shows these heights"
    )


@pytest.mark.parametrize("name", ["signal_strength", "REMISSION_2", "echo"])
def test_intensity_under_another_name(warn, tmp_path, name):
    """A layout reads none, although it has a field that sounds like one."""
    path = write_layout(
        tmp_path / "own.yaml", *map("{} float32".format, ("x", "y", "z", name))
    )
    (found,) = warn({"a": STREET}, path)
    assert found[0] == "no_intensity"
    assert found[3:] == (
        f"no intensity is read, although the layout has a field {name}",
        f"in the layout, call the field {name} `intensity`; or `unused_{name}`, if it "
        f"is none",
    )
    fixed = (*("x float32", "y float32", "z float32"), f"unused_{name} float32")
    assert warn({"a": STREET}, write_layout(tmp_path / "b.yaml", *fixed)) == []
    other = write_layout(tmp_path / "c.yaml", *fixed[:3], "ring float32")
    assert warn({"a": STREET}, other) == []
    assert warn({"a": STREET}, path, ["avod_like"]) == []  # shows no intensity


@pytest.mark.parametrize("name", ["0 to 255", "dark", "constant"])
def test_intensity_is_judged_whichever_encoding_comes_first(warn, name):
    """Some show none, and the first of the settings may be one of these."""
    scans = {"a": CASES[name][0]}
    assert not {"intensity", "dark", "constant"} & {
        one.kind for one in warn(scans, encodings=["avod_like"])
    }
    alone = warn(scans)
    assert alone[-1].kind in {"intensity", "dark", "constant"}
    assert warn(scans, encodings=["avod_like", "mv3d"]) == alone
    assert warn(scans, encodings=["mv3d", "avod_like"]) == alone


def test_unnamed_intensity_is_told_whichever_encoding_comes_first(warn, tmp_path):
    """As the others."""
    names = map("{} float32".format, ("x", "y", "z", "echo"))
    path = write_layout(tmp_path / "own.yaml", *names)
    (found,) = warn({"a": STREET}, path, ["avod_like", "mv3d"])
    assert found.kind == "no_intensity"


@pytest.mark.parametrize(
    ("folder", "what", "advice"),
    [
        ("sequences/00/voxels", "voxels of SemanticKITTI, one bit each", "velodyne/*"),
        ("semantic_mask", "masks of ScanNet or S3DIS, one int64 a point", "points/*"),
        ("gt_database", "a database of objects, one in each file", "velodyne/*"),
        ("training/velodyne_reduced", "reduced scans, with only the", "velodyne/*"),
        ("a/sick_points", "scans of KITTI-360's SICK sensors, 2 x", "velodyne_points/"),
    ],
)
def test_folder_of_something_else(warn, folder, what, advice):
    """Each kind of folder is told once; what is in it is not judged further."""
    scans = {f"{folder}/{number}": STREET / 1000 for number in range(3)}
    found = warn(scans | {"velodyne/0": STREET})
    assert [(one.kind, one.scan) for one in found] == [
        ("folder", name) for name in scans
    ]
    assert found[0].found.startswith(f"in a folder of {what}")
    assert f'set `match: "**/{advice}' in found[0].advice


def test_file_that_was_cut(warn):
    """At a block's end, beside one other; or anywhere, between several."""
    whole = STREET.tobytes()
    (found,) = warn({"a": whole, "b": whole[: 4096 * 300]})
    assert (found.kind, found.scan) == ("short", "b")
    assert found.found == (
        "76800 points, but scans around it have 120732, and 1228800 bytes, a multiple "
        "of 4096"
    )
    assert found.advice == "compare their sizes with the originals, and copy them again"
    scans = {str(n): whole for n in range(5)} | {"2": whole[: 16 * 50_000]}
    (found,) = warn(scans)
    assert (found.scan, found.found) == (
        "2",
        "50000 points, but scans around it have 120732",
    )
    assert warn(scans | {"2": whole[: 16 * 61_000]}) == []
    other_folder = {f"a/{n}": whole for n in range(3)} | {"b/0": whole[: 16 * 5000]}
    assert warn(other_folder) == []


def test_scans_whose_sizes_differ_anyway_are_not_short(warn):
    """Radar scans, for example."""
    sizes = 100, 7000, 300, 900, 12000, 50, 4000
    scans = {str(n): STREET[:size] for n, size in enumerate(sizes)}
    assert [one for one in warn(scans) if one.kind == "short"] == []


def drawn(scan, read=1000, **joined):
    """Return an image of several files."""
    counts = Counts(read, 0, drawn=read, cells=500)
    return Drawn(load_encoding("mv3d"), scan, counts, Figures(), Joined(**joined))


def test_scans_without_a_partner():
    """With several sensors."""
    images = [drawn(str(n), sensors=(1 + (n > 0), 2)) for n in range(3)]
    (found,) = judge(images, load_layout("kitti"))
    assert (found.kind, found.scan) == ("sensors", "0")
    assert found.found == "1 of 2 scans of the sensors"
    assert found.advice.startswith("copy the scans that are missing")


def test_sweeps_that_no_image_of_a_folder_has():
    """At the beginning of a drive and in a short one, there are always fewer."""
    right = [drawn(f"a/{n}", sweeps=(min(n + 1, 3), 3)) for n in range(4)]
    short = [drawn(f"b/{n}", sweeps=(1, 5)) for n in range(4)]
    wrong = [drawn(f"c/{n}", sweeps=(1, 3)) for n in range(4)]
    found = judge([*right, *short, *wrong], load_layout("kitti"))
    assert {(one.kind, one.scan) for one in found} == {
        ("sweeps", f"c/{n}") for n in range(4)
    }
    assert found[0].found == "1 of 3 scans are drawn"
    assert "have poses: is `step`" in found[0].advice


def test_image_of_fewer_sweeps_is_not_short():
    """It is one of fewer points."""
    images = [drawn(str(n), 900 * min(n + 1, 5), sweeps=(min(n + 1, 5), 5))
              for n in range(8)]  # fmt: skip
    assert judge(images, load_layout("kitti")) == []


def test_one_odd_scan_is_no_wrong_mounting(warn):
    """A ramp, or a bump: a frame would be wrong for all others."""
    odd = {"3": turned(0), "4": changed(2, lambda z: z + 1)}
    assert warn({str(n): STREET for n in range(6)} | odd) == []
    most = {str(n): changed(2, lambda z: z + 1) for n in range(6)}
    found = warn(most | {"9": STREET})
    assert [(one.kind, one.scan) for one in found] == [("height", n) for n in most]


def garage():
    """Return a scan between walls, pillars, a floor and a low ceiling."""
    rng = np.random.default_rng(5)
    x, y = rng.uniform(-30, 30, 9000), rng.uniform(-6, 6, 9000)
    floor = np.column_stack([x, y, np.full(9000, -1.73)])
    ceiling = np.column_stack([x[::2], y[::2], np.full(4500, 0.6)])
    wall = np.column_stack(
        [x[:3000], np.full(3000, 6.0), rng.uniform(-1.73, 0.6, 3000)]
    )
    points = np.vstack([floor, ceiling, wall, wall * [1, -1, 1]])
    return np.column_stack([points, rng.uniform(0, 0.9, len(points))]).astype("<f4")


def highway():
    """Return a scan of a flat road with hardly anything on it."""
    rng = np.random.default_rng(6)
    angle = rng.uniform(-np.pi, np.pi, 20_000)
    distance = rng.choice([4.5, 5.5, 7, 9, 13, 20, 40], 20_000) + rng.normal(
        0, 0.02, 20_000
    )
    road = [
        distance * np.cos(angle),
        distance * np.sin(angle),
        rng.normal(-1.73, 0.02, 20_000),
    ]
    points = np.column_stack([*road, rng.uniform(0.05, 0.4, 20_000)])
    points[:40, :3] = rng.normal([30, 4, -0.8], [1, 0.5, 0.4], (40, 3))
    return points.astype("<f4")


RIGHT = {
    "demo": STREET,
    "thin": STREET[::20],
    "few": STREET[::2000],
    "sector": STREET[np.abs(STREET[:, 1]) < 0.6 * STREET[:, 0]],
    "garage": garage(),
    "highway": highway(),
}


@pytest.mark.parametrize("name", RIGHT)
def test_no_warning_about_what_is_right(warn, name):
    """In any encoding, also with few points."""
    assert warn({"a": RIGHT[name]}, encodings=ENCODINGS) == []


def test_no_warning_about_the_demo(warn):
    """As one run."""
    scans = {f"demo/{number:06}": simulate_scan(number, 0) for number in range(8)}
    assert warn(scans, encodings=ENCODINGS) == []


REAL = {name: layout for name, layout in SENSORS.items() if layout != "waymo6"}


NAMED = "x x", "y -Y", "z Z (m)", "intensity reflectance"
NUMBERED = "x 0", "y -0", "z 2/1000", "intensity 3*2"


@pytest.mark.parametrize(
    ("kind", "figures", "named", "numbered"),
    [
        (
            "units",
            {"reach": 16_000, "far": 30_000},
            "are they in millimetres? In the layout, `x: x/1000, y: -Y/1000, z: Z "
            "(m)/1000`",
            "are they in millimetres? In the layout, `x: 0/1000, y: -0/1000, z: "
            "2/1000000`",
        ),
        (
            "units",
            {"reach": 0.02, "far": 0.05},
            "are they in kilometres? In the layout, `x: x*1000, y: -Y*1000, z: Z "
            "(m)*1000`",
            "are they in kilometres? In the layout, `x: 0*1000, y: -0*1000, z: 2`",
        ),
        (
            "units",
            {"reach": 2048, "far": 2048},
            *["all points are about 2e+03 m away: are they those of a map? In the "
              "layout, `origin: [x, y, z]`, the place of the sensor"] * 2,
        ),
        (
            "height",
            {"road": 1.8, "near": 1000, "on_road": 500, "below": 400},
            "most points are below it: is z down? In the layout, `z: -Z (m)`",
            "most points are below it: is z down? In the layout, `z: -2/1000`",
        ),
        (
            "intensity",
            {"bright": 2000, "greatest": 250.0},
            "in the layout, `intensity: reflectance/255`; or `clip: true`, if few are "
            "above 1",
            "in the layout, `intensity: 3/255`; or `clip: true`, if few are above 1",
        ),
        (
            "intensity",
            {"bright": 2000, "greatest": 1.5},
            "in the layout, `intensity: reflectance/255`; or `clip: true`, if few are "
            "above 1",
            "in the layout, `intensity: 3`",
        ),
        (
            "intensity",
            {"negative": 2000, "greatest": -20.0, "least": -70.0},
            "give it a factor and an offset in the layout, such as `intensity: "
            "reflectance*0.025+1.75` for -70 to -30 dB",
            "give it a factor and an offset in the layout, such as `intensity: "
            "3*0.025+1.75` for -70 to -30 dB",
        ),
        (
            "dark",
            {"dim": 2000, "greatest": 0.00832},
            "in the layout, `intensity: reflectance/0.0083` and `clip: true`",
            "in the layout, `intensity: 3/0.0042` and `clip: true`",
        ),
        ("header", {"tiny": 3}, ASK, ASK),
    ],
)  # fmt: skip
def test_advice_names_the_columns_of_other_formats(
    tmp_path, kind, figures, named, numbered
):
    """As their layouts do, where records have types; each line is one of yaml."""
    usual = {"sampled": 2000, "reach": 20, "far": 40, "greatest": 0.9}
    for form, fields, advice in (("ply", NAMED, named), ("npy", NUMBERED, numbered)):
        path = write_layout(tmp_path / f"{form}.yaml", *fields, format=form)
        image = Drawn(
            load_encoding("mv3d"),
            "a",
            Counts(**dict.fromkeys(Counts._fields, 0) | {"read": 2000, "drawn": 2000}),
            Figures(**usual | figures),
        )
        (found,) = judge([image], load_layout(path))
        assert (found.kind, found.advice) == (kind, advice)


def test_column_with_any_name_is_quoted():
    """So that it is still one after yaml has read it."""
    for column in ("-0", "null", "no", "1.50", "a: b", "#", "x", "12"):
        field = parse_column("x", column)
        ((name, kind),) = yaml.safe_load(f"- {say_field(field)}")[0].items()
        assert parse_column(name, kind) == field


@pytest.mark.parametrize("name", REAL)
def test_no_warning_about_real_scans(warn, sensor_scans, name):
    """Read by their layouts, in any encoding."""
    data = (sensor_scans / name).read_bytes()
    assert warn({"a": data}, REAL[name], ENCODINGS) == []


def test_piece_of_a_scan_is_told_only_where_the_image_is_black(warn, sensor_scans):
    """Two encodings draw nothing of these 800 points, all beside and above a car."""
    data = (sensor_scans / "waymo_mmdet3d_0000000.bin").read_bytes()
    found = warn({"a": data}, "waymo6", ENCODINGS)
    assert [(one.kind, one.encoding) for one in found] == [
        ("outside", "notebook"),
        ("outside", "avod_like"),
    ]
    assert all(one.found.startswith("800 of 800 points are outside") for one in found)


def test_no_warning_about_real_scans_of_kitti(warn, kitti_scans):
    """Each alone and all as one run; also those of odometry and a cropped one."""
    drive = kitti_scans[0].parents[1]
    paths = [*kitti_scans, *drive.glob("drive/*.bin"), *drive.glob("crop/000008.bin")]
    scans = {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in paths}
    assert warn(scans, encodings=ENCODINGS) == []
    for scan, data in scans.items():
        assert warn({scan: data}) == []
        assert warn({scan: np.frombuffer(data, "<f4").reshape(-1, 4)[::20]}) == []


@pytest.mark.parametrize(
    ("name", "kinds", "layout"),
    [
        ("once_1616343527200.bin", ["layout", "intensity"], "once"),
        ("vod_lidar_00549.bin", ["layout", "intensity", "duplicates"], "view_of_delft"),
        ("rellis_os1_000104.bin", ["layout", "dark", "no_return"], "rellis_ouster"),
        ("sunrgbd_xyzrgb_000017.bin", ["layout"], None),
    ],
)
def test_real_scans_read_as_those_of_kitti(warn, sensor_scans, name, kinds, layout):
    """Each kind is told once; the right layout, if it is built in, is the first."""
    found = warn({"a": (sensor_scans / name).read_bytes()})
    assert [one.kind for one in found] == kinds
    if layout:
        assert f"set `layout: {layout}`" in found[0].advice
    else:
        assert found[0].advice == ASK


def test_refused_scan_names_layouts_that_fit(sensor_scans, tmp_path):
    """But not if it is another kind of file, or fits none."""
    nuscenes = sensor_scans / "nuscenes_n015.pcd.bin"
    assert name_fitting_layouts(nuscenes).startswith(
        "; it fits the layout nuscenes or "
    )
    waymo = sensor_scans / "waymo_mmdet3d_0000000.bin"
    assert name_fitting_layouts(waymo) == "; it fits the layout waymo6"
    npy = tmp_path / "a.bin"
    np.save(npy.with_suffix(".npy"), STREET)
    shutil.move(npy.with_suffix(".npy"), npy)
    assert name_fitting_layouts(npy) == ""
    npy.write_bytes(np.random.default_rng(0).bytes(999))
    assert name_fitting_layouts(npy) == ""
    assert name_fitting_layouts(tmp_path / "missing") == ""


def test_images_of_another_recipe_are_not_judged(warn, tmp_path):
    """Such as those of a layout that was replaced, until they are rendered again."""
    assert warn({"a": changed(3, lambda i: 255 * i)}) != []
    image = ImageFile(
        str(tmp_path / "mv3d" / "a.png"),
        load_encoding("mv3d"),
        "a",
        str(tmp_path / "a.bin"),
    )
    assert find_doubts([image], load_layout("kitti")) != []
    assert find_doubts([image], load_layout(fields(x="float32/2"))) == []
    (tmp_path / "mv3d" / "a.png").write_bytes(b"no image")
    assert find_doubts([image], load_layout("kitti")) == []


def test_every_kind_is_tested():
    """In a table above, or by a test of its own."""
    tested = {message.split(":")[0] for _, message, _ in CASES.values()}
    tested |= {"range", "outside", "no_intensity", "folder", "short"}
    tested |= {"sensors", "sweeps"}
    assert {check.kind for check in CHECKS} <= tested
