"""Say before a large run how much disk it needs, and how it would be faster."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from birdview.pixels.encoding import Encoding
from birdview.run import SCANS_PER_JOB, Run

MANY, LARGE = 5000, 1000
"""Numbers of images: for more than the first, batches are advised; for the second and
more, a run says how much disk it needs."""
OWN_MS, RENDER_MS = 8.0, 5.0
"""Milliseconds for an image: Snakemake's own if it has a job, with any number of cores;
and those of one core that renders it. See docs/speed.md."""
_SAMPLES = 3

MeasureImage = Callable[[Run, Encoding, str], int]
"""Returns the size of an image that does not exist, 0 if it cannot be made."""


def advise_batches(images: int, cores: int) -> str:
    """Return how much faster a run would be in batches; empty for a small one.

    Parameters
    ----------
    images : int
        To be rendered, one job each.
    cores : int
    """
    if images <= MANY:
        return ""
    times = (OWN_MS + RENDER_MS / cores) / (RENDER_MS / cores)
    return (
        f"{images:,} images, one job each: with --config "
        f"scans_per_job={SCANS_PER_JOB}, this run would be about {times:.0f} times as "
        f"fast on {cores} cores"
    )


def describe_disk(run: Run, images: int, measure: MeasureImage) -> str:
    """Return how much disk a large run needs, and how much is free.

    Empty for a small run.

    Parameters
    ----------
    run : Run
        Of images on this machine; for a bucket there is nothing to say.
    images : int
        To be rendered.
    measure : function
    """
    if images < LARGE or run.results_prefix or run.assemblies.are_remote:
        return ""
    sizes = [_mean_size(run, encoding, measure) for encoding in run.encodings.values()]
    if not all(sizes):
        return ""
    needed = images * sum(sizes) / len(sizes)
    folder = os.path.abspath(run.results)
    free = shutil.disk_usage(_nearest_folder(folder)).free
    line = (
        f"disk: about {_as_size(needed)} for {images:,} images, {_as_size(free)} free"
    )
    if needed > free:
        line += f": not enough in {folder}, expected more, or fewer scans or encodings"
    return line


def _mean_size(run: Run, encoding: Encoding, measure: MeasureImage) -> float:
    """Return the mean size of some images in bytes; 0 if none can be made."""
    step = max(1, len(run.scans) // _SAMPLES)
    sizes = [_size(run, encoding, scan, measure) for scan in run.scans[::step]]
    known = [size for size in sizes if size]
    return sum(known) / len(known) if known else 0.0


def _size(run: Run, encoding: Encoding, scan: str, measure: MeasureImage) -> int:
    try:
        return os.stat(run.image_path(encoding.name, scan)).st_size
    except OSError:
        return measure(run, encoding, scan)


def _nearest_folder(path: str) -> Path:
    """Return a folder or the first above it that exists."""
    return next(
        folder for folder in (Path(path), *Path(path).parents) if folder.exists()
    )


def _as_size(size: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
