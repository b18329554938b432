"""Check what an inspection suggests, on scans that are turned, lifted or scaled."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import SENSORS

from birdview.demo import simulate_scan
from birdview.inspect import findings, suggest
from birdview.inspect.cloud import find_vehicle, read_cloud
from birdview.inspect.findings import inspect_folder
from birdview.inspect.ground import find_ground, measure_mounting
from birdview.inspect.intensity import Scale, find_intensity, suggest_scale
from birdview.inspect.outputs import write_settings
from birdview.inspect.page import write_page
from birdview.inspect.records import find_record
from birdview.inspect.report import format_report
from birdview.inspect.sample import choose_files, list_groups, spread, suffix_of
from birdview.inspect.scans import describe_types, find_families
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.scan import decode_scan, read_bytes
from birdview.run import resolve


def pack(*columns):
    """Return columns as the bytes of records, each of its own type."""
    record = np.dtype([(f"f{n}", column.dtype) for n, column in enumerate(columns)])
    records = np.empty(len(columns[0]), record)
    for name, column in zip(record.names, columns, strict=True):
        records[name] = column
    return records.view(np.uint8)


def tilt(x, y, z, degrees):
    """Return coordinates of a sensor whose nose is down."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    turned = x * cosine - z * sine, y, x * sine + z * cosine
    return [column.astype(np.float32) for column in turned]


