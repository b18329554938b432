"""Parts: some of the scans, rendered by a Snakemake of their own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from birdview import bucket
from birdview.dataset import read_split
from birdview.encoding import is_path
from birdview.layout import find_layout


def write_settings(path, settings):
    """Write settings for the Snakemake of a part.

    Parameters
    ----------
    path : path-like
    settings : mapping
    """
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    Path(path).write_text(text, encoding="utf-8")


def write_split(path, scans):
    """Write the names of the scans of a part, a line each.

    Parameters
    ----------
    path : path-like
    scans : list of str
    """
    text = "".join(f"{scan}\n" for scan in scans)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def render_part(snakefile, settings, split, cores, log, source=None, target=None):
    """Render the images of a part that are missing or stale.

    Scans in a bucket are brought to this machine first; images go to a bucket in the
    end, also if some could not be made, whose older ones are removed. With a bucket on
    either side, all of the part are made anew.

    Parameters
    ----------
    snakefile : path-like
        Of this workflow.
    settings, split : path-like
        Written by `write_settings` and `write_split`.
    cores : int
    log : path-like
        For what the Snakemake of the part says.
    source : StorageObject of snakemake-storage-plugin-s3, optional
        Where the scans are in a bucket.
    target : StorageObject of snakemake-storage-plugin-s3, optional
        Where the images go in a bucket; otherwise they are in results/ here.

    Raises
    ------
    OSError
        If a bucket cannot be read from or written to.
    ValueError
        If not all images could be made, or if the split is not a list of names.
    """
    with open(log, "w") as file, tempfile.TemporaryDirectory() as stage:
        settings = _stage(settings, split, Path(stage), source, target)
        here = Path(stage if target else ".")
        # With profiles/default alone: SNAKEMAKE_PROFILE may name that of a cluster.
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", snakefile),
            *("--directory", here, "--profile", "none", "--cores", str(cores)),
            *("--configfile", Path(stage, "settings.yaml")),
        ]
        status = subprocess.call(command, stdout=file, stderr=file)
        if target:
            _exchange_images(here / "results", settings, target)
    if status:
        raise ValueError(f"{split}: not all images could be made: {log} says why")


def _stage(settings, split, stage, source, target):
    """Bring scans here, and write settings for the part; return these."""
    settings = yaml.safe_load(Path(settings).read_text(encoding="utf-8"))
    settings["split"] = os.path.abspath(split)
    if source:
        suffix = find_layout(settings["layout"]).suffix
        scans = [f"{scan}{suffix}" for scan in read_split(split)]
        bucket.fetch(source, scans, stage / "scans")
        settings["scans"] = str(stage / "scans")
    if target:
        # Snakemake will work elsewhere.
        settings["scans"] = os.path.abspath(settings["scans"])
        settings["encodings"] = [
            os.path.abspath(name) if is_path(name) else name
            for name in settings["encodings"]
        ]
    write_settings(stage / "settings.yaml", settings)
    return settings


def _exchange_images(results, settings, target):
    """Bring the images that were made; remove older ones of scans that failed."""
    scans = read_split(settings["split"])
    names = [
        f"{Path(encoding).stem}/{scan}.png"
        for encoding in settings["encodings"]
        for scan in scans
    ]
    bucket.put(target, [name for name in names if (results / name).exists()], results)
    bucket.remove(target, [name for name in names if _has_failed(results, name)])


def _has_failed(results, name):
    """Whether an image could not be made; and not: whether its turn has not come."""
    log = results / "logs" / f"{name.removesuffix('.png')}.log"
    return log.exists() and not (results / name).exists()
