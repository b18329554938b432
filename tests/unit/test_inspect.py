"""Check what an inspection suggests, on scans that are turned, lifted or scaled."""

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import SENSORS, write_csv, write_layout, write_pcd

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
from birdview.pixels.scan import decode_scan, read_bytes, read_scan
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


@pytest.mark.parametrize("angle", [-10, 25])
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


def write_npy(path, x, y, z, i):
    np.save(path, np.stack([x, y, z, i], 1))


def write_fortran(path, x, y, z, i):
    np.save(path, np.stack([x, y, z, i]).astype("<f8").T)


def write_names(path, x, y, z, i):
    """Write a structured array, with names that a layout must not use as they are."""
    names = ["X", "Y", "Z", "Intensity", "refl", "a b", "c/2", "same", "label"]
    label = (np.arange(len(x)) % 7).astype("u1")
    columns = [x, y, z, whole(i), i, x, y, np.ones_like(x), label]
    np.save(path, np.rec.fromarrays(columns, names=names))


def write_npz(path, x, y, z, i):
    arrays = {"image": np.zeros((70, 80, 3), "u1"), "pose": np.eye(4), "of": "text"}
    np.savez(path, **arrays, points=np.stack([x, y, z], 1), reflectivity=whole(i))


def write_points(path, x, y, z, i):
    np.savez_compressed(path, points=np.stack([x, y, z, i], 1))


def write_xyzi(path, x, y, z, i):
    write_pcd(path, x=x, y=y, z=z, intensity=i)


def write_ouster(path, x, y, z, i):
    number = np.arange(len(x))
    signal = (number % 3000).astype("<u2")
    write_pcd(path, x=x, y=y, z=z, t=number.astype("<u4"), reflectivity=whole(i),
              signal=signal)  # fmt: skip


def write_simulated(path, x, y, z, i):
    """Write points as OPV2V's: y to the right, and the intensity in a colour."""
    rgb = (whole(i).astype("<u4") << 16).view("<f4")
    write_pcd(path, x=x, y=-y, z=z - np.float32(0.17), rgb=rgb)


def write_packed(path, x, y, z, i):
    """Write points in the colours of a camera."""
    rgb = whole(i).astype("<u4") * 0x010101
    write_pcd(path, x=x, y=y, z=z, rgb=rgb.view("<f4"))


def write_ply(path, x, y, z, i, intensity="intensity"):
    kinds = {"<f4": "float", "|u1": "uchar"}
    columns = {"x": x, "y": y, "z": z, intensity: i}
    records = np.rec.fromarrays([*columns.values()], names=[*columns])
    lines = [f"property {kinds[c.dtype.str]} {name}" for name, c in columns.items()]
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(x)}\n"
    head += "\n".join([*lines, "end_header", ""])
    path.write_bytes(head.encode() + records.tobytes())


def write_compared(path, x, y, z, i):
    write_ply(path, x, y, z, whole(i), "scalar_Intensity")


def write_las(path, x, y, z, i, offset=(0, 0, 0)):
    laspy = pytest.importorskip("laspy")
    header = laspy.LasHeader(point_format=1, version="1.2")
    header.offsets, header.scales = offset, [1e-3] * 3
    points = laspy.LasData(header)
    points.x, points.y, points.z = (
        column.astype("<f8") + by for column, by in zip((x, y, z), offset, strict=True)
    )
    points.intensity = (i * 65535).round().astype("<u2")
    points.classification = np.arange(len(x)) % 5
    points.write(path)


def write_utm(path, x, y, z, i):
    write_las(path, x, y, z, i, (698_000, 6_259_000, 112))


def write_feather(path, x, y, z, i):
    arrow = pytest.importorskip("pyarrow")
    feather = pytest.importorskip("pyarrow.feather")
    names = arrow.array(["car"] * len(x))
    columns = {"x": x, "y": y, "z": z, "reflectance": whole(i), "name": names}
    feather.write_feather(arrow.table(columns), str(path))


def write_header(path, x, y, z, i):
    write_csv(path, "x,y,z,reflectivity", x, y, z, i * 255)


def write_numbers(path, x, y, z, i):
    write_csv(path, "", x, y, z, i, delimiter=" ")


