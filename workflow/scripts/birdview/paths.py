"""Where the files that ship with birdview are."""

from pathlib import Path

PACKAGE = Path(__file__).parent
WORKFLOW = PACKAGE.parents[1]
ROOT = WORKFLOW.parent

PIXELS = PACKAGE / "pixels"
"""The code that decides pixels: see `birdview.provenance.digest_code`."""

ENCODINGS = WORKFLOW / "encodings"
SCHEMAS = WORKFLOW / "schemas"
GALLERY = WORKFLOW / "gallery"
"""The files that the gallery's page is made of."""

LOCK = ROOT / "envs" / "requirements.txt"
"""The exact versions that users install."""
