"""Bags: what is in their messages, what is written of it, and bad ones."""

import itertools
import os
import re
import shutil
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from bags import SUFFIXES, XYZI, as_records, cloud, write_bag
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode

from birdview import demo, jobs
from birdview.batches import Batches
from birdview.pixels.layout import load_layout
from birdview.pixels.scan import read_scan
from birdview.run import resolve
from birdview.unpack import bag as bag_module
from birdview.unpack import topic as topic_module
from birdview.unpack.cloud import MAX_STEP, TYPES, Part, Shape
from birdview.unpack.fields import derive_layout, name_fields
from birdview.unpack.topic import unpack

STAMPS = 1_700_000_000_123_456_789, 1_700_000_000_223_456_789
SORTS = pytest.mark.parametrize("sort", SUFFIXES)


def run(bag, topic="/lidar", folder="out", is_stopped=lambda: False, tell=lambda: None):
    """Unpack a topic; return what became of it."""
    return unpack(str(bag), topic, folder, lambda total: None, tell, is_stopped)


def fail(bag, *arguments, **options):
    """Unpack a topic in vain; return the message, which is one line."""
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as error:
        run(bag, *arguments, **options)
    return str(error.value)


def moved(points, metres):
    """Return points that are elsewhere."""
    return points + np.float32([metres, metres, metres, 0])


def times(folder):
    """Return the time of each file."""
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).iterdir()}


@pytest.fixture(autouse=True)
def _in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """Return the points of a scan of the demo."""
    path = tmp_path_factory.mktemp("demo") / "0.bin"
    demo.write_scan(path, 0, seed=0)
    return read_scan(path)[::50]


@pytest.fixture
def clouds(points):
    """Return two messages."""
    return [cloud(as_records(moved(points, n)), s) for n, s in enumerate(STAMPS)]


@SORTS
def test_a_scan_for_each_message(points, clouds, sort):
    """With the stamp of its header in its name, and the bytes of the message."""
    bag = write_bag(Path("drive"), sort, {"/lidar": clouds, "/lidar/top": clouds[:1]})
    done = run(bag)
    assert done[:5] == ("out/drive/lidar", "out/drive/lidar.yaml", 2, 2, 0)
    names = sorted(os.listdir(done.scans))
    assert names == ["1700000000123456789.bin", "1700000000223456789.bin"]
    layout = load_layout(done.layout)
    assert [str(field) for field in layout.fields] == [
        f"{name} float32" for name, _ in XYZI
    ]
    for number, name in enumerate(names):
        found = read_scan(f"{done.scans}/{name}", layout)
        np.testing.assert_array_equal(found, moved(points, number))
    top = run(bag, "/lidar/top")
    assert top[:3] == ("out/drive/lidar-top", "out/drive/lidar-top.yaml", 1)


def test_small_stamps_sort_by_name(clouds):
    """They are padded to 19 digits."""
    small = [clouds[0] | {"stamp": 7}, clouds[1] | {"stamp": 10_000_000_001}]
    done = run(write_bag(Path("a"), "mcap", {"/lidar": small}))
    assert sorted(os.listdir(done.scans)) == [
        f"{7:019}.bin",
        f"{10_000_000_001:019}.bin",
    ]


def test_a_single_file_of_a_folder(clouds):
    """Such as an MCAP file alone."""
    for sort, suffix in (("mcap", ".mcap"), ("sqlite", ".db3")):
        folder = write_bag(Path(sort), sort, {"/lidar": clouds})
        file = shutil.copy(folder / f"{sort}{suffix}", f"one_{sort}{suffix}")
        assert run(file)[:3] == (
            f"out/one_{sort}/lidar",
            f"out/one_{sort}/lidar.yaml",
            2,
        )