def write_exported(path, x, y, z, i):
    write_csv(path, "//X [m];Y [m];Z [m];Intensity", x, y, z, i, delimiter=";")


def whole(i):
    """Return intensities as numbers up to 255, as sensors give them."""
    return (i * 255).round().astype("u1")


# How scans are written, the suffix, what is suggested first (a built-in layout, or the
# fields of another), and by how much numbers may be off: those of integers are rounded.
FORMATS = {
    "npy": (write_npy, ".npy", "npy", 0),
    "npy, Fortran": (write_fortran, ".npy", "npy", 0),
    "npy, names": (
        write_names,
        ".npy",
        ["x X", "y Y", "z Z", "intensity Intensity/255", "unused_refl refl", "a_b a b",
         "label label"],
        2e-3,
    ),
    "npz": (
        write_npz,
        ".npz",
        ["x points.0", "y points.1", "z points.2", "intensity reflectivity/255"],
        2e-3,
    ),
    "npz, numbers": (
        write_points,
        ".npz",
        ["x points.0", "y points.1", "z points.2", "intensity points.3"],
        0,
    ),
    "pcd": (write_xyzi, ".pcd", "pcd", 0),
    "pcd, more fields": (
        write_ouster,
        ".PCD",
        ["x x", "y y", "z z", "t t", "intensity reflectivity/255", "signal signal"],
        2e-3,
    ),
    "pcd, colour": (write_simulated, ".pcd", "opv2v", 2e-3),
    "pcd, packed": (write_packed, ".pcd", ["x x", "y y", "z z", "rgb rgb"], 0),
    "ply": (write_ply, ".ply", "ply", 0),
    "ply, CloudCompare": (
        write_compared,
        ".ply",
        ["x x", "y y", "z z", "intensity scalar_Intensity/255"],
        2e-3,
    ),
    "las": (write_las, ".las", "las", 1e-3),
    "laz": (write_las, ".laz", "las", 1e-3),
    "las, projected": (
        write_utm,
        ".las",
        ["x x", "y y", "z z", "intensity intensity/65535",
         "classification classification"],
        1e-3,
    ),
    "feather": (
        write_feather,
        ".feather",
        ["x x", "y y", "z z", "intensity reflectance/255"],
        2e-3,
    ),
    "csv": (
        write_header,
        ".csv",
        ["x x", "y y", "z z", "intensity reflectivity/255"],
        1e-7,
    ),
    "csv, numbers": (write_numbers, ".xyz", ["x 0", "y 1", "z 2", "intensity 3"], 0),
    "csv, comment": (
        write_exported,
        ".txt",
        ["x X [m]", "y Y [m]", "z Z [m]", "intensity Intensity"],
        0,
    ),
}  # fmt: skip


def columns_of(path):
    return np.ascontiguousarray(read_bytes(path).view("<f4").reshape(-1, 4).T)


@pytest.fixture
def write_format(demo, tmp_path):
    """Return a function that writes the scans of the demo in another format."""

    def write(name, folder="data"):
        writer, suffix, *_ = FORMATS[name]
        (tmp_path / folder).mkdir(parents=True)
        for path in sorted(demo.iterdir()):
            # By another name: NumPy and laspy judge the suffix.
            usual = tmp_path / folder / f"{path.stem}{suffix.lower()}"
            writer(usual, *columns_of(path))
            usual.rename(usual.with_suffix(suffix))
        return tmp_path / folder

    return write


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.usefixtures("compiled")
def test_files_of_all_formats(name, write_format, demo, tmp_path):
    """The settings read the points of the demo, and then they fit."""
    _, suffix, expected, error = FORMATS[name]
    folder = write_format(name)
    found, run = inspect(folder)
    (settings, *_), report = write_all(found, run, tmp_path / "out")
    assert "no file ends with .bin" in report
    assert len(report.splitlines()) < 60
    chosen = resolve(settings)
    if isinstance(expected, str):
        assert chosen.layout.name == expected
    else:
        assert [str(field) for field in chosen.layout.fields] == expected
        assert settings["layout"].endswith("/layout.yaml")
    assert chosen.layout.suffix == suffix
    assert chosen.scans == ["0", "1", "2"]
    middle = [698_000, 6_259_000] if name == "las, projected" else [0, 0]
    np.testing.assert_allclose(chosen.layout.origin[:2], middle, atol=9)
    for scan in chosen.scans:
        points = read_scan(chosen.scan_file(scan), chosen.layout)
        original = read_scan(demo / f"{scan}.bin")
        if name == "las, projected":  # the origin is a median, the height is estimated
            origin = [*(np.array(chosen.layout.origin[:2]) - middle), 0, 0]
            original = original - np.float32(origin)
            assert abs(points[:, 2] - original[:, 2]).max() < 0.2
            points, original = points[:, [0, 1, 3]], original[:, [0, 1, 3]]
        if chosen.layout.columns[3] is None:
            assert not points[:, 3].any()
            points, original = points[:, :3], original[:, :3]
        np.testing.assert_allclose(points, original, atol=error, rtol=0)
    assert "may be no scans" not in report
    found, run = inspect(folder, **settings)
    assert found.yours == []
    again, _ = write_all(found, run, tmp_path / "again")
    assert resolve(again[0]).layout.fields == chosen.layout.fields
    found, run = inspect(folder, **settings, match="1*")
    (chosen, *_), _ = write_all(found, run, tmp_path / "out")
    assert resolve(chosen).scans == ["1"]


