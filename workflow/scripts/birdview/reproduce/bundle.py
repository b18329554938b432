"""Pack everything a colleague needs to repeat a run and to compare, in one archive."""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from birdview.files import PathLike, atomic_path
from birdview.pixels.layout import load_layout
from birdview.pixels.schema import is_path
from birdview.reproduce.crate import describe_crate
from birdview.reproduce.dataset import digest_files, list_files
from birdview.reproduce.manifest import Row, format_manifest, read_manifest

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
LABELS = "labels"
"""Where in a bundle the user puts the labels, if the run had some."""
CAMERAS = "cameras"
"""Where in a bundle the user puts the folder of `calib` and `image_2`, if needed."""
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
{about_scans}{about_cameras}
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
    layout = settings["layout"]
    needs_more = load_layout(layout).format in WITH_LIBRARIES
    lock = f"envs/{'formats' if needs_more else 'requirements'}.txt"
    own = {
        name: f"{folder}/{Path(name).name}"
        for folder, names in (
            ("encodings", settings["encodings"]),
            ("layouts", [layout] if isinstance(layout, str) else []),
        )
        for name in names
        if is_path(name)
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
        "labels": _relocate(settings["labels"]),
        "camera_view": _move_cameras(settings["camera_view"]),
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
        **({SPLIT: _list_scans(row.scan for row in rows)} if split else {}),
        **{inside: _list_scans(splits[name]) for name, inside in listed.items()},
        "README.md": _introduce(settings, run, rows, lock).encode(),
        "config.yaml": f"{ABOUT_SETTINGS}{text}".encode(),
        MANIFEST: format_manifest(run, rows).encode(),
    }
    return dict(sorted(files.items()))


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
    camera_view = settings["camera_view"]
    has_own_cameras = isinstance(camera_view, Mapping) and "path" in camera_view
    return README.format(
        images=len(rows),
        scans=len({row.scan for row in rows}),
        names=", ".join(sorted({row.encoding for row in rows})),
        layout=run["layout"],
        lock=lock,
        about_scans=(ABOUT_SCANS if settings["scans"] else ABOUT_DEMO)
        + (ABOUT_LABELS if settings["labels"] else ""),
        about_cameras=ABOUT_CAMERAS if has_own_cameras else "",
        about_images=ABOUT_IMAGES[settings["bundle"]],
    )
