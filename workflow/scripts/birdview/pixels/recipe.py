"""Say what an image was made from, and how."""

import hashlib
import json
from functools import lru_cache

from birdview.counts import Counts
from birdview.pixels.camera import Camera
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import KEYWORD, Figures
from birdview.pixels.layout import Layout
from birdview.provenance import SOFTWARE, digest_code, digest_reader

CAMERA = "birdview:camera_sha256"
"""The keyword of the digest of the camera that sees the points; none, without one."""


def recipe(encoding: Encoding, layout: Layout, camera: str = "") -> dict[str, str]:
    """Return the digests of everything that determines an image apart from its scan.

    Parameters
    ----------
    encoding : Encoding
    layout : Layout
    camera : str
        The digest of the camera that sees the points; empty if all are drawn.
    """
    digests = {
        "encoding": encoding.digest,
        "layout": layout.digest,
        "code": digest_code(),
    }
    if not layout.is_records:
        digests["reader"] = digest_reader(layout.format)
    if camera:
        digests["camera"] = camera
    return digests


@lru_cache(maxsize=1024)  # there may be as many cameras as scans
def digest_recipe(encoding: Encoding, layout: Layout, camera: str = "") -> str:
    """Return the SHA-256 of `recipe`, as it is in the text of every image."""
    parts = json.dumps(recipe(encoding, layout, camera), sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def describe(
    encoding: Encoding,
    layout: Layout,
    scan_digest: str,
    counts: Counts,
    figures: Figures,
    camera: Camera | None = None,
) -> dict[str, str]:
    """Return the text of an image: what it shows and how it was made.

    It has no time, no path and no name of a scan: the same input gives the same text.

    Parameters
    ----------
    encoding : Encoding
    layout : Layout
    scan_digest : str
        The SHA-256 of the scan's bytes.
    counts : Counts
    figures : Figures
    camera : Camera, optional
        What left out points that it does not see.
    """
    digest = camera.digest if camera else ""
    return {
        "Software": SOFTWARE,
        "birdview:encoding": encoding.name,
        "birdview:encoding_sha256": encoding.digest,
        "birdview:channels": " ".join(channel.name for channel in encoding.channels),
        "birdview:layout": layout.name,
        "birdview:layout_sha256": layout.digest,
        "birdview:recipe": digest_recipe(encoding, layout, digest),
        **({CAMERA: digest} if digest else {}),
        "birdview:scan_sha256": scan_digest,
        **counts.as_text(),
        KEYWORD: str(figures),
    }
