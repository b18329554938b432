"""Find out from settings what the images of a run are made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from birdview.assemblies import Assemblies, LabelFiles, Sensor, Sweeps
from birdview.cameras import Cameras
from birdview.pixels.assembly import AGE
from birdview.pixels.classes import load_classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.field import PADDING
from birdview.pixels.frame import Frame, make_frame
from birdview.pixels.layout import Layout, check_suffix, load_layout
from birdview.pixels.recipe import CLASS
from birdview.pixels.schema import suggest
from birdview.sources import Source
from birdview.tracks import (
    DRIVE,
    PoseFiles,
    Tracks,
    make_tracks,
    make_tracks_of_demo,
)

_EXAMPLE = "sweeps: {before: 4, poses: poses.txt}"


class Mounted(NamedTuple):
    """A sensor, as the settings have it.

    Attributes
    ----------
    folder : str or None
        Where its scans are; None for the demo.
    layout : Layout
        With the frame of the sensor.
    """

    folder: str | None
    layout: Layout


def read_sensors(settings: Mapping[str, Any]) -> list[Mounted]:
    """Return the sensors that the settings name; without `sensors`, there is one.

    Raises
    ------
    OSError, ValueError
        If a layout cannot be read, or if settings contradict each other.
    """
    if settings["sensors"] is None:
        return [Mounted(settings["scans"], _layout(settings, settings, "config"))]
    if settings["scans"] is not None:
        raise ValueError(
            f"config: scans: {settings['scans']} beside sensors, expected null: the "
            f"folder of the first sensor says which scans there are"
        )
    sensors = [
        Mounted(one["scans"], _layout(one, settings, f"config: sensors: {number}"))
        for number, one in enumerate(settings["sensors"])
    ]
    folders = [one.folder for one in sensors]
    if twice := next((one for one in folders if folders.count(one) > 1), None):
        raise ValueError(
            f"config: sensors: {twice} is given twice, expected a folder of its own "
            f"for each"
        )
    return sensors


def _layout(own: Mapping[str, Any], settings: Mapping[str, Any], where: str) -> Layout:
    """Return the layout of a sensor, with what settings say instead of it."""
    layout = load_layout(own.get("layout") or settings["layout"])
    suffix = own.get("suffix") or settings["suffix"]
    if suffix is not None:
        layout = layout._replace(suffix=check_suffix(suffix, f"{where}: suffix"))
    if own.get("frame") is not None:
        layout = layout._replace(frame=make_frame(own["frame"], f"{where}: frame"))
    return layout


def make_assemblies(
    settings: Mapping[str, Any],
    sensors: Sequence[Mounted],
    sources: Sequence[Source],
    list_scans: Callable[[], Iterable[str]],
    cameras: Cameras | None,
    encodings: Mapping[str, Encoding],
    results: str,
) -> Assemblies:
    """Return what the images of a run are made of.

    Parameters
    ----------
    settings : mapping
    sensors : sequence of Mounted
    sources : sequence of Source
        Of the scans of each.
    list_scans : function
        Returns the names of all scans that there are, also those without images.
    cameras : Cameras or None
    encodings : mapping of str to Encoding
    results : str
        The folder of the images.

    Raises
    ------
    OSError, ValueError
        If settings contradict each other, or an encoding shows what points do not have.
    """
    wanted, is_demo = settings["sweeps"], sources[0].is_simulated
    first = sensors[0].layout
    frame, mounts = first.frame, [Frame()]
    if settings["sensors"] is not None:
        frame = make_frame(settings["frame"], "config: frame")
        mounts = [one.layout.frame for one in sensors]
    axes = first.axes if settings["sensors"] is None else Frame()

    def find_tracks(key: str) -> Tracks:
        own = settings[key]
        if is_demo:
            return _tracks_of_demo(own, key, list_scans)
        if own["poses"] is None:
            raise ValueError(
                f"config: {key}: no poses, expected where those of the vehicle are, "
                f"as in `{_EXAMPLE.replace('sweeps', key)}`"
            )
        cache = f"{results}/.birdview/poses"
        files = PoseFiles(key, own["poses"], own["format"], own["calib"], axes, cache)
        return make_tracks(files, list_scans)

    labels = None
    shows_classes = any(CLASS in one.fields for one in encodings.values())
    if shows_classes or settings["point_labels"] is not None:  # which may be wrong
        labels = _label_files(settings["point_labels"], results, is_demo=is_demo)
    sweeps = Sweeps(_offsets(wanted), find_tracks("sweeps")) if wanted else None
    clearance = float(wanted["vehicle"]) if wanted else 0.0
    joined = Assemblies(
        layout=first,
        sensors=tuple(
            Sensor(source, _clear(one.layout, clearance), mount)
            for source, one, mount in zip(sources, sensors, mounts, strict=True)
        ),
        frame=frame,
        cameras=cameras,
        sweeps=sweeps,
        level=find_tracks("level") if settings["level"] is not None else None,
        labels=labels if shows_classes else None,
    )
    for encoding in encodings.values():
        _check_fields(encoding, joined)
    return joined


def _clear(layout: Layout, clearance: float) -> Layout:
    """Return a layout that leaves out a square around the sensor."""
    return layout._replace(choice=layout.choice._replace(clearance=clearance))


def _offsets(wanted: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the positions of sweeps from an image's scan, the nearest first."""
    before, after, step = wanted["before"], wanted["after"], wanted["step"]
    if before + after == 0:
        raise ValueError(
            f"config: sweeps: before 0 and after 0, expected other scans to draw, as "
            f"in `{_EXAMPLE}`; or null"
        )
    return tuple(
        sign * number * step
        for number in range(1, max(before, after) + 1)
        for sign, count in ((-1, before), (1, after))
        if number <= count
    )