@pytest.mark.usefixtures("compiled")
def test_columns_are_said(write_format, tmp_path):
    """With their types, where a layout is suggested and where not."""
    found, run = inspect(write_format("pcd, more fields"))
    _, report = write_all(found, run, tmp_path / "out")
    assert (
        "Fields: pcd with float32 x, y, z; uint32 t; uint8 reflectivity; uint16 signal"
    ) in report
    assert "pcd                  0.00  no field intensity in the files" in report
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Fields: pcd with float32 x, y, z; uint32 t" in page


@pytest.mark.usefixtures("compiled")
def test_mounting_is_found_in_other_formats(demo, tmp_path):
    """As in records: a built-in layout with a frame, and axes that a layout says."""
    (tmp_path / "lifted").mkdir()
    (tmp_path / "down").mkdir()
    for path in demo.iterdir():
        x, y, z, i = columns_of(path)
        write_xyzi(tmp_path / "lifted" / f"{path.stem}.pcd", -y, x, z + 1, i)
        write_xyzi(tmp_path / "down" / f"{path.stem}.pcd", x, -y, -z, i)
    found, _ = inspect(tmp_path / "lifted")
    assert [one.layout.name for one in found.advice] == ["pcd", "pcd"]
    assert found.advice[0].frame["height"] == pytest.approx(0.73, abs=0.1)
    assert {one.frame["yaw"] for one in found.advice} == {-90, 90}
    found, run = inspect(tmp_path / "down")
    written, _ = write_all(found, run, tmp_path / "out")
    points = [read_scan(tmp_path / "down/0.pcd", one["layout"]) for one in written]
    expected = read_scan(demo / "0.bin")
    assert any(np.array_equal(some, expected) for some in points)


@pytest.mark.usefixtures("compiled")
def test_your_layout_of_another_format_is_judged(write_format, tmp_path):
    """Its format, its columns, its numbers and its frame."""
    pcd, utm = write_format("pcd"), write_format("las, projected", "utm")
    bin_of_pcd = {"layout": "kitti", "suffix": ".pcd"}
    for folder, settings, problem in (
        (pcd, {"layout": "pcd"}, ""),
        (pcd, {"layout": "npy"}, "no file ends with .npy"),
        (pcd, {"layout": "dair_v2x"}, "99% of intensities are below"),
        (pcd, {"layout": "opv2v"}, "do not fit opv2v: no field rgb.r in the files"),
        (pcd, bin_of_pcd, "do not fit kitti: they are pcd files, expected bin"),
        (pcd, {"layout": "pcd", "frame": {"height": 9}}, "the road is at z = "),
        (utm, {"layout": "las"}, "do not fit las: all points are 6.26e+06"),
    ):
        found, _ = inspect(folder, **settings)
        assert bool(found.yours) == bool(problem)
        assert problem in " ".join(found.yours)


