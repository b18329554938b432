"""Drives for tests of several sweeps: scans, poses, and plain loops over points."""

import numpy as np

from birdview.demo import simulate_scan

SENSOR_TO_CAMERA = "0.008 -1 -0.01 -0.004 0.015 0.001 -1 -0.08 1 0.008 0.015 -0.27"
"""KITTI's `Tr`, rounded."""


def thin_scans(count, every=20):
    """Return some of the points of the demo's first scans, one for each metre."""
    return [simulate_scan(number, seed=0)[::every] for number in range(count)]


def make_pose(number, yaw=0.02, step=1.0):
    """Return where a sensor is that drives along a curve: a matrix, shape (4, 4)."""
    pose = np.eye(4)
    c, s = np.cos(yaw * number), np.sin(yaw * number)
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = step * number, 0.1 * number * number, 0.01 * number
    return pose


def make_camera_pose(number, **how):
    """Return where the camera is, as in KITTI's poses: shape (3, 4)."""
    mount = np.eye(4)
    mount[:3] = np.reshape(SENSOR_TO_CAMERA.split(), (3, 4)).astype(float)
    # Its numbers are rounded: the nearest rotation is one that can be inverted.
    u, _, v = np.linalg.svd(mount[:3, :3])
    mount[:3, :3] = u @ v
    return (mount @ make_pose(number, **how) @ np.linalg.inv(mount))[:3]


def as_row(numbers):
    """Return numbers as text that restores each of them."""
    return " ".join(map(repr, np.ravel(numbers).tolist()))


def write_poses(path, poses):
    """Write poses in KITTI's format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{as_row(pose)}\n" for pose in poses))


def compose(left, right):
    """Return the motion that is first the right one; lists of three rows of four."""
    return [
        [
            left[i][0] * right[0][k]
            + left[i][1] * right[1][k]
            + left[i][2] * right[2][k]
            + (left[i][3] if k == 3 else 0.0)
            for k in range(4)
        ]
        for i in range(3)
    ]


def invert(motion):
    """Return the motion back."""
    turn = [[motion[k][i] for k in range(3)] + [0.0] for i in range(3)]
    back = compose(turn, motion)
    return [[*turn[i][:3], -back[i][3]] for i in range(3)]


def find_motion(moved, still, mount):
    """Return inv(mount) inv(still) moved mount, with the difference of places first."""
    moved, still, mount = (np.asarray(one).tolist() for one in (moved, still, mount))
    near = [[*row[:3], row[3] - other[3]] for row, other in zip(moved, still, strict=1)]
    back = invert([[*row[:3], 0.0] for row in still])
    return compose(compose(invert(mount), compose(back, near)), mount)


def move(point, motion):
    """Return a point in other axes, rounded to float32 once."""
    x, y, z, intensity = map(float, point)
    moved = [row[0] * x + row[1] * y + row[2] * z + row[3] for row in motion]
    return [*map(np.float32, moved), np.float32(intensity)]


def assemble(scans, reference, offsets, motion_of, vehicle=1.0):
    """Return the points of an image and how old they are, one after the other.

    Parameters
    ----------
    scans : list of ndarray, shape (N, 4)
    reference : int
    offsets : list of int
        In the order of drawing; that of the reference is added.
    motion_of : function
        Returns what moves points of a scan to the reference, as three rows of four.
    vehicle : float
    """
    points, ages = [], []
    for offset in (0, *offsets):
        if not 0 <= reference + offset < len(scans):
            continue
        motion = motion_of(reference + offset) if offset else None
        for point in scans[reference + offset]:
            if abs(point[0]) < vehicle and abs(point[1]) < vehicle:
                continue
            points.append(move(point, motion) if motion else point)
            ages.append(-offset)
    return np.array(points, dtype=np.float32), ages