def _tracks_of_demo(
    own: Mapping[str, Any], key: str, list_scans: Callable[[], Iterable[str]]
) -> Tracks:
    for name in ("poses", "calib"):
        if own[name] is not None:
            raise ValueError(
                f"config: {key}: {name}: {own[name]} without scans, expected none: the "
                f"demo has its own; or the folder of the scans"
            )
    return make_tracks_of_demo(list_scans)


def _label_files(
    wanted: Mapping[str, Any] | None, results: str, *, is_demo: bool
) -> LabelFiles | None:
    """Return where the labels of points are; those of the demo need no settings."""
    if wanted is None and not is_demo:
        return None
    path, form, table = ((wanted or {}).get(key) for key in ("path", "format", "map"))
    classes = load_classes(table or "semantickitti")
    if not is_demo:
        if path is None:
            raise ValueError(
                "config: point_labels: no path, expected the folder of the labels, as "
                "in `point_labels: {path: sequences/{drive}/labels}`"
            )
        return LabelFiles(path, form or "semantickitti", classes)
    if path is not None:
        raise ValueError(
            f"config: point_labels: path: {path} without scans, expected none: the "
            f"demo has its own; or the folder of the scans"
        )
    return LabelFiles(f"{results}/{DRIVE}/labels", "semantickitti", classes, True)


def _check_fields(encoding: Encoding, joined: Assemblies) -> None:
    """Raise ValueError if an encoding shows what no point of any sensor has."""
    named = dict.fromkeys(
        field.name
        for sensor in joined.sensors
        for field in sensor.layout.fields
        if field.name != PADDING
    )
    for name in encoding.fields:
        where = f"encodings: {encoding.name}: of: {name}"
        if name == AGE and joined.sweeps is None and name not in named:
            raise ValueError(
                f"{where}: there are no sweeps, expected some, as in `{_EXAMPLE}`"
            )
        if name == CLASS and joined.labels is None and name not in named:
            raise ValueError(
                f"{where}: points have no labels, expected where they are, as in "
                f"`point_labels: {{path: sequences/{{drive}}/labels}}`"
            )
        if name not in (AGE, CLASS, *named):
            known = [*named, *([AGE] if joined.sweeps else [])]
            raise ValueError(
                f"{where}: no such field in the layout {joined.layout.name}"
                f"{suggest(name, known)}, expected one of {', '.join(known)}"
            )