# How scans are changed, and what of their points must be the same afterwards: all bits,
# or all but those that rounding takes.
CHANGES = {
    "turned left": (lambda x, y, z, i: pack(-y, x, z, i), 0),
    "turned right": (lambda x, y, z, i: pack(y, -x, z, i), 0),
    "upside down": (lambda x, y, z, i: pack(x, -y, -z, i), 0),
    "axes of a camera": (lambda x, y, z, i: pack(-y, -z, x, i), 0),
    "millimetres": (lambda x, y, z, i: pack(x * 1000, y * 1000, z * 1000, i), 1e-5),
    "whole millimetres": (
        lambda x, y, z, i: pack(
            *((values * 1000).round().astype("<i4") for values in (x, y, z)), i
        ),
        0,
    ),
    "kilometres": (lambda x, y, z, i: pack(x / 1000, y / 1000, z / 1000, i), 1e-5),
    "intensity to 255": (lambda x, y, z, i: pack(x, y, z, i * 255), 1e-6),
    "intensity to 65535": (lambda x, y, z, i: pack(x, y, z, i * 65535), 1e-6),
    "float64": (lambda *columns: pack(*(c.astype("<f8") for c in columns)), 0),
    "big endian": (lambda *columns: pack(*(c.astype(">f4") for c in columns)), 0),
    "a count in front": (
        lambda *columns: np.append(np.uint8([9, 0, 0, 0]), pack(*columns)),
        0,
    ),
    "a header": (
        lambda *columns: np.append(np.arange(16, dtype=np.uint8), pack(*columns)),
        0,
    ),
    "with a ring": (
        lambda *columns: pack(*columns, (np.arange(len(columns[0])) % 64).astype("u1")),
        0,
    ),
    "PointXYZI of PCL": (
        lambda x, y, z, i: pack(x, y, z, x * 0 + 1, i, x * 0, x * 0, x * 0),
        0,
    ),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Write three scans of the demo, in a folder."""
    folder = tmp_path_factory.mktemp("demo")
    for number in range(3):
        simulate_scan(10 * number, 0).tofile(folder / f"{number}.bin")
    return folder


@pytest.fixture(params=["demo", "kitti_scans"])
def originals(request):
    """Return scans as KITTI's: those of the demo, and real ones."""
    if request.param == "demo":
        folder = request.getfixturevalue("demo")
        return [read_bytes(path) for path in sorted(folder.iterdir())]
    return [read_bytes(path) for path in request.getfixturevalue("kitti_scans")[:3]]


def change(data, how):
    return how(*np.ascontiguousarray(data.view("<f4").reshape(-1, 4).T))


def advise(files):
    """Return the advice for some files."""
    first = find_families({str(n): data for n, data in enumerate(files)})[0]
    assert len(first.files) == len(files)
    _, _, advice = findings.advise(first, files)
    return advice


def error_of(layout, data, original):
    """Return by how much points are off at most."""
    points, _ = decode_scan(data, layout, "changed")
    expected, _ = decode_scan(original, load_layout("kitti"), "original")
    return np.abs(points - expected).max()


@pytest.mark.parametrize("name", CHANGES)
def test_one_piece_of_advice_is_exact(name, originals):
    """The points are those of the original, bit by bit where nothing was rounded."""
    how, error = CHANGES[name]
    files = [change(data, how) for data in originals]
    advice = advise(files)
    assert len(advice) <= 2
    assert any(
        max(map(error_of, [one.complete] * len(files), files, originals)) <= error * 100
        for one in advice
    )


def test_kitti_needs_nothing(originals):
    """A frame or a turn that is not needed would make images worse."""
    (advice,) = advise(originals)
    assert advice.layout == load_layout("kitti")
    assert advice.frame == {}


def test_one_scan_is_enough(originals):
    """Also if it is upside down, and KITTI's layout seems to fit."""
    for data in originals:
        file = change(data, CHANGES["upside down"][0])
        advice = advise([file])
        assert 0 in [error_of(one.complete, file, data) for one in advice]


@pytest.mark.parametrize("rise", [2.6, -0.9])
def test_height_is_known_to_a_decimetre(rise, originals):
    """The road of the originals is not exactly at -1.73 either."""
    (advice,) = advise(
        [
            change(data, lambda x, y, z, i: pack(x, y, z + np.float32(rise), i))
            for data in originals
        ]
    )
    assert advice.frame.keys() == {"height"}
    assert advice.frame["height"] == pytest.approx(1.73 - rise, abs=0.1)


@pytest.mark.parametrize("angle", [10, -25])
def test_tilt_is_known_to_half_a_degree(angle, originals):
    """Compared with the road of the originals, which is not level either."""
    before = measure(originals)
    files = [
        change(data, lambda x, y, z, i: pack(*tilt(x, y, z, angle), i))
        for data in originals
    ]
    (advice,) = advise(files)
    assert advice.layout.name == "kitti"
    assert advice.frame["pitch"] == pytest.approx(before.pitch + angle, abs=0.5)
    roll = advice.frame.get("roll", 0.0)
    assert roll == pytest.approx(before.roll, abs=0.5)


def measure(files):
    clouds = [read_cloud(data, load_layout("kitti")) for data in files]
    return measure_mounting([find_ground(cloud.position) for cloud in clouds])


def test_road_of_real_kitti_is_where_it_is(kitti_scans):
    """From -1.65 to -1.77."""
    for scan in kitti_scans:
        assert 1.65 <= measure([read_bytes(scan)]).height <= 1.77


@pytest.mark.parametrize("name", SENSORS)
def test_known_sensors_need_nothing(name, sensor_scans):
    """Their layouts have their heights."""
    advice = advise([read_bytes(sensor_scans / name)])
    assert [(one.layout.name, one.frame) for one in advice] == [(SENSORS[name], {})]


def test_room_in_colour(sensor_scans):
    """The floor is found, and no intensity."""
    data = read_bytes(sensor_scans / "sunrgbd_xyzrgb_000017.bin")
    for advice in advise([data]):
        names = [field.name for field in advice.layout.fields]
        assert sorted(names[:3]) == ["x", "y", "z"]
        assert names[2:] == ["z", "red", "green", "blue"]
        assert advice.frame == {"height": pytest.approx(1.22, abs=0.05)}


def test_a_few_points_say_nothing():
    """No road, no record: nothing is made up."""
    data = pack(*np.random.default_rng(0).normal(0, 9, (4, 12)).astype(np.float32))
    assert find_ground(data.view("<f4").reshape(-1, 4)[:, :3].astype(float)) is None
    assert find_record([data]) is None


@pytest.mark.parametrize("seed", range(2))
def test_noise_is_no_record(seed):
    """Any bytes are numbers."""
    noise = np.random.default_rng(seed).integers(0, 256, 16 * 3 * 5 * 7 * 99, np.uint8)
    assert find_record([noise]) is None


def test_types_are_told_apart(demo):
    """A record's bytes are the same, whatever they are taken for."""
    x, y, z, i = read_bytes(demo / "0.bin").view("<f4").reshape(-1, 4).T
    for kinds in (["<f4"], ["<u2"], ["u1"], ["u1", "u1"], ["<f4", "<u2"], ["<f4"] * 3):
        scales = {"<f4": 1, "<u2": 65535, "u1": 255}
        rest = [(i * scales[kind]).round(2).astype(kind) for kind in kinds]
        record = find_record([pack(x, y, z, *rest)])
        types = [field.type for field in record.layout.fields[3:]]
        assert types == [np.dtype(kind).name for kind in kinds]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.linspace(0, 1, 99), Scale()),
        (np.linspace(0, 0.3, 99), Scale()),
        (np.linspace(0, 99, 99), Scale(100)),
        (np.linspace(0, 255, 99), Scale(255)),
        (np.linspace(0, 60, 99), Scale(255)),
        (np.linspace(0, 4000, 99), Scale(4095)),
        (np.linspace(0, 65000, 99), Scale(65535)),
        (np.linspace(0, 0.012, 99), Scale(0.02, clip=True)),
        (np.append(np.linspace(0, 4, 999), 242), Scale(4, clip=True)),
        (np.linspace(-68, -31, 99), Scale(40, 1.75, clip=True)),
        (np.zeros(9), None),
        (np.linspace(-3000, 0, 99), None),
    ],
)
def test_scale_of_intensities(values, scale):
    """Full scales, decibels, and no scale at all."""
    assert suggest_scale(values) == scale