@pytest.mark.parametrize(
    ("sort", "prepare"),
    [
        ("ros1", lambda w: w.set_compression(Writer1.CompressionFormat.BZ2)),
        ("ros1", lambda w: w.set_compression(Writer1.CompressionFormat.LZ4)),
        *(
            (sort, lambda w, m=mode: w.set_compression(m, CompressionFormat.ZSTD))
            for sort, mode in [
                ("mcap", CompressionMode.STORAGE),
                ("mcap", CompressionMode.MESSAGE),
                ("sqlite", CompressionMode.MESSAGE),
                ("sqlite", CompressionMode.FILE),
            ]
        ),
    ],
)
def test_compressed_bags(clouds, sort, prepare):
    """In chunks, in messages or as a whole."""
    bag = write_bag(Path("a"), sort, {"/lidar": clouds}, prepare)
    done = run(bag)
    for stamp, one in zip(STAMPS, clouds, strict=True):
        assert Path(f"{done.scans}/{stamp}.bin").read_bytes() == one["data"]


def layout_of(points, **changes):
    """Return the scan and the layout that become of one message."""
    shutil.rmtree("out", ignore_errors=True)
    shutil.rmtree("a", ignore_errors=True)
    messages = {"/lidar": [cloud(points, STAMPS[0], **changes)]}
    done = run(write_bag(Path("a"), "mcap", messages))
    return f"{done.scans}/{STAMPS[0]}.bin", load_layout(done.layout), done.notes


def make(points, kind):
    """Return points as records of another type."""
    records = np.zeros(len(points), kind)
    for number, name in enumerate(("x", "y", "z", "intensity")):
        if name in records.dtype.names:
            records[name] = points[:, number]
    return records


def test_padding_is_described(points):
    """As PCL pads: 4 bytes behind z, and more at the end."""
    kind = np.dtype(
        {
            "names": ["x", "y", "z", "intensity", "ring"],
            "formats": ["<f4", "<f4", "<f4", "<f4", "<u2"],
            "offsets": [0, 4, 8, 16, 20],
            "itemsize": 32,
        }
    )
    path, layout, _ = layout_of(make(points, kind))
    text = "x float32, y float32, z float32, _ uint32, intensity float32, ring uint16"
    fields = ", ".join(map(str, layout.fields))
    assert fields == f"{text}, _ uint64, _ uint16"
    assert layout.record.itemsize == 32
    np.testing.assert_array_equal(read_scan(path, layout), points)


def test_big_endian_double_precision_and_nan(points):
    """What is stored is kept, and what is not finite."""
    kind = np.dtype([("x", ">f8"), ("y", ">f8"), ("z", ">f8"), ("intensity", ">f4")])
    points = points.copy()
    points[3, 1] = np.nan
    path, layout, _ = layout_of(make(points, kind))
    assert layout.endian == "big"
    assert [field.type for field in layout.fields] == [*["float64"] * 3, "float32"]
    np.testing.assert_array_equal(read_scan(path, layout), points)


def test_rows_are_cut_to_records(points):
    """Of an organised cloud with padding behind each row."""
    rows = as_records(points[:60]).reshape(3, 20)
    padded = np.zeros((3, 20 * 16 + 24), np.uint8)
    padded[:, : 20 * 16] = rows.view(np.uint8)
    padded[:, 20 * 16 :] = 255
    path, layout, _ = layout_of(rows, row_step=344, data=padded.tobytes())
    np.testing.assert_array_equal(read_scan(path, layout), points[:60])


@pytest.mark.parametrize(
    ("top", "scale", "clip"),
    [(255, "/255", False), (65000, "/65535", False), (4000, "/4095", False)],
)
def test_scale_of_integers(points, top, scale, clip):
    """As inspect suggests it, from the first messages."""
    kind = [*XYZI[:3], ("intensity", "<u2")]
    records = make(points, kind)
    records["intensity"] = np.linspace(0, top, len(points))
    path, layout, notes = layout_of(records)
    assert str(layout.fields[3]) == f"intensity uint16{scale}"
    assert layout.clip is clip
    assert notes == [
        f"intensity is 0 to {top:g} in the first 1 message, and is taken as {scale}"
    ]
    assert 0.9 < read_scan(path, layout)[:, 3].max() <= 1


