"""Bundles: all that a colleague needs to repeat a run and to compare, in a file."""

import hashlib
import zipfile
from pathlib import Path

import yaml

from birdview.crate import describe_crate
from birdview.encoding import is_path
from birdview.manifest import format_manifest, read_manifest
from birdview.render import whole

TOP = ("LICENSE", "Snakefile")
FOLDERS = ("envs", "profiles", "workflow")
SUFFIXES = (".css", ".html", ".in", ".js", ".py", ".rst", ".smk", ".txt", ".yaml")
"""What a bundle holds of the project: files by name, and of folders by their kind."""
CRATE = "ro-crate-metadata.json"
REFERENCE = "reference"
"""The folder in a bundle of the manifest and, beside it, the images."""
MANIFEST = f"{REFERENCE}/manifest.tsv"
SCANS = "scans"
"""Where in a bundle the scans are to be put."""
SPLIT = "split.txt"
"""The list of the scans in a bundle, if the run had one."""
DIGITS = 12
"""Of the SHA-256 in the name of a bundle."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of all files in an archive, whose bytes shall not depend on when it was made."""

README = """\
# A run of birdview, to repeat and to compare

{images} bird's-eye-view images of {scans} scans: encodings {names}, layout {layout}.
{about_scans}
All that is needed is Python 3.11, 3.12 or 3.13, on Linux or macOS, and three commands
in this folder. Set up the same environment:

    python3 -m venv .venv && .venv/bin/pip install -r envs/requirements.txt

Render the images, to `results/`:

    .venv/bin/snakemake --cores all

And see that they are the same as the ones of this bundle, or what differs:

    .venv/bin/snakemake verify

`reference/manifest.tsv` lists the images by the digests of their scans, pixels and
files. {about_images}

The settings of the run are in `config.yaml`; `workflow/schemas/config.schema.yaml` says
what each means. `ro-crate-metadata.json` tells archives what is in here.
"""
ABOUT_DEMO = """
The scans are simulated, and made in here too.
"""
ABOUT_SCANS = f"""
The scans are not in here. Put their folder, or a link to it, beside this file under the
name `{SCANS}`: the files below it must have the names that the manifest lists.
"""
ABOUT_IMAGES = {
    "digests": "The images are not in here.",
    "images": "The images are beside it; `results/verify/` shows where others differ.",
}
ABOUT_SETTINGS = """\
# All settings of the run; workflow/schemas/config.schema.yaml says what each means.
"""


def name_bundle(project, settings, manifest):
    """Name the bundle of a run by what is in it; for the arguments see `write_bundle`.

    The images count by their digests, which the manifest has.
    """
    return _name(_collect(project, settings, *read_manifest(manifest)))


def write_bundle(path, project, settings, manifest):
    """Write the bundle of a run.

    The same run gives the same bytes, wherever and whenever: the bundle tells neither
    folders nor times nor the platform.

    Parameters
    ----------
    path : path-like
        The archive to write.
    project : path-like
        The folder of the Snakefile.
    settings : mapping
        Of the run, with all defaults.
    manifest : path-like
        Of the run's images, which are beside it.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    ValueError
        If the archive's name should be another, if the manifest is none, or if an image
        is not the one that it lists.
    """
    run, rows = read_manifest(manifest)
    files = _collect(project, settings, run, rows)
    if Path(path).name != (name := _name(files)):
        raise ValueError(f"{path}: expected the name {name}, by what is in it")
    with_images, scans = settings["bundle"] == "images", len({row.scan for row in rows})
    files[CRATE] = describe_crate(files, MANIFEST, scans, with_images)
    # All is stored as it is: what compression makes of it depends on the library.
    with whole(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, content in files.items():
            archive.writestr(_entry(name), content)
        for row in rows if with_images else ():
            name = f"{row.encoding}/{row.scan}.png"
            content = (Path(manifest).parent / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != row.file_sha256:
                raise ValueError(f"{name}: not the image that {manifest} lists")
            archive.writestr(_entry(f"{REFERENCE}/{name}"), content)


def _name(files):
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"birdview-{digest.hexdigest()[:DIGITS]}.zip"


def _entry(name):
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = 0o644 << 16
    return entry


def _collect(project, settings, run, rows):
    """Return the files of a bundle by their names in it, sorted.

    All but the images, and the crate, which follows from them.
    """
    project = Path(project)
    run = {key: value for key, value in run.items() if key != "platform"}
    paths = [project / name for name in TOP]
    for folder in FOLDERS:
        paths += (project / folder).rglob("*")
    split = settings["split"]
    own = {name: f"encodings/{Path(name).name}" for name in settings["encodings"]}
    own = {name: place for name, place in own.items() if is_path(name)}
    settings = {
        **{key: value for key, value in settings.items() if key != "part_size"},
        "scans": settings["scans"] and SCANS,
        "split": split and SPLIT,
        "labels": None,
        "reference": MANIFEST,
        "encodings": [own.get(name, name) for name in settings["encodings"]],
    }
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    files = {
        **{
            path.relative_to(project).as_posix(): path.read_bytes()
            for path in paths
            if path.is_file() and (path.suffix in SUFFIXES or path.name in TOP)
        },
        **{place: Path(name).read_bytes() for name, place in own.items()},
        **({SPLIT: Path(split).read_bytes()} if split else {}),
        "README.md": _introduce(settings, run, rows).encode(),
        "config.yaml": f"{ABOUT_SETTINGS}{text}".encode(),
        MANIFEST: format_manifest(run, rows).encode(),
    }
    return dict(sorted(files.items()))


def _introduce(settings, run, rows):
    """Return the README of a bundle."""
    return README.format(
        images=len(rows),
        scans=len({row.scan for row in rows}),
        names=", ".join(sorted({row.encoding for row in rows})),
        layout=run["layout"],
        about_scans=ABOUT_SCANS if settings["scans"] else ABOUT_DEMO,
        about_images=ABOUT_IMAGES[settings["bundle"]],
    )
