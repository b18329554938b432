"""Frames: how points get the axes and the height that encodings assume.

Encodings assume x forward, y left and z up in metres, and the road at z = -1.73, as in
KITTI. Everything here is exact on every machine: sines and cosines are computed by
`decimal`, and points are multiplied without BLAS, which would round otherwise.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.rigid import TOLERANCE, compose, invert
from birdview.pixels.schema import validate

HEIGHT = 1.73
"""The height of the origin above the road in metres, unless settings say otherwise."""

_ANGLES = "yaw", "pitch", "roll"
_DIGITS = 50
_PIECE = 1 << 15
"""Points that are moved at once: more do not fit into the cache of a processor."""
_PI = Decimal("3.14159265358979323846264338327950288419716939937511")

_Rows: TypeAlias = tuple[tuple[float, float, float], ...]
_IDENTITY: _Rows = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


class Frame(NamedTuple):
    """A rotation and a translation: points p become ``rotation @ p + translation``.

    Attributes
    ----------
    rotation : tuple of three rows of three float
    translation : tuple of three float
        In metres.
    """

    rotation: _Rows = _IDENTITY
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def matrix(self) -> list[list[float]]:
        """Rotation and translation side by side: three rows of four numbers."""
        return [
            [*row, shift]
            for row, shift in zip(self.rotation, self.translation, strict=True)
        ]

    @property
    def motion(self) -> NDArray[np.float64]:
        """The same as an array of shape (3, 4), for `birdview.pixels.rigid`."""
        return np.array(self.matrix)

    @property
    def is_identity(self) -> bool:
        """Whether points stay as they are."""
        return self == Frame()

    def after(self, first: "Frame") -> "Frame":
        """Return what moves points as `first` does, and then as this one."""
        if first.is_identity or self.is_identity:
            return self if first.is_identity else first
        return to_frame(compose(self.motion, first.motion))

    def inverse(self) -> "Frame":
        """Return what moves points back."""
        return to_frame(invert(self.motion))

    def apply(self, points: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Return moved points.

        Parameters
        ----------
        points : sequence of three ndarrays
            x, y and z.

        Returns
        -------
        ndarray of float64, shape (3, N)
        """
        moved = np.empty((3, len(points[0])), dtype=np.float64)
        self.apply_into(points, moved)
        return moved

    def apply_into(self, points: Sequence[NDArray[Any]], moved: NDArray[Any]) -> None:
        """Write moved points into an array, shape (3, N), which may be of float32."""
        total = np.empty(min(_PIECE, len(points[0])), dtype=np.float64)
        for start in range(0, len(points[0]), _PIECE):
            piece = slice(start, start + _PIECE)
            part = [values[piece] for values in points]
            here = total[: len(part[0])]
            for row, shift, target in zip(*self, moved, strict=True):
                _combine(row, shift, part, here)
                target[piece] = here


def _combine(
    row: Sequence[float],
    shift: float,
    points: Sequence[NDArray[Any]],
    total: NDArray[np.float64],
) -> None:
    # Without the products with 0, turning by 90 degrees is swapping axes, bit by bit.
    (factor, values), *others = (
        pair for pair in zip(row, points, strict=True) if pair[0]
    )
    # Without the type, NumPy would multiply float32 as such.
    np.multiply(values, factor, out=total, dtype=np.float64)
    for factor, values in others:
        total += np.multiply(values, factor, dtype=np.float64)
    if shift:
        total += shift


def to_frame(motion: NDArray[np.float64]) -> Frame:
    """Return a motion as a frame.

    Parameters
    ----------
    motion : ndarray of float64, shape (3, 4)
        As in `birdview.pixels.rigid`.
    """
    a, b, c = ((x, y, z) for x, y, z, _ in motion.tolist())
    x, y, z = motion[:, 3].tolist()
    return Frame((a, b, c), (x, y, z))


def make_frame(settings: Mapping[str, Any] | None, source: str) -> Frame:
    """Make a frame of settings; none is the identity.

    Parameters
    ----------
    settings : mapping or None
        With the keys of workflow/schemas/frame.schema.yaml. Numbers may be text, as
        from Snakemake's ``--config``.
    source : str
        Where the settings come from, for error messages.

    Raises
    ------
    ValueError
        If the settings do not fit, or the matrix is not a rotation and a translation.
    """
    if settings is None:
        return Frame()
    rows = settings.get("matrix")
    if isinstance(rows, list) and len(rows) == 4:
        raise ValueError(
            f"{source}: matrix: four rows, expected three: leave out the last, 0 0 0 1"
        )
    settings = validate(settings, "frame", source, from_text=True)
    angles = [name for name in _ANGLES if name in settings]
    rise = Decimal(repr(settings["height"])) - Decimal(repr(HEIGHT))
    if "matrix" not in settings:
        rotation = _rotate(*(settings.get(name, 0) for name in _ANGLES))
        return Frame(rotation, (0.0, 0.0, float(rise)))
    if angles:
        raise ValueError(
            f"{source}: matrix and {' and '.join(angles)} are given, expected one way "
            f"to say how the sensor is mounted"
        )
    # Plus 0.0, because -0.0 is another text in a digest.
    matrix = np.array(settings["matrix"], dtype=np.float64) + 0.0
    _check_rotation(matrix[:, :3], source)
    x, y, z = matrix[:, 3].tolist()
    rotation = tuple(tuple(row) for row in matrix[:, :3].tolist())
    return Frame(rotation, (x, y, float(Decimal(repr(z)) + rise)))


def _check_rotation(rotation: NDArray[np.float64], source: str) -> None:
    error = np.abs(rotation @ rotation.T - np.eye(3)).max()
    determinant = float(np.linalg.det(rotation))
    if error > TOLERANCE or determinant < 0:
        found = "mirrored" if determinant < 0 else "no rotation"
        raise ValueError(
            f"{source}: matrix: {found}, its left three columns have the determinant "
            f"{determinant:.4g}, expected perpendicular unit vectors and 1; mirrored "
            f"axes are said by the signs of a layout's fields"
        )


def _rotate(yaw: float, pitch: float, roll: float) -> _Rows:
    """Return Rz(yaw) Ry(pitch) Rx(roll), for angles in degrees."""
    with localcontext() as context:
        context.prec = _DIGITS
        (sa, ca), (sb, cb), (sc, cc) = map(_sin_cos, (yaw, pitch, roll))
        rows = (
            (ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc),
            (sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc),
            (-sb, cb * sc, cb * cc),
        )
        # Plus 0.0, as above.
        a, b, c = ((float(x) + 0.0, float(y) + 0.0, float(z) + 0.0) for x, y, z in rows)
    return a, b, c


def _sin_cos(degrees: float) -> tuple[Decimal, Decimal]:
    """Return sine and cosine, which are exact for multiples of 90 degrees."""
    quarters, rest = divmod(Decimal(repr(degrees)), 90)
    angle = rest * _PI / 180
    sine, cosine = _series(angle, angle, 1), _series(Decimal(1), angle, 0)
    for _ in range(int(quarters) % 4):
        sine, cosine = cosine, -sine
    return sine, cosine


def _series(term: Decimal, angle: Decimal, power: int) -> Decimal:
    """Sum a Taylor series of which every second power of the angle occurs."""
    total = Decimal(0)
    while abs(term) > Decimal(10) ** -_DIGITS:
        total += term
        power += 2
        term *= -angle * angle / (power * (power - 1))
    return total