def test_intensities_that_have_no_scale(points):
    """All are 0, or some below; and there may be none."""
    kind = [*XYZI[:3], ("intensity", "<i2")]
    _, layout, notes = layout_of(make(points, kind[:3]))
    assert (len(layout.fields), notes) == (3, ["there is no intensity"])
    records = make(points, kind)
    records["intensity"] = 0
    _, layout, notes = layout_of(records)
    assert str(layout.fields[3]) == "intensity int16"
    assert notes == [
        "intensity is 0 in the first 1 message: set its scale if it is not always"
    ]
    records["intensity"] = -3000
    assert layout_of(records)[2] == [
        "intensity is -3000 to -3000 in the first 1 message: set its scale, it must "
        "be from 0 to 1"
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "y", "z", "intensity", "reflectivity"],
         ["x", "y", "z", "intensity", "unused_reflectivity"]),
        (["x", "y", "z", "reflectivity", "intensity"],
         ["x", "y", "z", "unused_reflectivity", "intensity"]),
        (["X", "Y", "Z", "Intensity", "range"],
         ["x", "y", "z", "intensity", "range"]),
        (["pos_x", "x", "y", "z", "i"], ["unused_pos_x", "x", "y", "z", "i"]),
        (["x", "y", "z", "laser id", "off"],
         ["x", "y", "z", "laser_id", "field_off"]),
    ],
)  # fmt: skip
def test_names_become_valid(points, names, expected):
    """And each coordinate and the intensity is the field that fits best."""
    records = np.zeros(len(points), [(name, "<f4") for name in names])
    _, layout, _ = layout_of(records)
    assert [field.name for field in layout.fields] == expected


def test_several_numbers_in_a_field(points):
    """Get names of their own, or are padding; and names may occur twice."""
    kind = [*XYZI[:3], ("normal", "<f4", 3), ("ring", "u1"), ("wave", "u1", 40)]
    records = make(points, kind)
    fields = [("ring", 0, 2, 1), ("ring", 1, 2, 1), ("ring", 2, 2, 0), ("", 3, 2, 1)]
    path, layout, _ = layout_of(records)
    names = [field.name for field in layout.fields]
    assert names == ["x", "y", "z", *(f"normal_{n}" for n in range(3)), "ring"] + (
        ["_"] * 40
    )
    np.testing.assert_array_equal(read_scan(path, layout)[:, :3], points[:, :3])
    values = cloud(make(points, XYZI[:3]), 0)["fields"]
    values = [(name, offset + 4, kind, 1) for name, offset, kind, _ in values]
    _, layout, _ = layout_of(as_records(points), fields=[*fields, *values])
    names = [field.name for field in layout.fields]
    assert names == ["ring", "ring_2", "ring_3", "_", "x", "y", "z"]


AWKWARD = [
    *("x", "y", "z", "X", "pos_x", "x_m", "i", "intensity", "Intensity", "remission"),
    *("scalar_intensity", "reflectivity", "ring", "ring_2", "_", "", "-", "é", "a b"),
    *("null", "on", "1e5", "1_000", "0x1F", "-z", "unused_x", "\n", ": #"),
]


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(AWKWARD),
            st.sampled_from([*TYPES.values()]),
            st.integers(1, 3),
            st.integers(0, 9),
        ),
        max_size=8,
    )
)
def test_any_names_give_a_layout(parts, tmp_path_factory):
    """As long as there are coordinates: of these types, and as long as the records."""
    named = [(name, "float32", 1, 0) for name in "xyz"] + parts
    end, placed = 0, []
    for name, kind, length, gap in named:
        placed.append(Part(name, end + gap, kind, length))
        end = placed[-1].end
    layout = name_fields(Shape(tuple(placed), end + 3, False))
    values = np.linspace(0, 1, 50)
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(derive_layout(layout, [values], "a bag").text)
    loaded = load_layout(path)
    assert loaded.record.itemsize == end + 3
    starts = {loaded.record.fields[name][1] for name in loaded.record.names}
    assert {part.offset for part in placed} <= starts
    assert loaded.columns[:3] == (0, 1, 2)


