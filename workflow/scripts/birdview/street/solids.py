"""Solids: the shapes that objects in the street are made of.

Lengths are in metres, in the axes of the street: x along it, y to the left, z up.
"""

from collections.abc import Callable, Iterator, Sequence
from math import cos, hypot, sin
from typing import NamedTuple

from birdview.street.materials import Material


class Facade(NamedTuple):
    """The windows and the door in the front of a house.

    Attributes
    ----------
    y : float
        Where the front is.
    x : float
        Where the first axis of windows begins.
    pitch : float
        The distance from axis to axis.
    door : int
        The axis that has a door instead.
    """

    y: float
    x: float
    pitch: float
    door: int


class Solid(NamedTuple):
    """A part of an object.

    Attributes
    ----------
    x, y, z : float
        The middle of its base.
    radius : float
        Of an upright cylinder around it.
    height : float
    material : Material
    faces : tuple
        Of a convex solid with plane faces: the normal of each, away from the solid,
        and its distance from the middle of the base. A solid without is round.
    edges : tuple
        Small faces in place of edges, which are left out where they look away.
    is_ball : bool
        Whether a round one is an ellipsoid, not a cylinder.
    corners : tuple
        x and y of the corners of the base, from its middle.
    facade : Facade, optional
    """

    x: float
    y: float
    z: float
    radius: float
    height: float
    material: Material
    faces: tuple[tuple[float, float, float, float], ...] = ()
    edges: tuple[tuple[float, float, float, float], ...] = ()
    is_ball: bool = False
    corners: tuple[tuple[float, float], ...] = ()
    facade: Facade | None = None


class Thing(NamedTuple):
    """An object in the street, which is built once it is seen.

    Attributes
    ----------
    x, y, z : float
        The middle of its base.
    radius, height : float
        Of an upright cylinder around it.
    build : function
        Yields its parts. Its argument says whether it is near: an object that is not
        has fewer of them.
    corners : tuple
        x and y of the corners of its base, from its middle.
    """

    x: float
    y: float
    z: float
    radius: float
    height: float
    build: Callable[[bool], Iterator["Solid"]]
    corners: tuple[tuple[float, float], ...] = ()


class Place(NamedTuple):
    """Where an object stands, and how it is turned.

    Attributes
    ----------
    x, y, z : float
        The middle of its base.
    yaw : float
        Radians from the direction of the street.
    """

    x: float
    y: float
    z: float = 0.0
    yaw: float = 0.0

    def move(self, ahead: float, left: float, up: float) -> "Place":
        """Return a place near this one, in the axes of its object."""
        c, s = cos(self.yaw), sin(self.yaw)
        x, y = self.x + c * ahead - s * left, self.y + s * ahead + c * left
        return Place(x, y, self.z + up, self.yaw)


def block(
    place: Place,
    size: Sequence[float],
    material: Material,
    chamfer: float = 0.0,
    rake: tuple[float, float, float] = (0.0, 0.0, 0.0),
    facade: Facade | None = None,
) -> Solid:
    """Return a box, maybe with cut corners or leaning faces.

    Parameters
    ----------
    place : Place
    size : sequence of float
        Length, width and height.
    material : Material
    chamfer : float
        What is cut from the length and the width at each upright edge.
    rake : tuple of float
        How much shorter the top is than the base at the front, the back and each side.
    facade : Facade, optional
    """
    length, width, height = size
    c, s = cos(place.yaw), sin(place.yaw)
    front, back, side = rake
    sides = [
        _lean(c, s, length / 2, front, height),
        _lean(-c, -s, length / 2, back, height),
        _lean(-s, c, width / 2, side, height),
        _lean(s, -c, width / 2, side, height),
    ]
    edges = []
    if chamfer:
        plus, minus = (c + s) * 0.5**0.5, (c - s) * 0.5**0.5
        out = ((length + width) / 2 - chamfer) * 0.5**0.5
        for x, y in ((minus, plus), (plus, -minus), (-minus, -plus), (-plus, minus)):
            edges.append((x, y, 0.0, out))
    sides.append((0.0, 0.0, 1.0, height))
    if place.z > 0.2:  # nothing else is seen from below
        sides.append((0.0, 0.0, -1.0, 0.0))
    ahead, aside = (c * length / 2, s * length / 2), (-s * width / 2, c * width / 2)
    x, y = ahead[0] + aside[0], ahead[1] + aside[1]
    u, v = ahead[0] - aside[0], ahead[1] - aside[1]
    return Solid(
        *place[:3],
        radius=hypot(length, width) / 2,
        height=height,
        material=material,
        faces=tuple(sides),
        edges=tuple(edges),
        corners=((x, y), (u, v), (-x, -y), (-u, -v)),
        facade=facade,
    )


def _lean(x, y, out, rake, height):
    """Return an upright face, `out` from the middle, or one that leans inwards."""
    if not rake:
        return x, y, 0.0, out
    slope = hypot(height, rake)
    return x * height / slope, y * height / slope, rake / slope, out * height / slope


def wheel(place: Place, radius: float, width: float, material: Material) -> Solid:
    """Return a wheel, an octagon; its place is where it touches the road."""
    c, s, half = cos(place.yaw), sin(place.yaw), 0.5**0.5
    faces = [(s, -c, 0.0, width / 2), (-s, c, 0.0, width / 2)]
    faces += [(c, s, 0.0, radius), (-c, -s, 0.0, radius), (0.0, 0.0, 1.0, 2 * radius)]
    edges = [
        (c * x, s * x, z, radius + radius * z)
        for x in (half, -half)
        for z in (half, -half)
    ]
    reach = hypot(radius, width / 2)
    return Solid(
        *place[:3], reach, 2 * radius, material, faces=tuple(faces), edges=tuple(edges)
    )


def cylinder(place: Place, radius: float, height: float, material: Material) -> Solid:
    """Return an upright cylinder, without a top."""
    return Solid(*place[:3], radius, height, material)


def ball(place: Place, radius: float, height: float, material: Material) -> Solid:
    """Return an upright ellipsoid; its place is its lowest point."""
    return Solid(*place[:3], radius, height, material, is_ball=True)
