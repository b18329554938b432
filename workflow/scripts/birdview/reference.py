"""The encodings as plain loops over the points: slow, and meant to be obviously right.

What the compiled kernels are checked against, and measured against. Each returns the
image as `cv2.imread` does: shape (rows, cols, 3), uint8, in the order blue, green, red.
"""

from math import ceil, floor, isfinite, log

import numpy as np


def draw_notebook(points):
    """Draw points, shape (N, 4) float32, as the notebook did.

    Where the notebook wrapped a negative row or column around, failed at 1600 or at a
    scan without points, this leaves the point out, or the image black.
    """
    height = np.zeros((1600, 1600))
    intensity = np.zeros((1600, 1600))
    density = np.zeros((1600, 1600))
    for x, y, z, r in points.astype(np.float64):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        col = 800 - ceil(x / 0.1)
        row = 800 - ceil(y / 0.1)
        if 0 <= row < 1600 and 0 <= col < 1600 and -z > height[row, col]:
            height[row, col] = -z
            intensity[row, col] = r
            density[row, col] += 1
    if not density.any():
        return np.zeros((1600, 1600, 3), dtype=np.uint8)
    planes = [
        np.interp(height, [height.min(), height.max()], [0, 255]),
        np.interp(intensity, [0, 1], [0, 255]),
        np.interp(density, [density.min(), density.max()], [0, 255]),
    ]
    return np.rint(np.stack(planes, axis=-1).astype(np.float32)).astype(np.uint8)


def draw_mv3d(points):
    """Draw points, shape (N, 4) float32, as the encoding mv3d says."""
    image = np.zeros((1600, 1600, 3), dtype=np.uint8)
    counts, tops = {}, {}
    for x, y, z, r in points.astype(np.float64):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (-80 <= x < 80 and -80 <= y < 80 and -2.73 <= z <= 1.27):
            continue
        cell = 1599 - floor((x + 80) / 0.1), 1599 - floor((y + 80) / 0.1)
        counts[cell] = counts.get(cell, 0) + 1
        if cell not in tops or z > tops[cell][0]:
            tops[cell] = z, r
    for cell, (z, r) in tops.items():
        height = (z - -2.73) / (1.27 - -2.73)
        intensity = min(max(r, 0), 1)
        density = min(1, log(counts[cell] + 1) / log(64))
        # Python's round() rounds half to even.
        image[cell] = [round(255 * value) for value in (height, intensity, density)]
    return image