def test_an_empty_message_is_an_empty_scan(clouds):
    """As sensors send it that see nothing."""
    nothing = clouds[1] | {"width": 0, "row_step": 0, "data": b""}
    done = run(write_bag(Path("a"), "mcap", {"/lidar": [clouds[0], nothing]}))
    assert Path(f"{done.scans}/{STAMPS[1]}.bin").read_bytes() == b""
    assert (
        len(read_scan(f"{done.scans}/{STAMPS[1]}.bin", load_layout(done.layout))) == 0
    )


@SORTS
def test_a_message_that_is_cut(clouds, sort):
    """The others are unpacked; the error names it, and where they are."""
    bag = write_bag(Path("a"), sort, {"/lidar": clouds}, cut=1000)
    assert re.fullmatch(
        rf"{bag}: message 2 of /lidar: cut or damaged, expected a whole message: .* "
        r"\(bad: 1 of 2 messages; 1 scan in out/a/lidar from the others\)",
        fail(bag),
    )
    assert os.listdir("out/a/lidar") == [f"{STAMPS[0]}.bin"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data": b"0" * 100}, "100 bytes of points found, expected {size}: "
         "row_step {size} times height 1"),
        ({"width": 10**9, "row_step": 16 * 10**8}, "row_step 1600000000 found, "
         "expected at least 16000000000: width 1000000000 times point_step 16"),
        ({"height": 2**32 - 1}, "{size} bytes of points found, expected {huge}: "
         "row_step {size} times height 4294967295"),
        ({"width": 1}, None),
        ({"point_step": 0}, f"point_step 0 found, expected 1 to {MAX_STEP} bytes"),
        ({"point_step": 2**32 - 1},
         f"point_step 4294967295 found, expected 1 to {MAX_STEP} bytes"),
        ({"point_step": 12}, "the field 'intensity' ends at byte 16, expected at most "
         "point_step 12"),
        ({"fields": [("x", 0, 7, 1), ("y", 2, 7, 1)]},
         "the fields 'x' and 'y' overlap, expected one after another"),
        ({"fields": [("x", 0, 9, 1)]},
         "the field 'x' has the datatype 9, expected 1 to 8"),
        ({"fields": [("x", 0, 7, 2**32 - 1)]}, "the field 'x' ends at byte "
         "17179869180, expected at most point_step 16"),
        ({"fields": [("x", 0, 7, 1)] * 300}, "300 fields found, expected at most 256"),
        ({"fields": [("x", 0, 7, 1), ("y", 4, 7, 1)]}, "no field z, expected one, in "
         "x, y, _"),
        ({"fields": []}, "no field x, expected one, in _, _"),
    ],
)  # fmt: skip
def test_messages_whose_numbers_do_not_fit(points, changes, expected):
    """Nothing is allocated that they speak of."""
    whole = cloud(as_records(points), STAMPS[0])
    bag = write_bag(Path("a"), "mcap", {"/lidar": [whole | changes]})
    if expected is None:  # the rest of the row is padding
        assert run(bag).total == 1
        return
    size = len(whole["data"])
    expected = expected.format(size=size, huge=size * (2**32 - 1))
    assert (
        fail(bag).removesuffix(
            " (bad: 1 of 1 message; 0 scans in out/a/lidar from the others)"
        )
        == f"{bag}: message 1 of /lidar: {expected}"
    )


def test_fields_must_not_change(points, clouds):
    """The message is named."""
    other = cloud(make(points, [*XYZI[:3], ("ring", ">u4")]), STAMPS[1])
    bag = write_bag(Path("a"), "mcap", {"/lidar": [clouds[0], other]})
    assert fail(bag) == (
        "a: message 2 of /lidar: fields 'x' float32 at 0, 'y' float32 at 4, 'z' "
        "float32 at 8, 'ring' uint32 at 12, 16 bytes, big endian found, expected "
        "those of message 1: 'x' float32 at 0, 'y' float32 at 4, 'z' float32 at 8, "
        "'intensity' float32 at 12, 16 bytes"
    )


