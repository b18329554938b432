"""The encodings as plain loops over the points: slow, but obviously right.

The compiled kernels are checked and measured against them. Each takes points, shape
(N, 4) float32, and returns the image as `cv2.imread` does with IMREAD_UNCHANGED: three
planes in shape (rows, cols, 3), blue, green, red; any other number of planes stacked in
shape (planes * rows, cols); uint8.
"""

from math import ceil, floor, isfinite, log

import numpy as np


def draw_notebook(points):
    """Draw points as the notebook did.

    The notebook wrapped negative rows and columns around, and failed at 1600 and at a
    scan without points. This leaves such points out, and the image black.
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
    """Draw points in the encoding mv3d."""
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


def draw_mv3d_slices(points):
    """Draw points in the encoding mv3d_slices: mv3d with five slices of z."""
    planes = np.zeros((7, 1600, 1600), dtype=np.uint8)
    lowest, step = -2.73, (1.27 - -2.73) / 5
    counts, tops, tops_of_slices = {}, {}, {}
    for x, y, z, r in points.astype(np.float64):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (-80 <= x < 80 and -80 <= y < 80 and -2.73 <= z <= 1.27):
            continue
        cell = 1599 - floor((x + 80) / 0.1), 1599 - floor((y + 80) / 0.1)
        counts[cell] = counts.get(cell, 0) + 1
        if cell not in tops or z > tops[cell][0]:
            tops[cell] = z, r
        k = min(floor((z - lowest) / step), 4)
        tops_of_slices[k, *cell] = max(z, tops_of_slices.get((k, *cell), z))
    for (k, *cell), z in tops_of_slices.items():
        planes[k, *cell] = round(255 * min(max((z - (lowest + k * step)) / step, 0), 1))
    for cell, (_, r) in tops.items():
        planes[5, *cell] = round(255 * min(max(r, 0), 1))
        planes[6, *cell] = round(255 * min(1, log(counts[cell] + 1) / log(64)))
    return planes.reshape(-1, 1600)


def draw_complex_yolo(points):
    """Draw points as SFA3D's code does, but with reflectances clamped to 0..1.

    In float32, up to the values from 0 to 1.
    """
    image = np.zeros((608, 608, 3), dtype=np.uint8)
    lowest, highest, cell_m = (np.float32(n) for n in (-2.73, 1.27, 50 / 608))
    counts, tops = {}, {}
    for x, y, z, r in points:
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (0 <= x <= 50 and -25 <= y <= 25 and lowest <= z <= highest):
            continue
        cell = floor(x / cell_m), floor(y / cell_m) + 304
        if cell[0] == 608 or cell[1] == 608:
            continue
        counts[cell] = counts.get(cell, 0) + 1
        height = z - lowest
        if cell not in tops or height > tops[cell][0]:
            tops[cell] = height, r
    for cell, (height, r) in tops.items():
        intensity = min(max(float(r), 0), 1)
        density = min(1, log(counts[cell] + 1) / log(64))
        image[cell] = [int(255 * v) for v in (intensity, float(height / 4), density)]
    return image


def draw_pixor(points):
    """Draw points as PIXOR's code in C does, in float32 up to the mean.

    Points that the original writes past its array are left out.
    """
    planes = np.zeros((36, 800, 700), dtype=np.uint8)
    lowest, cell_m = np.float32(-2.5), np.float32(0.1)
    counts, sums = {}, {}
    for x, y, z, r in points:
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (0 < x < 70 and -40 < y < 40 and lowest < z < 1):
            continue
        row, col = int((y + np.float32(40)) / cell_m), int(x / cell_m)
        k = int((z - lowest) / cell_m)
        if row == 800 or col == 700 or k == 35:
            continue
        planes[k, row, col] = 255
        counts[row, col] = counts.get((row, col), 0) + 1
        sums[row, col] = sums.get((row, col), np.float32(0)) + r
    for (row, col), total in sums.items():
        mean = float(total / np.float32(counts[row, col]))
        planes[35, row, col] = round(255 * min(max(mean, 0), 1))
    return planes.reshape(-1, 700)


def draw_birdnet(points):
    """Draw points in the encoding birdnet."""
    image = np.zeros((1400, 1400, 3), dtype=np.uint8)
    counts, heights, sums = {}, {}, {}
    for x, y, z, r in points.astype(np.float64):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (0 <= x < 70 and -35 <= y < 35 and z < 1.27):
            continue
        cell = 1399 - floor(x / 0.05), 1399 - floor((y + 35) / 0.05)
        counts[cell] = counts.get(cell, 0) + 1
        heights[cell] = max(z - -1.73, heights.get(cell, -np.inf))
        sums[cell] = sums.get(cell, 0) + r
    for cell, n in counts.items():
        values = sums[cell] / n, n / 64, heights[cell] / 3
        image[cell] = [int(255 * min(max(value, 0), 1)) for value in values]
    return image


def draw_avod_like(points):
    """Draw points in the encoding avod_like."""
    planes = np.zeros((6, 700, 800), dtype=np.uint8)
    lowest, step = -1.85, (0.65 - -1.85) / 5
    counts, tops = {}, {}
    for x, y, z, r in points.astype(np.float64):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (0 <= x < 70 and -40 <= y < 40 and -1.85 <= z < 0.65):
            continue
        cell = 699 - floor(x / 0.1), 799 - floor((y + 40) / 0.1)
        k = floor((z - lowest) / step)
        counts[cell] = counts.get(cell, 0) + 1
        tops[k, *cell] = max(z, tops.get((k, *cell), z))
    for (k, *cell), z in tops.items():
        planes[k, *cell] = round(255 * min(max((z - (lowest + k * step)) / step, 0), 1))
    for cell, n in counts.items():
        planes[5, *cell] = round(255 * min(1, log(n + 1) / log(16)))
    return planes.reshape(-1, 800)


def draw_lyft(points):
    """Draw points in the encoding lyft."""
    image = np.zeros((336, 336, 3), dtype=np.uint8)
    counts, step = {}, (2.52 - -1.98) / 3
    for x, y, z, r in points.astype(np.float64):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (-67.2 <= x < 67.2 and -67.2 <= y < 67.2 and -1.98 <= z < 2.52):
            continue
        blue = 2 - floor((z - -1.98) / step)
        pixel = floor((y + 67.2) / 0.4), floor((x + 67.2) / 0.4), blue
        counts[pixel] = counts.get(pixel, 0) + 1
    for pixel, n in counts.items():
        image[pixel] = round(255 * min(1, n / 16))
    return image


def draw_semantic(points, classes):
    """Draw points in the encoding semantic.

    Parameters
    ----------
    points : ndarray of float32, shape (N, 4)
    classes : ndarray of float32, shape (N,)
        The numbers of their classes, NaN for none.
    """
    image = np.full((1600, 1600), 255, dtype=np.uint8)
    counts = {}
    for (x, y, z, r), number in zip(points.astype(np.float64), classes, strict=True):
        if not (isfinite(x) and isfinite(y) and isfinite(z) and isfinite(r)):
            continue
        if not (-80 <= x < 80 and -80 <= y < 80 and -2.73 <= z <= 1.27):
            continue
        if isfinite(number):
            cell = 1599 - floor((x + 80) / 0.1), 1599 - floor((y + 80) / 0.1)
            in_cell = counts.setdefault(cell, {})
            in_cell[number] = in_cell.get(number, 0) + 1
    for cell, in_cell in counts.items():
        most = max(in_cell.values())
        image[cell] = min(number for number, n in in_cell.items() if n == most)
    return image


LOOPS = {
    "notebook": draw_notebook,
    "mv3d": draw_mv3d,
    "mv3d_slices": draw_mv3d_slices,
    "complex_yolo": draw_complex_yolo,
    "pixor": draw_pixor,
    "birdnet": draw_birdnet,
    "avod_like": draw_avod_like,
    "lyft": draw_lyft,
}
"""The loop of each built-in encoding that shows nothing but points."""
