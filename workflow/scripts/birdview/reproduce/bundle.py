"""Pack everything a colleague needs to repeat a run and to compare, in one archive."""

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from birdview.files import PathLike, atomic_path
from birdview.pixels.layout import load_layout
from birdview.pixels.schema import is_path
from birdview.reproduce.crate import describe_crate
from birdview.reproduce.dataset import digest_files, list_files
from birdview.reproduce.manifest import Row, format_manifest, read_manifest
from birdview.tracks import DRIVE

FILES = ("LICENSE", "Snakefile")
FOLDERS = ("envs", "profiles", "workflow")
SUFFIXES = (".css", ".html", ".in", ".js", ".py", ".rst", ".smk", ".txt", ".yaml")
"""What a bundle holds of the project: these files, and in these folders the files with
these suffixes."""
CRATE = "ro-crate-metadata.json"
REFERENCE = "reference"
"""The folder in a bundle that holds the manifest and, beside it, the images."""
MANIFEST = f"{REFERENCE}/manifest.tsv"
SCANS = "scans"
"""Where in a bundle the user puts the scans."""
SENSORS = "sensors"
"""Where in a bundle the user puts the scans of several sensors, by their numbers."""
LABELS = "labels"
"""Where in a bundle the user puts the labels, if the run had some."""
CAMERAS = "cameras"
"""Where in a bundle the user puts the folder of `calib` and `image_2`, if needed."""
POINT_LABELS = "point_labels"
"""Where in a bundle the user puts the labels of points, if images show them."""
POSES = "sweeps", "level"
"""Settings that need poses, and the folders in a bundle that have them."""
TABLES = "nuscenes"
"""The format of poses that are not packed, and where in `POSES` the user puts them."""
SPLIT = "split.txt"
"""The list of the scans in a bundle, if the run had one."""
SPLITS = "splits"
"""The folder in a bundle for the lists of scans of a data set's splits."""
DIGITS = 12
"""Digits of the SHA-256 in the name of a bundle."""
WITH_LIBRARIES = "feather", "las"
"""Formats whose readers need more than `envs/requirements.txt`."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of all files in an archive: its bytes do not depend on when it was made."""

README = """\
# A run of birdview, to repeat and to compare

{images} bird's-eye-view images of {scans} scans: encodings {names}, layout {layout}.
{about_inputs}
You need Python 3.11, 3.12 or 3.13 on Linux or macOS, and three commands in this folder.
Set up the same environment:

    python3 -m venv .venv && .venv/bin/pip install -r {lock}

Render the images to `results/`:

    .venv/bin/snakemake --cores all

Verify that they are the same as those of this bundle:

    .venv/bin/snakemake verify

`reference/manifest.tsv` lists the images with the digests of their scans, pixels and
files. {about_images}

The settings of the run are in `config.yaml`; `workflow/schemas/config.schema.yaml`
explains them. `ro-crate-metadata.json` describes the content for archives.
"""
ABOUT_DEMO = """
The scans are simulated by the same commands.
"""
ABOUT_SCANS = f"""
The scans are not included. Put their folder, or a link to it, beside this file with the
name `{SCANS}`: the files below it must have the names in the manifest.
"""
ABOUT_SENSORS = f"""
The scans are not included. Put the folders of the sensors, or links to them, into a
folder `{SENSORS}` beside this file with the names {{}}, in the order in which they are
drawn: the files below them must have the names in the manifest.
"""
ABOUT_SWEEPS = """
Scans around those in the manifest are drawn, too: whole drives are needed.
"""
ABOUT_POSES = """
The poses are included: {}.
"""
ABOUT_TABLES = """
The poses are not included. Put the folder of nuScenes' tables, such as `v1.0-trainval`,
or a link to it, beside this file with the name `{}`.
"""
ABOUT_POINT_LABELS = f"""
The labels of points are not included either. Put their folder, or a link to it, beside
this file with the name `{POINT_LABELS}`{{}}.
"""
OF_DRIVES = """: those of a drive belong into
`{}`"""
ABOUT_LABELS = f"""
The labels are not included either. Put their folder, or a link to it, beside this file
with the name `{LABELS}`. Without them, write `labels: null` in `config.yaml`: then
`verify` compares the images, and says that there is no data set. To make that as well:

    .venv/bin/snakemake dataset --cores all
"""
ABOUT_CAMERAS = f"""
Nor are the calibrations of their cameras, which decide what points are drawn. Put the
folder that has KITTI's `calib` and `image_2` beside this file, and call it `{CAMERAS}`.
"""
ABOUT_IMAGES = {
    "digests": "The images are not included.",
    "images": "The images are beside it; `results/verify/` shows where others differ.",
}
ABOUT_SETTINGS = """\
# All settings of the run; workflow/schemas/config.schema.yaml explains them.
"""