@pytest.mark.parametrize(
    ("stamp", "why"),
    [
        (5, "a message may have been recorded twice"),
        (0, "the headers have no stamps: set them where the bag is recorded"),
    ],
)
def test_equal_stamps(clouds, stamp, why):
    """Both messages are named."""
    same = [one | {"stamp": stamp} for one in clouds]
    bag = write_bag(Path("a"), "sqlite", {"/lidar": same})
    assert fail(bag) == (
        f"a: message 2 of /lidar: stamp {stamp} as that of message 1, expected "
        f"another: {why}"
    )


def test_negative_stamp(clouds):
    """Before 1970, which names of scans cannot say."""
    early = [clouds[0] | {"stamp": -1}]
    assert (
        "message 1 of /lidar: stamp -1 found, expected nanoseconds since 1970"
        in fail(write_bag(Path("a"), "mcap", {"/lidar": early}))
    )


@SORTS
def test_topics_are_listed(clouds, sort):
    """Those with point clouds, with their counts and the command."""
    topics = {"/lidar": clouds, "/livox": "livox_ros_driver2/msg/CustomMsg"}
    bag = write_bag(Path("a"), sort, topics | {"/lidar/top": clouds[:1]})
    assert fail(bag, None) == (
        f"topic: not set, expected one of those with point clouds in {bag}: /lidar "
        f"(2), /lidar/top (1): snakemake unpack --config bag={bag} topic=/lidar"
    )
    assert fail(bag, "lidar") == (
        f"{bag}: no topic lidar (did you mean /lidar?), expected one of those with "
        f"point clouds: /lidar, /lidar/top"
    )
    assert fail(bag, "/livox") == (
        f"{bag}: /livox has messages of livox_ros_driver2/CustomMsg, expected "
        f"sensor_msgs/PointCloud2: set xfer_format: 0 in Livox's driver, and record "
        f"what it sends as sensor_msgs/PointCloud2"
    )


def test_names_that_are_no_text(clouds):
    """As a damaged bag has them: the error is one line nevertheless."""
    bag = write_bag(Path("a"), "mcap", {"/li\ndar": clouds, "/x": "my/msg/Type"})
    assert r"in a: '/li\ndar' (2): snakemake unpack" in fail(bag, None)


@pytest.mark.parametrize("kind", topic_module._PACKETS)
def test_other_types_are_refused_by_name(kind):
    """With what makes point clouds of them."""
    name = kind.replace("/", "/msg/")
    bag = write_bag(Path("a"), "mcap", {"/image": "my/msg/Image", "/raw": name})
    how = topic_module._PACKETS[kind]
    expected = (
        f"no topic of sensor_msgs/PointCloud2 among /raw ({kind}), /image (my/Image), "
        f"expected one: {how}, and record what it sends as sensor_msgs/PointCloud2"
    )
    assert fail(bag, None) == f"a: {expected}"
    assert fail(bag, "/lidar") == f"a: no topic /lidar, and {expected}"


def test_what_is_no_bag(clouds):
    """Files, folders and nothing."""
    expected = "a ROS 1 bag, an MCAP file, or the folder of a ROS 2 bag"
    assert fail("none.bag") == f"none.bag: no such file or folder, expected {expected}"
    Path("empty.bag").touch()
    assert fail("empty.bag") == f"empty.bag: nothing found, expected {expected}"
    Path("a.bag").write_bytes(bytes(20))
    assert fail("a.bag") == f"a.bag: a file of 20 bytes found, expected {expected}"
    Path("b.bag").write_bytes(b"PK\3\4\x14\0\0\0\x08\0rest")
    assert fail("b.bag") == f"b.bag: a zip archive found, expected {expected}"
    os.mkfifo("c.bag")
    assert fail("c.bag") == f"c.bag: not a regular file, expected {expected}"
    Path("folder").mkdir()
    assert fail("folder") == (
        f"folder: a folder without metadata.yaml, expected {expected}"
    )
    bag = write_bag(Path("ros2"), "mcap", {"/lidar": clouds})
    (bag / "metadata.yaml").unlink()
    assert fail("ros2") == (
        f"ros2: a folder without metadata.yaml, expected {expected}: set "
        f"bag=ros2/ros2.mcap"
    )
    shutil.copy("ros2/ros2.mcap", "ros2.bin")
    assert fail("ros2.bin") == (
        "ros2.bin: an MCAP recording found, expected a name that ends in .mcap: "
        "rename it"
    )


