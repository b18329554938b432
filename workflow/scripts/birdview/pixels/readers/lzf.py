"""Decompress LZF, which compressed point clouds use.

Source of the format: LibLZF, by Marc Lehmann.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def decompress(packed: NDArray[np.uint8], size: int) -> Any:  # ndarray, int, bool
    """Return what a stream becomes.

    Parameters
    ----------
    packed : ndarray of uint8, shape (n,)
    size : int
        The bytes that it must become.

    Returns
    -------
    decoded : ndarray of uint8, shape (size,)
    count : int
        How many bytes of it are decoded.
    is_whole : bool
        Whether these are all, and the stream ends there.
    """
    decoded = np.empty(size, dtype=np.uint8)
    i, count = 0, 0
    while i < len(packed):
        control = np.int64(packed[i])
        i += 1
        if control < 32:  # as many bytes, and one more
            length = control + 1
            if i + length > len(packed) or count + length > size:
                return decoded, count, False
            for _ in range(length):
                decoded[count] = packed[i]
                count += 1
                i += 1
            continue
        length = (control >> 5) + 2
        if length == 9 and i < len(packed):
            length += np.int64(packed[i])
            i += 1
        if i >= len(packed):
            return decoded, count, False
        start = count - ((control & 31) << 8) - np.int64(packed[i]) - 1
        i += 1
        if start < 0 or count + length > size:
            return decoded, count, False
        for k in range(length):  # one by one: they may overlap
            decoded[count] = decoded[start + k]
            count += 1
    return decoded, count, count == size