def test_your_layout_may_use_columns_in_any_way(write_format, tmp_path):
    """Another origin, a column twice, and no coordinates at all."""
    folder = write_format("las, projected")
    fields = ["x x", "y y", "z z", "intensity intensity/65535"]
    origin = {"format": "las", "origin": [698_000, 6_259_000, 112]}
    for more, problem in (
        ((fields, origin), []),
        (([*fields, "also intensity"], origin), []),
        ((fields, origin | {"origin": [698_000, 6_259_000, 113]}), ["m too low"]),
        ((["x x", "y x", "z z"], origin), ["x is the same column as another"]),
    ):
        pairs, keys = more
        path = write_layout(tmp_path / "own.yaml", *pairs, **keys)
        run = resolve({"scans": str(folder), "layout": str(path)})
        found = inspect_folder(folder, run.layout, [])
        assert len(found.yours) == len(problem)
        assert all(a in b for a, b in zip(problem, found.yours, strict=True))


@pytest.mark.usefixtures("compiled")
def test_folders_of_several_formats(write_format, demo, tmp_path):
    """The more files are the scans, the others are named; radar is no scan."""
    write_format("pcd", "data/a")
    (tmp_path / "data" / "b").mkdir()
    write_format("npy", "data/c")
    (tmp_path / "data" / "c" / "2.npy").unlink()
    for number in range(4):
        (tmp_path / "data" / "b" / f"{number}.bin").symlink_to(demo / "0.bin")
    found, run = inspect(tmp_path / "data")
    _, report = write_all(found, run, tmp_path / "out")
    assert [family.label for family in found.families] == ["kitti", "pcd", "npy"]
    assert "other files: a/0.pcd and 2 more fits pcd" in report
    assert "b/*.bin\n" in report
    assert "a/*.pcd: a PCD file" in report
    for number in (2, 3):
        (tmp_path / "data" / "b" / f"{number}.bin").unlink()
    found, run = inspect(tmp_path / "data")
    (settings,), _ = write_all(found, run, tmp_path / "out")
    assert settings["layout"] == "pcd"
    assert resolve(settings).scans == ["a/0", "a/1", "a/2"]
    flat = np.random.default_rng(0).uniform(0, 60, (90, 2)).astype("<f4").T
    for number in range(9):
        write_pcd(
            tmp_path / "data" / f"{number}.pcd", x=flat[0], y=flat[1], z=flat[0] * 0
        )
    found, _ = inspect(tmp_path / "data", match="**/*.bin")
    assert [family.label for family in found.families] == ["kitti"]
    for path in (tmp_path / "data" / "a").iterdir():
        path.unlink()
    found, _ = inspect(tmp_path / "data")
    assert found.families[0].label == "kitti"


@pytest.mark.usefixtures("compiled")
def test_damaged_files_are_said(write_format, tmp_path, monkeypatch):
    """With the reader's message, beside good ones and alone; and missing libraries."""
    folder = write_format("pcd")
    (folder / "3.pcd").write_bytes((folder / "0.pcd").read_bytes()[:5000])
    found, run = inspect(folder)
    (settings,), report = write_all(found, run, tmp_path / "out")
    assert settings["layout"] == "pcd"
    assert "  3.pcd: " in report
    nothing = np.empty(0, "<f4")
    write_xyzi(folder / "3.pcd", nothing, nothing, nothing, nothing)
    found, run = inspect(folder)
    assert found.notes == ["3.pcd: no points found"]
    (folder / "3.pcd").write_bytes((folder / "0.pcd").read_bytes()[:5000])
    found, run = inspect(folder)
    (settings,), report = write_all(found, run, tmp_path / "out")
    assert " bytes after the header, expected " in report
    for number in range(3):
        (folder / f"{number}.pcd").write_bytes(b"VERSION 0.7\nFIELDS x\n" * number)
    found, run = inspect(folder)
    settings, report = write_all(found, run, tmp_path / "out")
    assert settings == []
    assert "(and 2 more of *.pcd)" in report
    assert "No scan was found that birdview can read." in report
    monkeypatch.setitem(sys.modules, "laspy", None)
    (tmp_path / "las").mkdir()
    (tmp_path / "las" / "0.las").write_bytes(las_header())
    found, _ = inspect(tmp_path / "las")
    assert "laspy is not installed, expected" in found.notes[0]


def las_header():
    """Return a file of no points that needs laspy."""
    head = bytearray(227)
    head[:4], head[24:26] = b"LASF", bytes([1, 2])
    head[94:96], head[96:100] = (227).to_bytes(2, "little"), (227).to_bytes(4, "little")
    return bytes(head)