def test_text_of_scales():
    """As behind the type of a field."""
    assert [str(Scale()), str(Scale(255)), str(Scale(40, 1.75))] == [
        "",
        "/255",
        "/40+1.75",
    ]


def test_intensity_is_found_among_numbers():
    """Not the ring, nor the time, nor padding."""
    rng = np.random.default_rng(0)
    ring, time = np.arange(6400.0) % 64, np.arange(6400.0)
    padding, bright = np.ones(6400), rng.exponential(20, 6400).clip(0, 255).round()
    assert find_intensity([bright, ring]) == 0
    assert find_intensity([ring, time, padding, bright]) == 3
    assert find_intensity([ring, time, padding]) is None


def test_vehicle_is_what_never_changes(demo):
    """Points on a roof; the road and parked cars are not."""
    clouds = []
    for number in range(3):
        points = simulate_scan(20 * number, 0)
        roof = np.random.default_rng(number).uniform(
            [-1, -0.8, -0.9, 0], [1.4, 0.8, -0.5, 1], (6000, 4)
        )
        data = np.vstack([points, roof]).astype(np.float32)
        clouds.append(read_cloud(data.view(np.uint8).ravel(), load_layout("kitti")))
    up = np.array([0.0, 0, 1])
    vehicle = find_vehicle(clouds, up, 1.73)
    assert vehicle.low == pytest.approx((-1, -0.8, -0.9), abs=0.25)
    assert vehicle.high == pytest.approx((1.4, 0.8, -0.5), abs=0.25)
    assert vehicle.is_sure
    guess = find_vehicle(clouds[:1], up, 1.73)
    assert not guess.is_sure
    assert guess.low == pytest.approx((-1, -0.8, -0.9), abs=0.25)
    assert guess.high == pytest.approx((1.4, 0.8, -0.5), abs=0.25)
    without = [
        cloud._replace(position=cloud.position[np.abs(cloud.position[:, 1]) > 1.5])
        for cloud in clouds
    ]
    assert find_vehicle(without, up, 1.73) is None
    assert find_vehicle(without[:1], up, 1.73) is None


