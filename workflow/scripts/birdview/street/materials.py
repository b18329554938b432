"""Materials: what a surface sends back of a ray, and the class of its points.

The classes are SemanticKITTI's. Reflectance runs from 0, black, to 1, white;
reflectors for headlights have more.
"""

from typing import NamedTuple

CAR, BICYCLE, PERSON = 10, 11, 30
ROAD, PARKING, SIDEWALK, BUILDING, FENCE, MARKING = 40, 44, 48, 50, 51, 60
VEGETATION, TRUNK, TERRAIN, POLE, SIGN = 70, 71, 72, 80, 81
MOVING_CAR, MOVING_BICYCLIST, MOVING_PERSON = 252, 253, 254


class Material(NamedTuple):
    """What a surface is made of.

    Attributes
    ----------
    label : int
        The label of its points: a class, and above the low 16 bits an instance.
    reflectance : float
    porosity : float
        The share of the rays that it lets through to what is behind.
    depth : float
        Metres behind the surface from which a return may come: leaves, grass, the
        seats behind a windscreen.
    """

    label: int
    reflectance: float
    porosity: float = 0.0
    depth: float = 0.0


ASPHALT = Material(ROAD, 0.15)
TRACK = Material(ROAD, 0.11)  # where wheels roll
BAY = Material(PARKING, 0.24)
PAINT = Material(MARKING, 0.85)
PAVING = Material(SIDEWALK, 0.32)
KERB = Material(SIDEWALK, 0.42)
LAWN = Material(TERRAIN, 0.45, depth=0.08)
BED = Material(TERRAIN, 0.3, depth=0.15)
GROUND = ASPHALT, TRACK, BAY, PAINT, PAVING, KERB, LAWN, BED
"""Those of the ground, in the order of their numbers."""

LEAVES = Material(VEGETATION, 0.42, porosity=0.35, depth=1.2)
BUSH = Material(VEGETATION, 0.38, porosity=0.12, depth=0.7)
HEDGE = Material(VEGETATION, 0.4, porosity=0.05, depth=0.4)
BARK = Material(TRUNK, 0.22)
PICKETS = Material(FENCE, 0.5, porosity=0.55)
WALL = Material(FENCE, 0.4)
STEEL = Material(POLE, 0.55)
REFLECTOR = Material(SIGN, 1.6)
STEPS = Material(BUILDING, 0.35)
SHADE = Material(BUILDING, 0.12)
GLASS = 0.03
"""The reflectance of a window, and of what is seen through it."""
RUBBER, PLASTIC, LAMP, PLATE = 0.04, 0.1, 0.9, 1.6
"""Reflectances of the parts of a car."""
