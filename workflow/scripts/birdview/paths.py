"""Find the files that ship with birdview, in a clone or in the installed package."""

from pathlib import Path

PACKAGE = Path(__file__).parent

if (PACKAGE / "encodings").is_dir():  # installed
    _DATA = PACKAGE
    LOCK = PACKAGE / "requirements.txt"
else:
    _DATA = PACKAGE.parents[1]
    ROOT = _DATA.parent
    """The clone; an installed package has none."""
    LOCK = ROOT / "envs" / "requirements.txt"
    """The exact versions that users of the workflow install."""

PIXELS = PACKAGE / "pixels"
"""The code that decides pixels: see `birdview.provenance.digest_code`."""

READERS = PIXELS / "readers"
"""The code that reads one format each: see `birdview.provenance.digest_reader`."""

ENCODINGS = _DATA / "encodings"
LAYOUTS = _DATA / "layouts"
CLASSES = _DATA / "classes"
"""Tables of classes of single points: see `birdview.pixels.classes`."""
SCHEMAS = _DATA / "schemas"
GALLERY = _DATA / "gallery"
"""The files that the gallery's page is made of."""
