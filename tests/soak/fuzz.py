"""Fuzzes what reads files: scans, images, encodings, manifests, labels.

    pip install atheris==3.0.0  # Python 3.11 to 3.13
    python tests/soak/fuzz.py READER SECONDS

A reader is one of those below. All that it may raise of a file is a ValueError of one
line that begins with the file's name. Anything else is a finding, and atheris keeps it
in a file, where it was started.
"""

import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

# Numba cannot compile what is instrumented.
COMPILED = ["birdview.scan", "birdview.inflate", "birdview.deflate", "birdview.kernels"]

with atheris.instrument_imports(include=["birdview"], exclude=COMPILED):
    from birdview.boxes import read_boxes
    from birdview.encoding import load_encoding
    from birdview.image import decode_image
    from birdview.layout import find_layout
    from birdview.manifest import read_manifest
    from birdview.scan import decode_scan

PLACE = Path(tempfile.mkdtemp()) / "fuzzed.yaml"
LAYOUTS = [find_layout(name) for name in ("kitti", "nuscenes", "waymo6")]


def scan(data):
    """Read points in the layout that the first byte chooses."""
    layout = LAYOUTS[data[0] % len(LAYOUTS)] if data else LAYOUTS[0]
    decode_scan(np.frombuffer(data[1:], np.uint8), layout, PLACE)


def image(data):
    """Read an image, or any other file."""
    decode_image(data, PLACE)


def encoding(data):
    """Read a file of yaml."""
    PLACE.write_bytes(data)
    load_encoding(PLACE)


def manifest(data):
    """Read a table."""
    PLACE.write_bytes(data)
    read_manifest(PLACE)


def boxes(data):
    """Read a label and a calibration, apart at the first 0."""
    label, _, calib = data.partition(b"\0")
    PLACE.write_bytes(label)
    PLACE.with_suffix(".calib").write_bytes(calib)
    read_boxes(PLACE, PLACE.with_suffix(".calib"))


READERS = {
    reader.__name__: reader for reader in (scan, image, encoding, manifest, boxes)
}


def seeds(reader):
    """Yield the content of files from which the fuzzer starts."""
    yield b""
    if reader == "encoding":
        for path in (ROOT / "workflow" / "encodings").glob("*.yaml"):
            yield path.read_bytes()
    if reader == "image":
        for path in (ROOT / "docs").glob("*.png"):
            yield path.read_bytes()[:5000]
        from birdview.png import Canvas

        yield Canvas((3, 4, 3)).encode({"birdview:channels": "a b c"})
        yield Canvas((3, 4, 2)).encode({})
    if reader == "scan":
        yield b"\0" + np.arange(40, dtype="<f4").tobytes()
    if reader == "manifest":
        yield (ROOT / "tests" / "known_answers.tsv").read_bytes()
    if reader == "boxes":
        yield (
            b"Car 0.00 0 1.85 387 181 423 203 1.67 1.87 3.69 -16.53 2.39 58.49 1.57\n\0"
            b"R0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
        )


def main():
    """Fuzz one reader for some seconds."""
    reader, seconds = sys.argv[1:3]

    def once(data):
        try:
            READERS[reader](data)
        except ValueError as error:
            message = str(error)
            named = message.startswith((str(PLACE), str(PLACE.with_suffix(".calib"))))
            if not named or "\n" in message:
                raise

    corpus = Path(tempfile.mkdtemp())
    for number, content in enumerate(seeds(reader)):
        (corpus / str(number)).write_bytes(content)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
