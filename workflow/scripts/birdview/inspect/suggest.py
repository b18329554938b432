"""Suggest the settings that render scans right."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.checks.advice import say_field
from birdview.fit import find_colour, is_built_in
from birdview.inspect.cloud import Cloud, Vehicle, read_cloud
from birdview.inspect.ground import (
    Ground,
    Mounting,
    Points,
    Street,
    find_ground,
    find_street,
    level,
    measure_mounting,
)
from birdview.inspect.intensity import Scale, find_intensity, is_ring, suggest_scale
from birdview.inspect.records import Record
from birdview.inspect.tables import Schema
from birdview.pixels.field import COORDINATES, PADDING, Field
from birdview.pixels.frame import HEIGHT, make_frame
from birdview.pixels.layout import RECORDS, Layout

MAX_OFF = 0.2
"""Metres by which the road may be off: the slope of a road is more."""
_TILTS = 2.5, 5.0
"""Degrees: more is a tilt of the sensor, if it is the same in many scans; and if not,
when it may be a hill."""
_OFTEN = 0.2  # a share of points
NO_RETURN = 0.1
"""Metres: as `min_range`, it says that beams without a return are known."""
_AXES = np.eye(3)

Matrix = NDArray[np.float64]


class Scene(NamedTuple):
    """What scans show, in the axes of a layout without its frame.

    Attributes
    ----------
    clouds : list of Cloud
    grounds : list of Ground or None
        Of each cloud.
    mounting : Mounting or None
        None if there is no road.
    """

    clouds: list[Cloud]
    grounds: list[Ground | None]
    mounting: Mounting | None


class Advice(NamedTuple):
    """One way to render the scans.

    Attributes
    ----------
    layout : Layout
        Without a name if it is not a built-in one, and without a frame of settings.
    frame : dict
        Settings of the frame instead of the layout's; empty for the layout's own.
    meaning : str
        What is forward, for a user who has to choose.
    """

    layout: Layout
    frame: dict[str, float]
    meaning: str

    @property
    def complete(self) -> Layout:
        """The layout with the frame, which reads scans as images show them."""
        if not self.frame:
            return self.layout
        return self.layout._replace(frame=make_frame(self.frame, "frame"))


def survey(files: Sequence[NDArray[np.uint8]], layout: Layout) -> Scene:
    """Read points of some files, and find the road."""
    with np.errstate(all="ignore"):  # any numbers may be out of range
        clouds = [read_cloud(data, layout) for data in files]
        grounds = [find_ground(cloud.position) for cloud in clouds]
        return Scene(clouds, grounds, measure_mounting(grounds))


def look_along(scene: Scene, axes: Matrix) -> Street:
    """Return how the street runs, in axes that are turned by a matrix.

    Parameters
    ----------
    scene : Scene
    axes : ndarray of float64, shape (3, 3)
        Its rows are forward, left and up in the axes of the scene.
    """
    mounting = scene.mounting
    scans: list[Points] = []
    for cloud in scene.clouds:
        points = cloud.position @ axes.T
        if mounting is not None:
            points = level(points, axes @ mounting.up)
            points[:, 2] += mounting.height
        scans.append(points)
    return find_street(scans)


def judge(layout: Layout, scene: Scene) -> list[str]:
    """Return what is wrong with the frame of a layout: height, tilt and direction."""
    found = []
    rotation, shift = np.array(layout.frame.rotation), layout.frame.translation
    mounting = scene.mounting
    if mounting is not None:
        up = rotation @ mounting.up
        road = -(mounting.height - up @ shift)
        off = float(road + HEIGHT)
        if abs(off) > MAX_OFF:
            found.append(
                f"the road is at z = {road:.2f}, expected {-HEIGHT}: "
                f"{abs(off):.2f} m too {'high' if off > 0 else 'low'}"
            )
        angle = float(np.degrees(np.arccos(np.clip(up[2], -1, 1))))
        if angle > 90:
            found.append("the sensor hangs upside down: z is down")
        elif angle > _limit(mounting):
            found.append(f"the road is tilted by {angle:.1f} degrees")
    street = look_along(scene, rotation)
    if street.looks_at:
        found.append(
            f"the sensor looks {street.looks_at} degrees to the left of forward"
        )
    elif street.axis == "y" and _may_be_turned(layout):
        found.append(
            f"the street runs across: {1 / street.ratio:.1f} times as far to the sides "
            f"as ahead"
        )
    return found


def _limit(mounting: Mounting) -> float:
    steady, otherwise = _TILTS
    if mounting.differs:
        return np.inf
    return steady if mounting.is_steady else otherwise


def _may_be_turned(layout: Layout) -> bool:
    # Built-in ones with a frame are known to look forward.
    return layout.frame.is_identity or not is_built_in(layout)


def keep(layout: Layout, scene: Scene) -> list[Advice] | None:
    """Suggest a built-in layout, with another frame if need be.

    Returns
    -------
    list of Advice, or None
        The likeliest first. None if the layout is that of a sensor that is mounted in
        another way: its records may fit, but its name would be wrong. None also if z
        is down, which fields say better than a frame.
    """
    problems = judge(layout, scene)
    chosen = choose_points(layout, scene) if layout.frame.is_identity else layout
    if not problems:
        return [Advice(chosen, {}, "as the layout says")]
    is_upside_down = scene.mounting is not None and scene.mounting.up[2] < 0
    if not layout.frame.is_identity or is_upside_down:
        return None
    frame = _frame(scene.mounting)
    turns = _turns(look_along(scene, _AXES), is_known=True)
    return [
        Advice(chosen, frame | ({"yaw": turn} if turn else {}), meaning)
        for turn, meaning in turns.items()
    ]


def choose_points(layout: Layout, scene: Scene) -> Layout:
    """Return a layout that leaves out duplicates and beams without a return, if many.

    It has no name if it differs.
    """
    choice = layout.choice
    if np.median([cloud.repeated for cloud in scene.clouds]) > _OFTEN:
        choice = choice._replace(drops_duplicates=True)
    is_known = choice.min_range > 0
    if np.median([c.no_return for c in scene.clouds]) > _OFTEN and not is_known:
        choice = choice._replace(min_range=NO_RETURN)
    return (
        layout if choice == layout.choice else layout._replace(name="", choice=choice)
    )


def judge_points(layout: Layout, scene: Scene) -> list[str]:
    """Return which points a layout should leave out, and does not."""
    chosen = choose_points(layout, scene).choice
    if chosen.drops_duplicates == layout.choice.drops_duplicates:
        return []
    share = float(np.median([cloud.repeated for cloud in scene.clouds]))
    return [f"{share:.0%} or more of the points are there twice: `duplicates: drop`"]


def _frame(mounting: Mounting | None) -> dict[str, float]:
    """Return what of a frame is certain enough to be set: height and tilt."""
    frame: dict[str, float] = {}
    if mounting is None:
        return frame
    if abs(mounting.height - HEIGHT) > MAX_OFF:
        frame["height"] = round(mounting.height, 2)
    if np.degrees(np.arccos(min(1.0, mounting.up[2]))) > _limit(mounting):
        frame |= {"pitch": round(mounting.pitch, 1), "roll": round(mounting.roll, 1)}
        frame = {key: value for key, value in frame.items() if value}
    return frame


def _turns(street: Street, is_known: bool) -> dict[int, str]:
    """Return by how many degrees to turn points, with what is forward then."""
    names = {0: "x", 90: "-y", 180: "-x", -90: "y"}

    def describe(*turns: int) -> dict[int, str]:
        return {turn: f"{names[turn]} is forward" for turn in turns}

    if street.looks_at is not None:
        return describe({0: 0, 90: -90, 180: 180, 270: 90}[street.looks_at])
    if street.axis == "y":
        return describe(-90, 90)
    if is_known:
        return describe(0)
    return describe(0, 180) if street.axis == "x" else describe(0, -90)


def describe_record(record: Record, files: Sequence[NDArray[np.uint8]]) -> Layout:
    """Name the fields of a record that no built-in layout describes."""
    fields = _name_coordinates(record)
    rest = [field.type for field in record.layout.fields[3:]]
    layout = record.layout._replace(
        fields=(*fields, *(Field(f"f{n}", kind) for n, kind in enumerate(rest)))
    )
    columns = _columns(files, layout, range(3, len(record.layout.fields)))
    intensity = find_intensity(columns)
    names = _name_rest(columns, intensity)
    named = [*fields, *(Field(*pair) for pair in zip(names, rest, strict=True))]
    layout = layout._replace(fields=tuple(named))
    if intensity is not None:
        layout = set_scale(layout, suggest_scale(columns[intensity]))
    return layout


def _name_coordinates(record: Record) -> list[Field]:
    scale = (record.divisor, 1.0) if record.divisor >= 1 else (1.0, 1 / record.divisor)
    return [
        Field(name, field.type, 1, *scale)
        for name, field in zip(COORDINATES, record.layout.fields, strict=False)
    ]


def describe_table(
    record: Record, schema: Schema, files: Sequence[NDArray[np.uint8]]
) -> Layout:
    """Name the fields of files of another format, which are repacked as records.

    The intensity is known by the name of its column, or among columns without names by
    its values.
    """
    unused = [Field(PADDING, kind) for kind in schema.types[3:]]
    layout = record.layout._replace(fields=(*_name_coordinates(record), *unused))
    number = schema.intensity
    if number is None and schema.nameless:
        columns = _columns(files, layout, schema.nameless)
        found = find_intensity(columns) if columns[0].size else None
        number = None if found is None else schema.nameless[found]
    if number is None:
        return layout
    (values,) = _columns(files, layout, [number])
    fields = list(layout.fields)
    fields[number] = fields[number]._replace(name="intensity")
    return set_scale(layout._replace(fields=tuple(fields)), suggest_scale(values))


def _columns(
    files: Sequence[NDArray[np.uint8]], layout: Layout, numbers: Iterable[int]
) -> list[NDArray[np.float64]]:
    """Return some numbers of points, without beams that did not return."""
    columns = []
    for number in numbers:
        fields = list(layout.fields)
        fields[number] = fields[number]._replace(name="intensity")
        of_number = layout._replace(fields=tuple(fields))
        clouds = [read_cloud(data, of_number).intensity for data in files]
        columns.append(np.concatenate([some for some in clouds if some is not None]))
    return columns


def _name_rest(
    columns: Sequence[NDArray[np.float64]], intensity: int | None
) -> list[str]:
    names = []
    for number, values in enumerate(columns):
        if number == intensity:
            names.append("intensity")
        elif number < 3 and find_colour(columns[:3]):
            names.append(("red", "green", "blue")[number])
        elif values.size and np.ptp(values) == 0:
            names.append("_")
        elif np.isfinite(values).all() and is_ring(values) and "ring" not in names:
            names.append("ring")
        else:
            names.append(f"number_{number + 4}")
    return names


def set_scale(layout: Layout, scale: Scale | None) -> Layout:
    """Return a layout with another scale of the intensity."""
    *_, number = layout.columns
    if number is None or scale is None:
        return layout
    fields = list(layout.fields)
    fields[number] = fields[number]._replace(
        divisor=scale.divisor, factor=1.0, offset=scale.offset
    )
    return layout._replace(fields=tuple(fields), clip=scale.clip)


def adapt(layout: Layout, scene: Scene, is_named: bool = False) -> list[Advice]:
    """Suggest a layout of one's own: axes, height, tilt, duplicates.

    Parameters
    ----------
    layout : Layout
        Its coordinates are taken as right-handed axes, and its frame is not used.
    scene : Scene
        What the files show in its axes.
    is_named : bool
        Whether the files themselves call the coordinates x, y and z: then x is taken
        for forward where the street runs along x.

    Returns
    -------
    list of Advice
        The likeliest first.
    """
    layout = layout._replace(name="", frame=make_frame(None, ""))
    base = _upright(scene.mounting)
    street = look_along(scene, base)
    layout = choose_points(layout, scene)
    advice = []
    is_known = is_named and np.array_equal(base, _AXES)
    for turn in _turns(street, is_known):
        axes = _turn(turn) @ base
        turned = _rename(layout, axes)
        frame = {}
        if scene.mounting is not None:
            mounting = measure_mounting(
                [
                    ground and ground._replace(up=axes @ ground.up)
                    for ground in scene.grounds
                ]
            )
            frame = _frame(mounting)
        advice.append(Advice(turned, frame, _stored(axes[0])))
    return advice


def _upright(mounting: Mounting | None) -> Matrix:
    """Return the axes in which z is up, and the first other one forward."""
    if mounting is None:
        return _AXES
    number = int(np.abs(mounting.up).argmax())
    up = _AXES[number] * np.sign(mounting.up[number])
    forward = _AXES[min({0, 1, 2} - {number})]
    return np.stack([forward, np.cross(up, forward), up])


def _turn(degrees: int) -> Matrix:
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), -90: (0, -1)}[degrees]
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], dtype=float)


def _rename(layout: Layout, axes: Matrix) -> Layout:
    """Return a layout whose fields have the names that the rows of a matrix say."""
    fields = list(layout.fields)
    for column, number in enumerate(layout.columns[:3]):
        assert number is not None
        row = int(np.abs(axes[:, column]).argmax())
        sign = int(axes[row, column]) * fields[number].sign
        fields[number] = fields[number]._replace(name=COORDINATES[row], sign=sign)
    return layout._replace(fields=tuple(fields))


def _stored(forward: NDArray[np.float64]) -> str:
    """Say which coordinate of the file a direction is."""
    number = int(np.abs(forward).argmax())
    way = "backward" if forward[number] < 0 else "forward"
    return f"the {_ORDINALS[number]} coordinate is {way}"


_ORDINALS = "first", "second", "third"


def describe_box(
    vehicle: Vehicle, axes: Layout, layout: Layout
) -> dict[str, dict[str, float]]:
    """Return the box around the vehicle as `without` of a layout.

    Parameters
    ----------
    vehicle : Vehicle
    axes : Layout
        The one in whose axes the vehicle was found.
    layout : Layout
        Of the same records.
    """
    box = {}
    for before, field in zip(axes.fields, layout.fields, strict=True):
        if field.name in COORDINATES:
            number = COORDINATES.index(before.name)
            ends = vehicle.low[number], vehicle.high[number]
            if field.sign != before.sign:
                ends = -ends[1] + 0.0, -ends[0] + 0.0
            box[field.name] = {"min": ends[0], "max": ends[1]}
    return dict(sorted(box.items()))


def write_layout(
    layout: Layout, frame: Mapping[str, float], description: str, notes: Sequence[str]
) -> str:
    """Return the yaml of a layout.

    Parameters
    ----------
    layout : Layout
        Without rules and without a box, as this module suggests.
    frame : mapping
    description : str
    notes : sequence of str
        Comments at the end.
    """
    lines = [f"description: {json.dumps(description, ensure_ascii=False)}"]
    usual: dict[str, Any] = {"format": RECORDS, "suffix": f".{layout.format}"}
    usual |= {"skip": 0, "endian": "little"}
    for key, value in usual.items():
        if getattr(layout, key) != value:
            lines.append(f"{key}: {getattr(layout, key)}")
    if layout.order != "records":
        lines.append(f"order: {layout.order}")
    lines.append("fields:")
    for field in layout.fields:
        lines.append(f"  - {say_field(field)}")
    if any(layout.origin):
        lines.append(f"origin: [{', '.join(f'{one:.15g}' for one in layout.origin)}]")
    if layout.clip:
        lines.append("clip: true")
    if frame:
        lines.append(f"frame: {write_mapping(frame)}")
    if layout.choice.min_range:
        lines.append(f"min_range: {layout.choice.min_range:g}")
    if layout.choice.drops_duplicates:
        lines.append("duplicates: drop")
    return "\n".join([*lines, *(f"# {note}" for note in notes)]) + "\n"


def write_mapping(values: Mapping[str, Any]) -> str:
    """Return a mapping of numbers or mappings in one line of yaml."""
    pairs = (
        f"{key}: {write_mapping(value) if isinstance(value, Mapping) else value}"
        for key, value in values.items()
    )
    return "{" + ", ".join(pairs) + "}"
