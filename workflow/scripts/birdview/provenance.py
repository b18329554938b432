"""Provenance: what an image was made from, and by what."""

import hashlib
from pathlib import Path

import birdview

PIXEL_MODULES = (
    "layout",
    "scan",
    "grid",
    "schema",
    "channel",
    "encoding",
    "kernels",
    "raster",
    "deflate",
    "png",
    "render",
)
"""The modules between a scan and its image: an edit to one makes all images stale."""


LOCK = Path(__file__).parents[3] / "envs" / "requirements.txt"
SOFTWARE = f"birdview {birdview.__version__}"


def digest_code(modules=PIXEL_MODULES):
    """Return the SHA-256 of the source of some modules of this package."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
    return digest.hexdigest()


def digest_lock():
    """Return the SHA-256 of the list of exact versions that users install."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def describe(encoding, layout, scan_digest, counts):
    """Say, for the text of an image, what it shows and how it came about.

    Returns
    -------
    dict of str to str
        No time, no path, no name of a scan: the same input gives the same words.
    """
    return {
        "Software": SOFTWARE,
        "birdview:encoding": encoding.name,
        "birdview:encoding_sha256": encoding.digest,
        "birdview:channels": " ".join(channel.name for channel in encoding.channels),
        "birdview:layout": layout,
        "birdview:scan_sha256": scan_digest,
    } | {f"birdview:{what}": str(count) for what, count in counts._asdict().items()}
