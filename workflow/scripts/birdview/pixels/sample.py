"""The compiled kernels that look at the points of a scan, to judge it: see `figures`.

They are apart from those that draw, because several encodings of a scan share what they
find.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from birdview.pixels.figures import CLOSE, DIM, NEAR, TINY, Figures

_SAMPLE, _RUN = 2048, 4
"""About as many points are looked at to judge a scan, some in a row: each row is one
access to the memory, which takes longer than the rest."""
_TINY, _DIM = np.float32(TINY), np.float32(DIM)
_NEAR, _CLOSE = (NEAR[0] ** 2, NEAR[1] ** 2), CLOSE**2
_BINS, _BINS_PER_METRE = 256, 5
"""Of the heights among which the road is looked for."""
_LEAST_ON_ROAD = 20
_CHOSEN, _BLOCK = np.uint32(1 << 26), 64
"""One in 64 points is compared with the others; points that are looked at at once."""
_MIX, _MIX_64 = np.uint32(0x9E3779B1), np.uint64(0x9E3779B97F4A7C15)


def look(points: NDArray[np.float32]) -> Figures:
    """Return the figures of a scan, without those that the image or the file decides.

    Parameters
    ----------
    points : ndarray of float32, shape (N, 4)
        x, y, z in metres and intensity, in the order of the file.
    """
    return Figures(*_look(points.reshape(-1)))


@njit(nogil=True, cache=True)
def _look(flat_points):
    return _look_at_sample(flat_points) + _count_repeated(flat_points)


@njit(nogil=True, cache=True)
def _look_at_sample(flat_points):
    """Return the figures about a sample; see `birdview.pixels.figures.Figures`."""
    count = len(flat_points) // 4
    run, step = (1, 1) if count <= _SAMPLE else (_RUN, count * _RUN // _SAMPLE)
    # Such a step meets all beams of a sensor, and all of what a wrong record mixes.
    while step % 2 == 0 or step % 3 == 0 or step % 5 == 0:
        step += 1
    sampled = negative = bright = dim = odd = tiny = 0
    least, greatest = np.float32(np.inf), np.float32(-np.inf)
    squares = np.empty((count // step + 1) * run, dtype=np.float32)
    layers = np.zeros((5, _BINS), dtype=np.int64)
    heights = np.zeros((5, _BINS))
    for number in range((count + step - 1) // step * run):
        i = 4 * (number // run * step + number % run)
        if i >= 4 * count:
            break
        x, y, z = flat_points[i], flat_points[i + 1], flat_points[i + 2]
        intensity = flat_points[i + 3]
        if not abs(x) + abs(y) + abs(z) + abs(intensity) < np.inf:
            continue
        square = x * x + y * y
        squares[sampled] = square
        sampled += 1
        negative += intensity < 0
        bright += intensity > 1
        dim += intensity < _DIM
        least, greatest = min(least, intensity), max(greatest, intensity)
        odd += (x == y) | (y == z) | (z == x)
        tiny += _is_tiny(x) | _is_tiny(y) | _is_tiny(z)
        layer = int(np.floor(_BINS_PER_METRE * z)) + _BINS // 2
        if not (_NEAR[0] <= square <= _NEAR[1] and 0 <= layer < _BINS):
            continue
        layers[0, layer] += 1
        heights[0, layer] += z
        if square <= _CLOSE:
            along, across = 1 + (x <= 0), 3 + (y <= 0)
            quarter = along if abs(x) >= abs(y) else across
            layers[quarter, layer] += 1
            heights[quarter, layer] += z
    if not sampled:
        least = greatest = np.float32(0)
    reach, far = _reaches(squares[:sampled])
    on_road, road, below = _find_road(layers[0], heights[0])
    return (
        sampled,
        negative,
        bright,
        dim,
        np.float64(least),
        np.float64(greatest),
        odd,
        tiny,
        reach,
        far,
        layers[0].sum(),
        on_road,
        below,
        road,
        _find_road(layers[1], heights[1])[1],
        _find_road(layers[2], heights[2])[1],
        _find_road(layers[3], heights[3])[1],
        _find_road(layers[4], heights[4])[1],
    )


@njit(nogil=True, cache=True)
def _is_tiny(value):
    return (abs(value) < _TINY) & (value != 0)


@njit(nogil=True, cache=True)
def _reaches(squares):
    """Return what half, and nine tenths, of the squares are below, as distances."""
    exponents = np.zeros(256, dtype=np.int64)
    for bits in squares.view(np.uint32):
        exponents[bits >> np.uint32(23)] += 1
    count = exponents.sum()
    return _reach(exponents, count, 5), _reach(exponents, count, 9)


@njit(nogil=True, cache=True)
def _reach(exponents, count, tenths):
    """Return what some tenths of squares are below, as a distance."""
    below, exponent = exponents[0], 0
    while exponent < 255 and 10 * below <= tenths * count:
        exponent += 1
        below += exponents[exponent]
    return np.sqrt(2.0 ** (exponent - 126)) if exponent else 0.0


@njit(nogil=True, cache=True)
def _find_road(layers, heights):
    """Return the points in the lowest three bins with many, their mean z, those below.

    The mean is NaN if they are too few to tell.
    """
    sums = layers[:-2] + layers[1:-1] + layers[2:]
    most = sums.max()
    if most < _LEAST_ON_ROAD:
        return most, np.nan, 0
    k = 0
    while 2 * sums[k] < most:
        k += 1
    while k + 1 < len(sums) and sums[k + 1] > sums[k]:
        k += 1
    road = (heights[k] + heights[k + 1] + heights[k + 2]) / sums[k]
    return sums[k], road, layers[:k].sum()


@njit(nogil=True, cache=True)
def _count_repeated(flat_points):
    """Return how many points were compared, and how many of them equal another.

    A file that holds all points twice has them one after the other, packet by packet,
    or all once more at the end: some at its start and after its middle will do.
    """
    count = len(flat_points) // 4
    keys = np.empty(_SAMPLE, dtype=np.uint64)
    compared = 0
    for start in (0, count // 2):
        part = flat_points[4 * start : 4 * (start + -(-count // 16))]
        compared = _choose(part.view(np.uint32), keys, compared)
    keys = np.sort(keys[:compared])
    repeated = 0
    for k in range(1, compared):
        repeated += keys[k] == keys[k - 1]
    return compared, repeated


@njit(nogil=True, cache=True)
def _choose(bits, keys, count):
    """Add the keys of points chosen by their x to some; return how many there are."""
    for start in range(0, len(bits) // 4, _BLOCK):
        end = min(start + _BLOCK, len(bits) // 4)
        # Most blocks have none, and the least number is found without a branch.
        least = _CHOSEN
        for i in range(start, end):
            least = min(least, _mix(bits[4 * i]))
        if least == _CHOSEN:
            continue
        for i in range(start, end):
            # Equal points are chosen together, wherever they are.
            if _mix(bits[4 * i]) < _CHOSEN and count < len(keys):
                key = np.uint64(0)
                for k in range(4 * i, 4 * i + 4):
                    key = (key ^ np.uint64(bits[k])) * _MIX_64
                    key ^= key >> np.uint64(29)
                keys[count] = key
                count += 1
    return count


@njit(nogil=True, cache=True)
def _mix(x):
    return np.uint32(x * _MIX)