def test_files_are_listed_by_suffix_and_kind(tmp_path):
    """Each file is in one group."""
    for path, content in {
        "a/velodyne/0.bin": b"\1" * 64,
        "b/velodyne/1.bin": b"\1" * 64,
        "b/velodyne/2.pcd.bin": b"\1" * 64,
        "b/velodyne/3.bin": b"version https://git-lfs.github.com/spec/v1\n",
        "b/label_2/0.txt": b"Car 0 0 0 1 2 3 4 5 6 7 8 9 10 11 12\n" * 9,
        "gt_database/0.bin": b"\1" * 64,
        ".hidden/0.bin": b"",
        "results/0.bin": b"",
        "no_suffix": b"",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    groups = {
        (group.name, group.kind and group.kind.name, bool(group.place)): group.paths
        for group in list_groups(tmp_path, tmp_path / "results")
    }
    assert groups == {
        ("velodyne/*.bin", None, False): ["a/velodyne/0.bin", "b/velodyne/1.bin"],
        ("velodyne/*.pcd.bin", None, False): ["b/velodyne/2.pcd.bin"],
        ("velodyne/*.bin", "a Git LFS pointer", False): ["b/velodyne/3.bin"],
        ("label_2/*.txt", "text", False): ["b/label_2/0.txt"],
        ("gt_database/*.bin", None, True): ["gt_database/0.bin"],
        ("*", None, False): ["no_suffix"],
    }


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("0.bin", ".bin"),
        ("n015-2018__LIDAR_TOP__15.pcd.bin", ".pcd.bin"),
        ("a.b.bin", ".bin"),
        ("0.bin.gz", ".bin.gz"),
        ("0", ""),
        ("1616343527.200.BIN", ".BIN"),
    ],
)
def test_suffix(name, suffix):
    """The last part, and what belongs to it."""
    assert suffix_of(name) == suffix


def test_files_are_chosen_evenly(tmp_path):
    """From each folder as many, and all over it."""
    for folder, count in (("a", 100), ("b", 3), ("c", 50)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number:02}.bin").write_bytes(b"\1" * 16)
    chosen = choose_files(list_groups(tmp_path), 15)
    assert [len(paths) for paths in chosen] == [6, 6, 3]
    assert chosen[0] == [f"a/{n:02}.bin" for n in (0, 20, 40, 59, 79, 99)]
    assert spread("abc", 1) == ["a"]


def inspect(folder, **settings):
    """Inspect a folder; return what was found, the run, and the report."""
    run = resolve({"scans": str(folder)} | settings)
    found = inspect_folder(
        folder, run.layout, list(run.encodings.values()), run.chosen_files
    )
    return found, run


def write_all(found, run, folder):
    paths = write_settings(found, run.settings, str(folder))
    write_page(f"{folder}/index.html", found, paths)
    settings = [yaml.safe_load(Path(path).read_text()) for path in paths]
    return settings, format_report(found, paths, f"{folder}/index.html")