def name_bundle(
    project: PathLike,
    settings: Mapping[str, Any],
    splits: Mapping[str, Sequence[str]],
    manifest: PathLike,
) -> str:
    """Return the file name of a run's bundle, which has a digest of its content.

    For the arguments see `write_bundle`. Images count by their digests in the manifest.
    """
    return _name(_collect(project, settings, splits, *read_manifest(manifest)))


def write_bundle(
    path: PathLike,
    project: PathLike,
    settings: Mapping[str, Any],
    splits: Mapping[str, Sequence[str]],
    manifest: PathLike,
    results: PathLike,
    datasets: Mapping[str, PathLike],
) -> None:
    """Write the bundle of a run.

    The same run gives the same bytes on any machine: there are no folders, times or
    platforms in the bundle.

    Parameters
    ----------
    path : path-like
        The archive to write.
    project : path-like
        The folder of the Snakefile.
    settings : mapping
        The run's, with all defaults.
    splits : mapping of str to sequence of str
        The scans of each split of the data set.
    manifest : path-like
        The run's.
    results : path-like
        The folder of the images that it lists.
    datasets : mapping of str to path-like
        The folder of each encoding's data set, if there is one.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    ValueError
        If the archive has the wrong name, if the manifest cannot be read, or if an
        image or a data set is not the one that it lists.
    """
    run, rows = read_manifest(manifest)
    files = _collect(project, settings, splits, run, rows)
    if Path(path).name != (name := _name(files)):
        raise ValueError(f"{path}: expected the name {name}, by what is in it")
    with_images, scans = settings["bundle"] == "images", len({row.scan for row in rows})
    files[CRATE] = describe_crate(files, MANIFEST, scans, with_images)
    # Nothing is compressed: the result would depend on the library.
    with atomic_path(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, content in files.items():
            archive.writestr(_entry(name), content)
        for row in rows if with_images else ():
            name = f"{row.encoding}/{row.scan}.png"
            content = Path(results, name).read_bytes()
            if hashlib.sha256(content).hexdigest() != row.file_sha256:
                raise ValueError(f"{name}: not the image that {manifest} lists")
            archive.writestr(_entry(f"{REFERENCE}/{name}"), content)
        for encoding, folder in datasets.items() if with_images else ():
            key = f"dataset {encoding}"
            if key in run and digest_files(folder) != run[key]:
                raise ValueError(f"{folder}: not the data set that {manifest} lists")
            for name in list_files(folder) if key in run else ():
                inside = f"{REFERENCE}/dataset/{encoding}/{name}"
                archive.writestr(_entry(inside), Path(folder, name).read_bytes())


def _name(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"birdview-{digest.hexdigest()[:DIGITS]}.zip"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = 0o644 << 16
    return entry


def _collect(
    project: PathLike,
    settings: Mapping[str, Any],
    splits: Mapping[str, Sequence[str]],
    run: Mapping[str, str],
    rows: Sequence[Row],
) -> dict[str, bytes]:
    """Return the files of a bundle by their names in it, sorted.

    Without the images, and without the crate, which follows from the rest.
    """
    project = Path(project)
    run = {key: value for key, value in run.items() if key != "platform"}
    paths = [project / name for name in FILES]
    for folder in FOLDERS:
        paths += (project / folder).rglob("*")
    split = settings["split"]
    layout, sensors = settings["layout"], settings["sensors"]
    layouts = [layout, *(one["layout"] for one in sensors or () if one["layout"])]
    needs_more = any(load_layout(one).format in WITH_LIBRARIES for one in layouts)
    lock = f"envs/{'formats' if needs_more else 'requirements'}.txt"
    point_labels = settings["point_labels"]
    own = {
        **_move_own("encodings", settings["encodings"]),
        **_move_own("layouts", [one for one in layouts if isinstance(one, str)]),
        **_move_own("classes", [point_labels["map"]] if point_labels else []),
    }
    poses = {
        path: content
        for key in POSES
        for path, content in _pack_poses(key, settings[key], rows).items()
    }
    dataset = settings["dataset"]
    listed = {
        name: f"{SPLITS}/{name}.txt"
        for name, wanted in dataset["splits"].items()
        if isinstance(wanted, str)
    }
    settings = {
        **{key: value for key, value in settings.items() if key != "scans_per_job"},
        "scans": settings["scans"] and SCANS,
        "split": split and SPLIT,
        "dataset": {**dataset, "splits": dataset["splits"] | listed},
        "sensors": sensors and _move_sensors(sensors, own),
        "labels": _relocate(settings["labels"]),
        "camera_view": _move_cameras(settings["camera_view"]),
        **{key: _move_poses(key, settings[key]) for key in POSES},
        "point_labels": _move_point_labels(point_labels, own),
        "predictions": None,
        "bag": None,
        "topic": None,
        "compare_with": MANIFEST,
        "encodings": [own.get(name, name) for name in settings["encodings"]],
        "layout": own.get(layout, layout) if isinstance(layout, str) else layout,
    }
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    files = {
        **{
            path.relative_to(project).as_posix(): path.read_bytes()
            for path in paths
            if path.is_file() and (path.suffix in SUFFIXES or path.name in FILES)
        },
        **{inside: Path(name).read_bytes() for name, inside in own.items()},
        **poses,
        **({SPLIT: _list_scans(row.scan for row in rows)} if split else {}),
        **{inside: _list_scans(splits[name]) for name, inside in listed.items()},
        "README.md": _introduce(settings, run, rows, lock).encode(),
        "config.yaml": f"{ABOUT_SETTINGS}{text}".encode(),
        MANIFEST: format_manifest(run, rows).encode(),
    }
    return dict(sorted(files.items()))


def _move_own(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Return where files of the user's own are in a bundle, by their paths.

    They keep their names, which images have. Those of two folders may have the same.
    """
    own: dict[str, str] = {}
    for name in filter(is_path, dict.fromkeys(names)):
        inside = f"{folder}/{Path(name).name}"
        if inside in own.values():
            inside = f"{folder}/{len(own)}/{Path(name).name}"
        own[name] = inside
    return own


def _beside(folder: str, path: str) -> str:
    """Return a path in a bundle that has the names of drives where another has them."""
    parts = PurePosixPath(os.path.normpath(path)).parts
    first = next((i for i, part in enumerate(parts) if DRIVE in part), len(parts))
    return "/".join([folder, *parts[first:]])


def _move_sensors(
    sensors: Iterable[Mapping[str, Any]], own: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the setting `sensors` with the folders and layouts of a bundle."""
    return [
        {
            **one,
            "scans": f"{SENSORS}/{number}",
            "layout": own.get(one["layout"], one["layout"]),
        }
        for number, one in enumerate(sensors)
    ]


def _move_point_labels(
    labels: Mapping[str, Any] | None, own: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return the setting `point_labels` with the paths that a bundle has."""
    if labels is None:
        return None
    path, table = labels["path"], labels["map"]
    return {
        **labels,
        "path": path and _beside(POINT_LABELS, path),
        "map": own.get(table, table),
    }


def _move_poses(folder: str, own: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the setting `sweeps` or `level` with the paths that a bundle has."""
    if own is None:
        return None
    poses, calib = own["poses"], own["calib"]
    if poses is not None and own["format"] == TABLES:
        poses = _beside(f"{folder}/{TABLES}", poses)
    elif poses is not None:
        poses = _place(folder, "poses", poses)
    return {**own, "poses": poses, "calib": calib and _place(folder, "calib", calib)}


def _place(folder: str, name: str, path: str) -> str:
    """Return where something that is packed is in a bundle: drives have folders."""
    drive = f"{DRIVE}/" if DRIVE in path else ""
    return f"{folder}/{drive}{name}{PurePosixPath(path).suffix}"


def _pack_poses(
    folder: str, own: Mapping[str, Any] | None, rows: Iterable[Row]
) -> dict[str, bytes]:
    """Return the files of poses and their calibrations, by their names in a bundle."""
    if own is None or own["format"] == TABLES:
        return {}
    drives = sorted({row.scan.partition("/")[0] for row in rows})
    return {
        inside.replace(DRIVE, drive): content
        for key in ("poses", "calib")
        if (path := own[key])
        for drive in (drives if DRIVE in path else [""])
        for inside, content in _read_files(
            Path(path.replace(DRIVE, drive)), _place(folder, key, path)
        )
    }


def _read_files(path: Path, inside: str) -> Iterator[tuple[str, bytes]]:
    """Yield the names in a bundle and the bytes of a file, or of the text in a folder.

    A folder is KITTI-360's calibration, which has more than that of points.
    """
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            yield f"{inside}/{file.name}", file.read_bytes()
    else:
        yield inside, path.read_bytes()


def _relocate(labels: Any) -> Any:
    """Return the setting `labels` with the path that they have in a bundle."""
    if isinstance(labels, Mapping):
        return {**labels, "path": LABELS}
    return labels and LABELS


def _move_cameras(camera_view: Any) -> Any:
    """Return the setting with the folder that it has in a bundle.

    Without one of its own, it is that of the labels.
    """
    if isinstance(camera_view, Mapping) and "path" in camera_view:
        return {**camera_view, "path": CAMERAS}
    return camera_view


def _list_scans(scans: Iterable[str]) -> bytes:
    """Return a split, which may have had paths of this machine, as names alone."""
    return "".join(f"{scan}\n" for scan in sorted({*scans})).encode()


def _introduce(
    settings: Mapping[str, Any], run: Mapping[str, str], rows: Sequence[Row], lock: str
) -> str:
    """Return the README of a bundle."""
    return README.format(
        images=len(rows),
        scans=len({row.scan for row in rows}),
        names=", ".join(sorted({row.encoding for row in rows})),
        layout=run["layout"],
        lock=lock,
        about_inputs="".join(_explain_inputs(settings, run)),
        about_images=ABOUT_IMAGES[settings["bundle"]],
    )


def _explain_inputs(
    settings: Mapping[str, Any], run: Mapping[str, str]
) -> Iterator[str]:
    """Yield what a bundle has of the inputs of the run, and where others belong."""
    if settings["sensors"]:
        names = [f"`{number}`" for number in range(len(settings["sensors"]))]
        yield ABOUT_SENSORS.format(f"{', '.join(names[:-1])} and {names[-1]}")
    else:
        yield ABOUT_SCANS if settings["scans"] else ABOUT_DEMO
    if settings["sweeps"] and (settings["scans"] or settings["sensors"]):
        yield ABOUT_SWEEPS
    point_labels = settings["point_labels"]
    if point_labels and point_labels["path"] and "classes" in run:
        path = point_labels["path"]
        where = OF_DRIVES.format(path) if DRIVE in path else ""
        yield ABOUT_POINT_LABELS.format(where)
    if settings["labels"]:
        yield ABOUT_LABELS
    camera_view = settings["camera_view"]
    if isinstance(camera_view, Mapping) and "path" in camera_view:
        yield ABOUT_CAMERAS
    with_poses = [settings[key] for key in POSES if settings[key]]
    packed = [one["poses"] for one in with_poses if one["format"] != TABLES]
    if packed := [f"`{path}`" for path in packed if path]:
        yield ABOUT_POSES.format(" and ".join(packed))
    for one in with_poses:
        if one["format"] == TABLES and one["poses"]:
            yield ABOUT_TABLES.format(one["poses"])