def trajectory(count=4000):
    """Return positions of a vehicle on a winding road."""
    rng = np.random.default_rng(0)
    turn = np.cumsum(rng.normal(0, 0.05, count))
    steps = np.stack([np.cos(turn), np.sin(turn), rng.normal(0, 0.05, count)], 1)
    return np.cumsum(0.1 * steps, axis=0)


TEXTS = {
    "trajectory": lambda: trajectory(),
    "times": lambda: np.column_stack([1e9 + np.arange(4000) / 10, trajectory()]),
    "poses": lambda: np.tile(np.eye(4)[:3].ravel(), (4000, 1)) + trajectory()[:, :1],
    "boxes": lambda: np.random.default_rng(0).uniform(
        [0, -40, -2, 4, 1, 1, -3], [70, 40, 0, 5, 2, 2, 3], (4000, 7)
    ),
    "labels": lambda: np.random.default_rng(0).uniform(0, 1, (4000, 5)),
    "stamps": lambda: np.arange(4000)[:, None] * 1e8,
}


@pytest.mark.parametrize("name", [*TEXTS, "named", "calibration"])
def test_other_text_is_no_scan(name, tmp_path):
    """A table of numbers needs a road, or the name of an intensity."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "0.txt"
    if name == "calibration":
        path.write_text("P0: 7.2e+02 0 6.1e+02 0\nR0_rect: 1 0 0\n" * 9)
    elif name == "named":
        write_csv(path, "x,y,z", *trajectory().T)
    else:
        write_csv(path, "", *TEXTS[name]().T, delimiter=" ")
    found, run = inspect(tmp_path / "data")
    settings, report = write_all(found, run, tmp_path / "out")
    assert settings == []
    assert "No scan was found that birdview can read." in report
    assert "*.txt is text: " in report


@pytest.mark.usefixtures("compiled")
def test_text_does_not_count_beside_scans(write_format, demo, tmp_path):
    """It is not even read."""
    folder = write_format("csv")
    assert inspect(folder)[0].advice[0].layout.fields
    for path in demo.iterdir():
        (folder / path.name).symlink_to(path)
    found, run = inspect(folder)
    (settings,), report = write_all(found, run, tmp_path / "out")
    assert settings["layout"] == "kitti"
    assert found.notes == []
    assert "*.csv: text" in report


@pytest.mark.parametrize(
    ("name", "layout", "frame"),
    [
        ("argoverse2_315973157959879000.feather", "argoverse2", {}),
        ("radiate_000001.csv", "radiate", {}),
        ("ascii.pcd", "pcd", {}),
        ("binary_padded.pcd", ["y -x", "x y", "z z", "intensity intensity/255"], {}),
        ("xyz_only.ply", ["x x", "y y", "z z"], {"height": 1.93}),
        ("utm.laz", ["x x", "y y", "z z", "intensity intensity/4095"], None),
        ("autzen.las", ["x x", "y y", "z z", "intensity intensity/255"], None),
        ("pypcd4_ascii.pcd", ["x x", "y y", "z z", "rgb rgb"], None),
    ],
)
@pytest.mark.usefixtures("compiled")
def test_real_files_of_other_formats(name, layout, frame, kitti_scans, tmp_path):
    """Those of data sets are known; of surveys and objects, there is what can be said.

    The files are in a folder beside that of KITTI's scans.
    """
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).symlink_to(kitti_scans[0].parents[1] / "formats" / name)
    found, run = inspect(tmp_path / "data")
    (settings, *_), _ = write_all(found, run, tmp_path / "out")
    chosen = resolve(settings)
    if isinstance(layout, str):
        assert settings["layout"] == layout
    else:
        assert [str(field) for field in chosen.layout.fields][: len(layout)] == layout
    if frame is not None:
        assert found.advice[0].frame == frame
    assert len(read_scan(tmp_path / "data" / name, chosen.layout))
    is_survey = name.startswith(("utm", "autzen"))
    assert any("projected" in note for note in found.notes) == is_survey
    is_doubtful = name.startswith(("pypcd4", "autzen"))
    assert any("may be no scans" in note for note in found.notes) == is_doubtful