@pytest.mark.usefixtures("compiled")
def test_report_of_kitti(demo, tmp_path):
    """Its settings fit, and are written."""
    found, run = inspect(demo)
    settings, report = write_all(found, run, tmp_path)
    assert settings == [{"scans": str(demo), "layout": "kitti"}]
    assert "Your settings fit." in report
    assert "snakemake --cores 8 --configfile" in report
    assert len(report.splitlines()) < 60
    assert found.views[0].shares["notebook"].inside > 0.8
    page = (tmp_path / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 6
    assert "http" not in page


@pytest.mark.usefixtures("compiled")
def test_your_settings_are_judged(demo, tmp_path):
    """Each that does not fit, with figures."""
    cases = {
        "99% of intensities are below": {"layout": "view_of_delft"},
        "the road is at z = -3.21, expected -1.73: 1.48 m too low": {
            "frame": {"height": 0.25}
        },
        "the road is tilted by 20": {"frame": {"pitch": 20}},
        "is z down?": {"frame": {"roll": 180}},
        "the street runs across": {"frame": {"yaw": 90}},
    }
    for problem, settings in cases.items():
        found, run = inspect(demo, **settings)
        _, report = write_all(found, run, tmp_path)
        text = report.partition("Your settings do not fit:")[2]
        if "frame" in settings and "height" in settings["frame"]:
            assert "m too low" in text
        else:
            assert problem in text


@pytest.mark.usefixtures("compiled")
def test_settings_say_which_files_are_scans(demo, tmp_path):
    """If there are others with the same suffix."""
    scans = tmp_path / "data"
    for folder in ("one/velodyne", "two/velodyne"):
        (scans / folder).mkdir(parents=True)
        for path in demo.iterdir():
            (scans / folder / path.name).symlink_to(path)
    (scans / "voxels").mkdir()
    (scans / "voxels" / "0.bin").write_bytes(bytes(4096))
    found, run = inspect(scans)
    (settings,), report = write_all(found, run, tmp_path / "out")
    assert settings["match"] == "**/velodyne/*.bin"
    assert "voxels of SemanticKITTI" in report
    assert resolve(settings).scans == [
        f"{folder}/velodyne/{number}"
        for folder in ("one", "two")
        for number in range(3)
    ]
    found, run = inspect(scans, match="one/velodyne/*.bin")
    (settings,), report = write_all(found, run, tmp_path / "out")
    assert "Your settings fit." in report
    assert settings["match"] == "one/velodyne/*.bin"


@pytest.mark.usefixtures("compiled")
def test_suffix_is_that_of_the_files(demo, tmp_path):
    """Whatever it is."""
    (tmp_path / "data").mkdir()
    for path in demo.iterdir():
        (tmp_path / "data" / f"{path.stem}.points").symlink_to(path)
    found, run = inspect(tmp_path / "data")
    (settings,), report = write_all(found, run, tmp_path / "out")
    assert settings["suffix"] == ".points"
    assert "no file ends with .bin" in report
    assert resolve(settings).scans == ["0", "1", "2"]


def test_no_scans_at_all(tmp_path):
    """What there is, and what to do with it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "0.pcd").write_text("VERSION 0.7\nFIELDS x y z\n" * 9)
    found, run = inspect(tmp_path / "data")
    settings, report = write_all(found, run, tmp_path)
    assert settings == []
    assert "No scan was found that birdview can read." in report
    assert "*.pcd is a PCD file: " in report
    assert "snakemake" not in report
    (tmp_path / "empty").mkdir()
    found, run = inspect(tmp_path / "empty")
    assert "Files: 0" in write_all(found, run, tmp_path)[1]


def test_layout_of_ones_own_is_valid(demo, tmp_path):
    """With everything that a record of one's own may need."""
    x, y, z, i = read_bytes(demo / "0.bin").view("<f4").reshape(-1, 4).T
    data = pack(*(np.repeat(c.astype(">f8"), 2) for c in (y, -x, z + 1, i * 255)))
    files = [np.append(np.zeros(8, np.uint8), data)]
    first, second = advise(files)
    text = suggest.write_layout(
        first.layout._replace(suffix=".dat"), first.frame, "Ours.", ["A comment."]
    )
    (tmp_path / "own.yaml").write_text(text)
    layout = load_layout(tmp_path / "own.yaml")
    assert layout._replace(name="") == first.complete._replace(suffix=".dat")
    assert describe_types(layout) == "4 x float64, big endian, after 8 bytes"
    assert layout.choice.drops_duplicates
    assert [str(field) for field in layout.fields] == [
        "-y float64",
        "x float64",
        "z float64",
        "intensity float64/255",
    ] or [str(field) for field in second.layout.fields][:2] == [
        "-y float64",
        "x float64",
    ]


def test_encodings_of_the_settings_are_drawn(compiled, demo):
    """The share of points and of pixels in each."""
    encodings = [load_encoding("mv3d"), load_encoding("complex_yolo")]
    found = inspect_folder(demo, load_layout("kitti"), encodings)
    shares = found.views[0].shares
    assert list(shares) == ["mv3d", "complex_yolo"]
    assert shares["mv3d"].inside > shares["complex_yolo"].inside > 0.1
    assert all(0 < share.pixels < 0.2 for share in shares.values())
