"""Say what an image was made from, and how."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from birdview.counts import Counts
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import KEYWORD, Figures
from birdview.pixels.layout import Layout
from birdview.provenance import SOFTWARE, digest_code, digest_reader

CLASS = "class"
"""The field that labels of single points give to them."""


class Conditions(NamedTuple):
    """What else decides the image of a scan, as digests; empty where nothing does.

    Attributes
    ----------
    camera : str
        Of the camera that sees the points.
    sweeps : str
        Of which scans around are drawn too, and of how the sensor has moved.
    level : str
        Of the pose that says which way is up.
    sensors : str
        Of the layouts and the frames of several sensors.
    classes : str
        Of how labels of single points become classes.
    """

    camera: str = ""
    sweeps: str = ""
    level: str = ""
    sensors: str = ""
    classes: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of all of them; empty without any."""
        if not any(self):
            return ""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()

    def for_encoding(self, encoding: Encoding) -> "Conditions":
        """Return those that decide the images of an encoding."""
        return self if CLASS in encoding.fields else self._replace(classes="")

    def as_text(self) -> dict[str, str]:
        """Return them as an image's text has them, by keyword."""
        return {_keyword(key): value for key, value in self._asdict().items() if value}


def _keyword(condition: str) -> str:
    return f"birdview:{condition}_sha256"


NONE = Conditions()
"""Where nothing else decides."""
CONDITIONS = tuple(map(_keyword, Conditions._fields))
"""Keywords of the conditions in an image's text."""


def parse_conditions(text: Mapping[str, str]) -> Conditions:
    """Return the conditions in the text of an image."""
    return Conditions(*(text.get(keyword, "") for keyword in CONDITIONS))


def recipe(
    encoding: Encoding, layout: Layout, conditions: Conditions = NONE
) -> dict[str, str]:
    """Return the digests of everything that determines an image apart from its scan."""
    digests = {
        "encoding": encoding.digest,
        "layout": layout.digest,
        "code": digest_code(),
    }
    if not layout.is_records:
        digests["reader"] = digest_reader(layout.format)
    if encoding.fields:
        digests["fields"] = layout.digest_fields(encoding.fields)
    decisive = conditions.for_encoding(encoding)._asdict()
    return digests | {key: value for key, value in decisive.items() if value}


@lru_cache(maxsize=1024)  # there may be as many conditions as scans
def digest_recipe(
    encoding: Encoding, layout: Layout, conditions: Conditions = NONE
) -> str:
    """Return the SHA-256 of `recipe`, as it is in the text of every image."""
    parts = json.dumps(recipe(encoding, layout, conditions), sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def describe(
    encoding: Encoding,
    layout: Layout,
    files: Mapping[str, str],
    counts: Counts,
    figures: Figures,
    conditions: Conditions = NONE,
) -> dict[str, str]:
    """Return the text of an image: what it shows and how it was made.

    It has no time, no path and no name of a scan: the same input gives the same text.

    Parameters
    ----------
    encoding : Encoding
    layout : Layout
    files : mapping of str to str
        What is said of the files that were drawn: see `birdview.pixels.assembly`.
    counts : Counts
    figures : Figures
    conditions : Conditions
    """
    decisive = conditions.for_encoding(encoding)
    return {
        "Software": SOFTWARE,
        "birdview:encoding": encoding.name,
        "birdview:encoding_sha256": encoding.digest,
        "birdview:channels": " ".join(channel.name for channel in encoding.channels),
        "birdview:layout": layout.name,
        "birdview:layout_sha256": layout.digest,
        "birdview:recipe": digest_recipe(encoding, layout, decisive),
        **decisive.as_text(),
        **files,
        **counts.as_text(),
        KEYWORD: str(figures),
    }
