"""Render a part of the scans by a Snakemake of its own.

For more scans than one plan can hold; and on a cluster, where a part is a job.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from birdview import bucket
from birdview.checks.images import read_tables, write_tables
from birdview.files import PathLike, write_atomically
from birdview.pixels.layout import load_layout
from birdview.pixels.schema import is_path
from birdview.run import Run
from birdview.splits import read_names


def scans_of(run: Run, part: str) -> list[str]:
    """Return the names of the scans of a part.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    if part not in run.parts:
        raise ValueError(f"part {part}: unknown, expected 00000 to {max(run.parts)}")
    return run.parts[part]


def digest_names(run: Run, part: str) -> str:
    """Return a digest of the names of the scans of a part."""
    return hashlib.sha256("\n".join(scans_of(run, part)).encode()).hexdigest()


class States:
    """Digests of the state of the scans of each part.

    Each is taken once, before the part is rendered, so that the next run notices scans
    that changed during this one.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.digest = cache(self._digest)

    def _digest(self, part: str) -> str:
        states = [self._run.source.state(scan) for scan in scans_of(self._run, part)]
        return hashlib.sha256(repr(states).encode()).hexdigest()


def settings_of_parts(run: Run) -> dict[str, Any]:
    """Return the settings for the nested Snakemake.

    None turns off what does not apply there.
    """
    scans = run.settings["scans"]
    return {
        "scans": scans and (scans.rstrip("/") or "/"),
        "match": None,  # its split has the names of the scans
        **{key: run.settings[key] for key in ("layout", "suffix", "frame")},
        "encodings": run.settings["encodings"],
        "demo": run.settings["demo"],
        "labels": None,
        "compare_with": None,
    }


def write_settings(path: PathLike, settings: Mapping[str, Any]) -> None:
    """Write settings as yaml."""
    text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
    write_atomically(path, text.encode())


def write_split(path: PathLike, scans: list[str]) -> None:
    """Write the names of scans, one per line."""
    text = "".join(f"{scan}\n" for scan in scans)
    write_atomically(path, text.encode())


def render_part(
    snakefile: PathLike,
    settings: PathLike,
    split: PathLike,
    cores: int,
    log: PathLike,
    tables: PathLike,
    scans_bucket: Any = None,
    images_bucket: Any = None,
) -> None:
    """Render the images of a part that are missing or stale.

    Scans in a bucket are downloaded first. With images in a bucket, uploads the
    finished images even if some failed, and deletes stale copies of those that failed.
    With a bucket on either side, all images of the part are rendered.

    Parameters
    ----------
    snakefile : path-like
        Of this workflow.
    settings, split : path-like
        Written by `write_settings` and `write_split`.
    cores : int
    log : path-like
        For the output of the nested Snakemake.
    tables : path-like
        The folder of `failed.tsv` and `warnings.tsv` of all parts, if images go to a
        bucket.
    scans_bucket : StorageObject of snakemake-storage-plugin-s3, optional
        Where the scans are in a bucket.
    images_bucket : StorageObject of snakemake-storage-plugin-s3, optional
        Where the images go in a bucket; otherwise they are in results/ here.

    Raises
    ------
    OSError
        If a bucket cannot be read from or written to.
    ValueError
        If not all images could be rendered, or if the split is not a list of names.
    """
    with open(log, "w") as file, tempfile.TemporaryDirectory() as stage:
        staged = _stage(settings, split, Path(stage), scans_bucket, images_bucket)
        here = Path(stage if images_bucket else ".")
        # With profiles/default alone: SNAKEMAKE_PROFILE may name that of a cluster.
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", snakefile),
            *("--directory", here, "--profile", "none", "--cores", str(cores)),
            *("--configfile", Path(stage, "settings.yaml")),
        ]
        status = subprocess.call(command, stdout=file, stderr=file)
        if images_bucket:
            _exchange_images(here / "results", staged, images_bucket)
            scans = read_names(split)
            found = read_tables(here / "results", scans)
            write_tables(tables, *found, scans, since=0)
    if status:
        raise ValueError(f"{split}: not all images could be rendered: see {log}")


def _stage(
    settings: PathLike,
    split: PathLike,
    stage: Path,
    scans_bucket: Any,
    images_bucket: Any,
) -> dict[str, Any]:
    """Download scans, and write settings for the part; return these."""
    staged: dict[str, Any] = yaml.safe_load(Path(settings).read_text(encoding="utf-8"))
    staged["split"] = os.path.abspath(split)
    if scans_bucket:
        suffix = staged["suffix"] or load_layout(staged["layout"]).suffix
        scans = [f"{scan}{suffix}" for scan in read_names(split)]
        bucket.fetch(scans_bucket, scans, stage / "scans")
        staged["scans"] = str(stage / "scans")
    if images_bucket:
        # Snakemake works in another folder.
        staged["scans"] = os.path.abspath(staged["scans"])
        staged["encodings"] = list(map(_absolute, staged["encodings"]))
        if isinstance(staged["layout"], str):
            staged["layout"] = _absolute(staged["layout"])
    write_settings(stage / "settings.yaml", staged)
    return staged


def _absolute(name: str) -> str:
    """Return the absolute path of a yaml file that is not built-in."""
    return os.path.abspath(name) if is_path(name) else name


def _exchange_images(
    results: Path, settings: Mapping[str, Any], images_bucket: Any
) -> None:
    """Upload the images that were rendered; remove older ones of scans that failed."""
    scans = read_names(settings["split"])
    names = [
        f"{Path(encoding).stem}/{scan}.png"
        for encoding in settings["encodings"]
        for scan in scans
    ]
    finished = [name for name in names if (results / name).exists()]
    bucket.put(images_bucket, finished, results)
    failed = [name for name in names if _has_failed(results, name)]
    bucket.remove(images_bucket, failed)


def _has_failed(results: Path, name: str) -> bool:
    """Whether an image failed, and not merely whether its job has not run yet."""
    log = results / "logs" / f"{name.removesuffix('.png')}.log"
    return log.exists() and not (results / name).exists()
