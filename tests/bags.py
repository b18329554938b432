"""Write bags of ROS 1, ROS 2 and MCAP, with point clouds as a test wants them."""

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

CLOUD = "sensor_msgs/msg/PointCloud2"
NUMBERS = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}
SUFFIXES = {"ros1": ".bag", "sqlite": "", "mcap": ""}
"""How the names of the sorts of bags end; the last two are folders."""
STORES = {
    True: get_typestore(Stores.ROS1_NOETIC),
    False: get_typestore(Stores.ROS2_HUMBLE),
}
XYZI = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("intensity", "<f4")]


def cloud(points, stamp, **changes):
    """Return what a message says.

    Parameters
    ----------
    points : ndarray
        A structured array, shape (N,) or (height, width); padding in it is kept.
    stamp : int
        Nanoseconds.
    **changes
        Other values of it, such as ``row_step``.
    """
    points = np.atleast_2d(points)
    kind, (height, width) = points.dtype, points.shape
    fields = []
    for name in kind.names:
        base, shape = kind.fields[name][0].subdtype or (kind.fields[name][0], (1,))
        fields.append((name, kind.fields[name][1], NUMBERS[base.str[1:]], shape[0]))
    values = {
        "stamp": stamp,
        "height": height,
        "width": width,
        "fields": fields,
        "is_bigendian": any(kind[n].base.str[0] == ">" for n in range(len(kind))),
        "point_step": kind.itemsize,
        "row_step": kind.itemsize * width,
        "data": points.tobytes(),
    }
    return values | changes


def as_records(points):
    """Return an array of numbers, shape (N, 4), as float32 records."""
    return np.ascontiguousarray(points, "<f4").view(np.dtype(XYZI)).reshape(-1)


def _message(values, store, is_ros1):
    types = store.types
    time = types["builtin_interfaces/msg/Time"](*divmod(values["stamp"], 10**9))
    header = types["std_msgs/msg/Header"]
    sequence = {"seq": 0} if is_ros1 else {}
    return types[CLOUD](
        header=header(stamp=time, frame_id="lidar", **sequence),
        height=values["height"],
        width=values["width"],
        fields=[types["sensor_msgs/msg/PointField"](*one) for one in values["fields"]],
        is_bigendian=values["is_bigendian"],
        point_step=values["point_step"],
        row_step=values["row_step"],
        data=np.frombuffer(values["data"], np.uint8),
        is_dense=False,
    )


def write_bag(path, sort, topics, prepare=None, cut=0):
    """Write a bag, and return its path.

    Parameters
    ----------
    path : Path
        Without suffix.
    sort : str
        One of `SUFFIXES`.
    topics : dict of str to list of dict, or to str
        The messages of each topic, as `cloud` returns them; or a type that is not in
        ROS, of which the topic gets a message.
    prepare : function
        Is given the writer before it is opened.
    cut : int
        Bytes that are missing at the end of the second message of each topic.
    """
    is_ros1 = sort == "ros1"
    path = path.with_name(path.name + SUFFIXES[sort])
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_ros1:
        writer = Writer1(path)
    else:
        plugin = StoragePlugin.MCAP if sort == "mcap" else StoragePlugin.SQLITE3
        writer = Writer2(path, version=9, storage_plugin=plugin)
    if prepare:
        prepare(writer)
    store = STORES[is_ros1]
    serialize = store.serialize_ros1 if is_ros1 else store.serialize_cdr
    with writer:
        for name, messages in topics.items():
            if isinstance(messages, str):
                own = get_typestore(Stores.EMPTY)
                own.register(get_types_from_msg("uint8 number", messages))
                connection = writer.add_connection(name, messages, typestore=own)
                writer.write(connection, 0, b"\0\1\0\0\1")
                continue
            connection = writer.add_connection(name, CLOUD, typestore=store)
            for number, values in enumerate(messages):
                raw = bytes(serialize(_message(values, store, is_ros1), CLOUD))
                raw = raw[: len(raw) - cut] if number == 1 else raw
                writer.write(connection, 1_000 + number, raw)
    return path