def single(sort, clouds):
    """Return a bag that is one file."""
    bag = write_bag(Path("a"), sort, {"/lidar": clouds})
    return next(bag.glob("a.*")) if bag.is_dir() else bag


@pytest.mark.parametrize(
    ("sort", "name", "repair"),
    [
        ("ros1", "ROS 1 bag", "repair it with `rosbag reindex`"),
        ("sqlite", "ROS 2 bag", "copy it again, or repair it with `ros2 bag reindex`"),
        ("mcap", "MCAP file", "repair it with `mcap recover`"),
    ],
)
def test_a_bag_that_is_cut(clouds, sort, name, repair):
    """It says what may repair it."""
    bag = single(sort, clouds)
    content = bag.read_bytes()
    bag.write_bytes(content[: len(content) // 2])
    message = fail(bag)
    assert message.startswith(f"{bag}: cannot be read (")
    assert message.endswith(f"), expected a whole {name}: {repair}")


def test_a_recording_of_another_system(clouds):
    """An MCAP file that is converted from ROS 1."""
    bag = single("mcap", clouds)
    bag.write_bytes(bag.read_bytes().replace(b"ros2", b"ros1", 1))
    assert fail(bag) == (
        f"{bag}: an MCAP file of the profile 'ros1' found, expected 'ros2': convert "
        f"it to a ROS 2 bag, or record it as one"
    )


def test_a_ros1_bag_without_index(clouds):
    """As of a recorder that was killed."""
    bag = single("ros1", clouds)
    content = bag.read_bytes()
    at = content.index(b"index_pos=") + len(b"index_pos=")
    bag.write_bytes(content[:at] + bytes(8) + content[at + 8 :])
    assert "Bag is not indexed, reindex before reading." in fail(bag)


def test_fewer_messages_than_the_bag_says(clouds):
    """Some of a database are gone."""
    bag = write_bag(Path("a"), "sqlite", {"/lidar": clouds})
    with sqlite3.connect(bag / "a.db3") as database:
        database.execute("DELETE FROM messages WHERE id = 2")
    database.close()
    assert fail(bag) == (
        "a: 1 message of /lidar found, expected 2, as the bag says: repair it with "
        "`ros2 bag reindex`"
    )


def test_a_topic_without_messages():
    """It exists, but nothing was sent."""
    bag = write_bag(Path("a"), "mcap", {"/lidar": []})
    assert fail(bag) == "a: no messages of /lidar, expected some"


def test_sizes_are_checked_before_anything_is_read(clouds):
    """A record of an MCAP file that says it has an exbibyte."""
    bag = single("mcap", clouds)
    content = bytearray(bag.read_bytes())
    content[9:17] = (1 << 60).to_bytes(8, "little")  # the header's record
    bag.write_bytes(content)
    assert f"{1 << 60} bytes declared, but {len(content) - 17} are left" in fail(bag)


def test_chunks_are_decoded_up_to_a_limit(clouds, monkeypatch):
    """Otherwise a small bag could become any size."""
    monkeypatch.setattr(bag_module, "MAX_DECODED", 1000)
    for number, (sort, prepare) in enumerate(
        [
            ("ros1", lambda w: w.set_compression(Writer1.CompressionFormat.BZ2)),
            ("ros1", lambda w: w.set_compression(Writer1.CompressionFormat.LZ4)),
            ("mcap", lambda w: w.set_compression(
                CompressionMode.STORAGE, CompressionFormat.ZSTD)),
            ("sqlite", lambda w: w.set_compression(
                CompressionMode.MESSAGE, CompressionFormat.ZSTD)),
        ]
    ):  # fmt: skip
        bag = write_bag(Path(f"a{number}"), sort, {"/lidar": clouds}, prepare)
        assert "more than 1000 bytes when it is decoded" in fail(bag)


def test_unpacking_again_writes_nothing(clouds, monkeypatch):
    """The bag is not even opened; a scan that is missing or cut is written again."""
    bag = write_bag(Path("a"), "mcap", {"/lidar": clouds})
    done = run(bag)
    before = times(done.scans)
    with monkeypatch.context() as patch:
        patch.setattr(topic_module.Bag, "__enter__", None)
        again = run(bag)
    assert again == done._replace(written=0, notes=())
    first, second = sorted(before)
    Path(done.scans, first).unlink()
    assert run(bag).written == 1
    Path(done.scans, second).write_bytes(b"")
    assert run(bag).written == 1
    assert Path(done.scans, second).read_bytes() == clouds[1]["data"]


def test_a_bag_that_changed(clouds, points):
    """Equal scans stay, others are written, and those that are gone are removed."""
    bag = write_bag(Path("a"), "ros1", {"/lidar": clouds})
    done = run(bag)
    before = times(done.scans)
    Path(done.scans, "notes.txt").touch()
    assert run(bag).written == 0
    bag.unlink()
    new = cloud(as_records(moved(points, 3)), STAMPS[1] + 1)
    write_bag(Path("a"), "ros1", {"/lidar": [clouds[0], new]})
    done = run(bag)
    assert (done.total, done.written, done.removed) == (2, 1, 1)
    after = times(done.scans)
    assert sorted(after) == [f"{STAMPS[0]}.bin", f"{STAMPS[1] + 1}.bin", "notes.txt"]
    assert after[f"{STAMPS[0]}.bin"] == before[f"{STAMPS[0]}.bin"]


def test_a_bag_with_other_bytes_of_the_same_size_and_time(clouds, points):
    """The time of its last change in the file system differs."""
    bag = write_bag(Path("a"), "ros1", {"/lidar": clouds})
    done, state = run(bag), bag.stat()
    bag.unlink()
    others = [clouds[0], cloud(as_records(moved(points, -1)), STAMPS[1])]
    write_bag(Path("a"), "ros1", {"/lidar": others})
    os.utime(bag, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert bag.stat().st_size == state.st_size
    assert run(bag).written == 1
    assert Path(f"{done.scans}/{STAMPS[1]}.bin").read_bytes() == others[1]["data"]


def test_another_bag_of_the_same_name(clouds):
    """Does not replace its scans; the same bag elsewhere is known."""
    bag = write_bag(Path("one/a"), "ros1", {"/lidar": clouds})
    run(bag)
    assert fail("tow/a.bag").startswith("tow/a.bag: no such file or folder, ")
    other = write_bag(Path("two/a"), "ros1", {"/lidar": clouds[:1]})
    assert fail(other) == (
        f"two/a.bag: out/a/lidar holds scans of /lidar of {os.path.abspath(bag)}, "
        f"expected those of one bag: rename the bag, or remove out/a/lidar and "
        f"out/a/lidar.json"
    )
    moved = bag.rename("a.bag")
    assert run(moved).written == 0


def test_an_edited_layout_stays(clouds, points):
    """As long as it fits the bag."""
    bag = write_bag(Path("a"), "ros1", {"/lidar": clouds})
    done = run(bag)
    path = Path(done.layout)
    edited = path.read_text() + "frame: {height: 2.1}\n"
    path.write_text(edited)
    os.utime(bag)
    run(bag)
    assert path.read_text() == edited
    bag.unlink()
    write_bag(Path("a"), "ros1", {"/lidar": [cloud(make(points, XYZI[:3]), STAMPS[0])]})
    assert fail(bag) == (
        "out/a/lidar.yaml: not as it was written, and the bag has other fields now, "
        "expected the file as it was: rename it"
    )
    path.rename("mine.yaml")
    run(bag)
    assert [*yaml.safe_load(path.read_text())["fields"][2]] == ["z"]


@SORTS
def test_what_was_stopped_goes_on(clouds, sort):
    """By an error or a signal; what is there is not written again."""
    many = [clouds[0] | {"stamp": stamp} for stamp in range(1, 13)]
    bag = write_bag(Path("a"), sort, {"/lidar": many})
    counter = itertools.count()
    message = fail(bag, is_stopped=lambda: next(counter) == 3)
    assert message == f"{bag}: stopped before its end: unpack it again"
    before = times("out/a/lidar")
    assert len(before) == 3
    Path("out/a/lidar/.1-2.partial").touch()  # of a process that was killed
    os.utime("out/a/lidar/.1-2.partial", ns=(1, 1))
    done = run(bag)
    assert (done.total, done.written) == (12, 9)
    after = times("out/a/lidar")
    assert len(after) == 12
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("topic", "folder"),
    [
        ("/a/b_c", "a-b_c"), ("a b", "a%20b"), ("/..", "%2E."), ("/", "-"),
        ("/{x}", "%7Bx%7D"),
    ],
)  # fmt: skip
def test_folders_of_topics(topic, folder):
    """Valid names, whatever an MCAP file calls its topics."""
    assert topic_module._name_topic(topic) == folder


def test_what_is_printed(clouds, monkeypatch, capsys):
    """How far it is, and at the end the command that renders the scans."""
    monkeypatch.setattr(jobs, "UNPACK_SECONDS", 0.0)
    bag = write_bag(Path("my drive"), "mcap", {"/lidar": clouds})
    settings = resolve({"bag": str(bag), "topic": "/lidar"})
    jobs.unpack_bag(settings, Batches(settings))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "my drive: 2 messages of /lidar"
    assert [line[:12] for line in lines[1:3]] == ["1 of 2 scans", "2 of 2 scans"]
    assert lines[3:] == [
        "results/unpack/my drive/lidar: 2 scans, 2 written",
        "results/unpack/my drive/lidar.yaml: intensity is 0.02 to 0.99 in the first 2 "
        "messages, and is taken as it is",
        "snakemake --config 'scans=results/unpack/my drive/lidar' "
        "'layout=results/unpack/my drive/lidar.yaml'",
    ]


def test_missing_library(clouds, monkeypatch):
    """It says what to install."""
    bag = write_bag(Path("a"), "mcap", {"/lidar": clouds})
    monkeypatch.setitem(sys.modules, "rosbags", None)
    assert fail(bag) == (
        "a: rosbags is not installed, expected it to read bags: "
        "pip install -r envs/formats.txt"
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory, points):
    """Return a small bag of each sort, as one file, and a database's folder."""
    folder = tmp_path_factory.mktemp("whole")
    messages = [cloud(as_records(points[:40]), stamp) for stamp in (1, 2, 3)]
    bags = {}
    for sort in SUFFIXES:
        bag = write_bag(folder / sort, sort, {"/lidar": messages, "/b": messages[:1]})
        file = next(bag.glob(f"{sort}.*")) if bag.is_dir() else bag
        bags[file.suffix] = file.read_bytes()
    packed = write_bag(
        folder / "packed", "ros1", {"/lidar": messages},
        lambda w: w.set_compression(Writer1.CompressionFormat.BZ2),
    )  # fmt: skip
    bags[".packed.bag"] = packed.read_bytes()
    return bags


@pytest.mark.parametrize("suffix", [".bag", ".db3", ".mcap", ".packed.bag"])
@settings(
    max_examples=int(os.environ.get("BIRDVIEW_EXAMPLES", 150)),
    deadline=None,
)
@given(data=st.data())
def test_damaged_bags_are_one_line(whole, tmp_path_factory, suffix, data):
    """Whatever bytes are changed, and wherever they are cut."""
    content = bytearray(whole[suffix])
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(places) :]
    folder = tmp_path_factory.mktemp("damaged")
    bag = folder / f"a{suffix}"
    bag.write_bytes(content)
    try:
        run(bag, data.draw(st.sampled_from(["/lidar", None])), str(folder / "out"))
    except ValueError as error:
        message = str(error)
        assert message.startswith((f"{bag}: ", "topic: not set, "))
        assert "\n" not in message
    finally:
        shutil.rmtree(folder)
