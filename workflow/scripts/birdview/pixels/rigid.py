"""Rigid motions: a rotation and a translation, as three rows of four numbers.

Everything here is exact on every machine: products are written out, because BLAS rounds
otherwise on other machines. All functions take one motion, or arrays of many.
"""

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-3
"""By how much the rows of a rotation may miss being perpendicular unit vectors, and the
length of a quaternion may miss 1: files have few digits."""


def compose(
    left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the motion that is first the right one, then the left one.

    Parameters
    ----------
    left, right : ndarray of float64, shape (..., 3, 4)

    Returns
    -------
    ndarray of float64, shape (..., 3, 4)
        Without -0.0, which is another text and other bytes than 0.0.
    """
    total = left[..., :, 0, None] * right[..., None, 0, :]
    total += left[..., :, 1, None] * right[..., None, 1, :]
    total += left[..., :, 2, None] * right[..., None, 2, :]
    total[..., 3] += left[..., 3]
    return total + 0.0


def invert(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the motion back; of a rotation, that is the transpose.

    Parameters
    ----------
    motion : ndarray of float64, shape (..., 3, 4)
    """
    back = np.zeros_like(motion)
    back[..., :3] = motion[..., :3].swapaxes(-1, -2)
    back[..., 3] = -compose(back, motion)[..., 3]
    return back + 0.0


def turn(
    quaternions: NDArray[np.float64], translations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return motions of quaternions, which are scaled to the length 1.

    Parameters
    ----------
    quaternions : ndarray of float64, shape (..., 4)
        w, x, y, z, none of them with the length 0.
    translations : ndarray of float64, shape (..., 3)
        In metres.

    Returns
    -------
    ndarray of float64, shape (..., 3, 4)
    """
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    s = 2 / (w * w + x * x + y * y + z * z)
    rows = (
        (1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)),
        (s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)),
        (s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)),
    )
    motions = np.empty((*s.shape, 3, 4))
    for i, row in enumerate(rows):
        for k, values in enumerate(row):
            motions[..., i, k] = values
    motions[..., 3] = translations
    return motions + 0.0


def find_uneven(quaternions: NDArray[np.float64]) -> int | None:
    """Return which of quaternions is the first that has not the length 1; None if none.

    Parameters
    ----------
    quaternions : ndarray of float64, shape (N, 4)
    """
    with np.errstate(over="ignore"):
        lengths = np.sqrt((quaternions * quaternions).sum(axis=1))
    return _find_first(np.abs(lengths - 1) > TOLERANCE)


def find_deformed(motions: NDArray[np.float64]) -> tuple[int, str] | None:
    """Return which of motions is the first that is not rigid, and why; None if all are.

    Parameters
    ----------
    motions : ndarray of float64, shape (N, 3, 4)
    """
    rows = motions[..., :3].swapaxes(0, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        determinants = (np.cross(rows[0], rows[1]) * rows[2]).sum(axis=1)
        products = (motions[:, :, None, :3] * motions[:, None, :, :3]).sum(axis=3)
        errors = np.abs(products - np.eye(3))
    rigid = (errors <= TOLERANCE).all(axis=(1, 2))  # NaN is not
    first = _find_first(~(rigid & (determinants > 0)))
    if first is None:
        return None
    if rigid[first]:
        return first, "mirrored, expected the determinant 1"
    return first, "no rotation, expected perpendicular unit vectors"


def _find_first(wrong: NDArray[np.bool_]) -> int | None:
    return int(wrong.argmax()) if wrong.any() else None
