"""Point clouds as ROS sends them: what a message says of itself, and its records."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KIND = "sensor_msgs/msg/PointCloud2"
MAX_STEP = 1024
"""Bytes of a record; real ones have less than 200."""

TYPES = {
    1: "int8",
    2: "uint8",
    3: "int16",
    4: "uint16",
    5: "int32",
    6: "uint32",
    7: "float32",
    8: "float64",
}
"""What the numbers of PointField mean."""

_MAX_FIELDS = 256


class Part(NamedTuple):
    """A field of a message: one number of each point, or several.

    Attributes
    ----------
    name : str
    offset : int
        Bytes from the start of the record.
    type : str
        As NumPy calls it.
    length : int
        Numbers of each point.
    """

    name: str
    offset: int
    type: str
    length: int

    @property
    def end(self) -> int:
        """The byte of the record behind it."""
        return self.offset + self.length * np.dtype(self.type).itemsize


class Shape(NamedTuple):
    """What the records of a message are.

    Attributes
    ----------
    parts : tuple of Part
        In the order of the record.
    step : int
        Bytes of a record.
    is_big_endian : bool
    """

    parts: tuple[Part, ...]
    step: int
    is_big_endian: bool

    def __str__(self) -> str:
        """Return it for error messages, on one line."""
        parts = (
            f"{part.name!r} {part.type}{f'[{part.length}]' if part.length > 1 else ''}"
            f" at {part.offset}"
            for part in self.parts
        )
        order = ", big endian" if self.is_big_endian else ""
        return f"{', '.join(parts) or 'no fields'}, {self.step} bytes{order}"


class Cloud(NamedTuple):
    """A message.

    Attributes
    ----------
    stamp : int
        Nanoseconds, of its header.
    shape : Shape
    records : ndarray of uint8, shape (N * step,)
        One after another, without the padding of rows.
    """

    stamp: int
    shape: Shape
    records: NDArray[np.uint8]


def read_cloud(message: Any) -> Cloud:
    """Check a message, and return what is in it.

    Parameters
    ----------
    message : object
        As rosbags decodes a sensor_msgs/PointCloud2.

    Raises
    ------
    ValueError
        If the numbers in it do not fit each other.
    """
    stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
    if stamp < 0:
        raise ValueError(f"stamp {stamp} found, expected nanoseconds since 1970")
    shape = _read_shape(message)
    return Cloud(stamp, shape, _read_records(message))


def _read_shape(message: Any) -> Shape:
    step = message.point_step
    if not 0 < step <= MAX_STEP:
        raise ValueError(f"point_step {step} found, expected 1 to {MAX_STEP} bytes")
    if len(message.fields) > _MAX_FIELDS:
        raise ValueError(
            f"{len(message.fields)} fields found, expected at most {_MAX_FIELDS}"
        )
    parts = [_read_part(field) for field in message.fields]
    parts.sort(key=lambda part: part.offset)
    end, before = 0, ""
    for part in parts:
        if part.offset < end:
            raise ValueError(
                f"the fields {before!r} and {part.name!r} overlap, expected one after "
                f"another"
            )
        end, before = part.end, part.name
    if end > step:
        raise ValueError(
            f"the field {before!r} ends at byte {end}, expected at most point_step "
            f"{step}"
        )
    return Shape(tuple(parts), step, bool(message.is_bigendian))


def _read_part(field: Any) -> Part:
    if field.datatype not in TYPES:
        raise ValueError(
            f"the field {field.name!r} has the datatype {field.datatype}, expected 1 "
            f"to 8"
        )
    # PCL writes 0 for a single number in places.
    return Part(field.name, field.offset, TYPES[field.datatype], max(1, field.count))


def _read_records(message: Any) -> NDArray[np.uint8]:
    width, height = message.width, message.height
    line, row = width * message.point_step, message.row_step
    if row < line and height:
        raise ValueError(
            f"row_step {row} found, expected at least {line}: width {width} times "
            f"point_step {message.point_step}"
        )
    if message.data.size != row * height:
        raise ValueError(
            f"{message.data.size} bytes of points found, expected {row * height}: "
            f"row_step {row} times height {height}"
        )
    data: NDArray[np.uint8] = message.data
    if row > line:
        data = data.reshape(height, row)[:, :line]
    return np.ascontiguousarray(data).reshape(-1)
