"""Say what an image was made from, and how."""

import hashlib
import json
from functools import cache

from birdview.counts import Counts
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import KEYWORD, Figures
from birdview.pixels.layout import Layout
from birdview.provenance import SOFTWARE, digest_code, digest_reader


def recipe(encoding: Encoding, layout: Layout) -> dict[str, str]:
    """Return the digests of everything that determines an image apart from its scan."""
    digests = {
        "encoding": encoding.digest,
        "layout": layout.digest,
        "code": digest_code(),
    }
    if not layout.is_records:
        digests["reader"] = digest_reader(layout.format)
    return digests


@cache
def digest_recipe(encoding: Encoding, layout: Layout) -> str:
    """Return the SHA-256 of `recipe`, as it is in the text of every image."""
    parts = json.dumps(recipe(encoding, layout), sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def describe(
    encoding: Encoding,
    layout: Layout,
    scan_digest: str,
    counts: Counts,
    figures: Figures,
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
    """
    return {
        "Software": SOFTWARE,
        "birdview:encoding": encoding.name,
        "birdview:encoding_sha256": encoding.digest,
        "birdview:channels": " ".join(channel.name for channel in encoding.channels),
        "birdview:layout": layout.name,
        "birdview:layout_sha256": layout.digest,
        "birdview:recipe": digest_recipe(encoding, layout),
        "birdview:scan_sha256": scan_digest,
        **{f"birdview:{key}": str(count) for key, count in counts._asdict().items()},
        KEYWORD: str(figures),
    }
