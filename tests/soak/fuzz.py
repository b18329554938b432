"""Fuzz everything that reads files: scans, images, encodings, manifests, labels.

    pip install atheris==3.0.0  # Python 3.11 to 3.13
    python tests/soak/fuzz.py READER SECONDS

READER is one of the functions below. A reader may only raise a ValueError of one line
that starts with the file's name. Anything else is a finding; atheris writes the input
to the current folder.
"""

import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

# Numba cannot compile what is instrumented.
COMPILED = [
    "birdview.inflate",
    "birdview.pixels.deflate",
    "birdview.pixels.kernels",
    "birdview.pixels.readers.decimals",
    "birdview.pixels.readers.lzf",
    "birdview.pixels.sample",
    "birdview.pixels.scan",
]

with atheris.instrument_imports(include=["birdview"], exclude=COMPILED):
    from birdview import paths
    from birdview.image import decode_image
    from birdview.inflate import inflate
    from birdview.pixels.encoding import load_encoding
    from birdview.pixels.layout import load_layout
    from birdview.pixels.scan import decode_scan
    from birdview.reproduce.manifest import read_manifest
    from birdview.training.labels.argoverse2 import _read_table
    from birdview.training.labels.kitti import read_boxes
    from birdview.training.labels.source import Labels, make_labels
    from birdview.training.labels.tracking import _read_frames

FILE = Path(tempfile.mkdtemp()) / "fuzzed.yaml"
BUILT_IN = [load_layout(file.stem) for file in sorted(paths.LAYOUTS.glob("*.yaml"))]


def scan(data):
    """Read points in the layout chosen by the first byte."""
    layout = BUILT_IN[data[0] % len(BUILT_IN)] if data else BUILT_IN[0]
    decode_scan(np.frombuffer(data[1:], np.uint8), layout, FILE)


def image(data):
    """Read an image, with zlib or with the compiled inflate."""
    if len(data) % 2:
        decode_image(data, FILE)
    else:
        decode_image(data, FILE, inflate)


def encoding(data):
    """Read an encoding's yaml."""
    FILE.write_bytes(data)
    load_encoding(FILE)


def manifest(data):
    """Read a table."""
    FILE.write_bytes(data)
    read_manifest(FILE)


def boxes(data):
    """Read labels and a calibration, which the first 0 separates."""
    label, _, calib = data.partition(b"\0")
    FILE.write_bytes(label)
    FILE.with_suffix(".calib").write_bytes(calib)
    read_boxes(FILE, FILE.with_suffix(".calib"))


def labels_of(form: str, **more: str) -> Labels:
    """Return the labels beside the file."""
    settings = {"format": form, "path": str(FILE.parent), **more}
    found = make_labels(settings, BUILT_IN[0])
    assert found
    return found


def plain(data):
    """Read boxes in plain text."""
    FILE.with_suffix(".txt").write_bytes(data)
    labels_of("boxes", origin="center").read(FILE.stem, BUILT_IN[0].frame)


def labelcloud(data):
    """Read labels of labelCloud."""
    FILE.with_suffix(".json").write_bytes(data)
    labels_of("labelcloud").read(FILE.stem, BUILT_IN[0].frame)


def tracking(data):
    """Read labels of a drive and a calibration, which the first 0 separates."""
    text, _, calib = data.partition(b"\0")
    for folder, content in (("label_02", text), ("calib", calib)):
        (FILE.parent / folder).mkdir(exist_ok=True)
        (FILE.parent / folder / "0.txt").write_bytes(content)
    _read_frames.cache_clear()  # files may change faster than their time of change
    labels_of("kitti").read("0/0")


def argoverse2(data):
    """Read labels of Argoverse 2."""
    (FILE.parent / "annotations.feather").write_bytes(data)
    _read_table.cache_clear()
    labels_of("argoverse2").read("1")


READERS = {
    reader.__name__: reader
    for reader in (
        *(scan, image, encoding, manifest, boxes, plain, labelcloud, tracking),
        argoverse2,
    )
}


def seeds(reader):
    """Yield the contents of files that the fuzzer starts from."""
    yield b""
    if reader == "encoding":
        for path in (ROOT / "workflow" / "encodings").glob("*.yaml"):
            yield path.read_bytes()
    if reader == "image":
        for path in (ROOT / "docs").glob("*.png"):
            yield path.read_bytes()[:5000]
        from birdview.pixels.drawing import trace

        yield trace(np.zeros((3, 4, 3), np.uint8)).encode(
            {"birdview:channels": "a b c"}
        )
        yield trace(np.zeros((3, 4, 2), np.uint8)).encode({})
    if reader == "scan":
        yield b"\0" + np.arange(40, dtype="<f4").tobytes()
    if reader == "manifest":
        digest = "0123456789abcdef" * 4
        yield (
            "# software\tbirdview\n"
            "encoding\tscan\tscan_sha256\tpixels_sha256\tfile_sha256\tread\tnonfinite\t"
            "outside\tdrawn\tcells\n"
            f"lyft\t0\t{digest}\t{digest}\t{digest}\t3\t0\t1\t2\t1\n"
        ).encode()
    if reader == "boxes":
        yield (
            b"Car 0.00 0 1.85 387 181 423 203 1.67 1.87 3.69 -16.53 2.39 58.49 1.57\n\0"
            b"R0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
        )
    if reader == "plain":
        yield b"# a car\n10.2 3 -0.95 4 2 1.5 0.5 Car\n"
    if reader == "labelcloud":
        yield (
            b'{"objects": [{"name": "Car", "centroid": {"x": 1, "y": 2, "z": 3.5}, '
            b'"dimensions": {"length": 4, "width": 2, "height": 1.5}, '
            b'"rotations": {"x": 0, "y": 0, "z": 90}}]}'
        )
    if reader == "tracking":
        yield (
            b"0 0 Car 0 0 1.85 0 1 2 3 1.67 1.87 3.69 -16.53 2.39 58.49 1.57\n\0"
            b"R_rect 1 0 0 0 1 0 0 0 1\nTr_velo_cam 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
        )
    if reader == "argoverse2":
        import pyarrow as pa
        from pyarrow import feather

        columns = {"timestamp_ns": [1], "category": ["BUS"]}
        columns |= {name: [1.0] for name in ("length_m", "width_m", "height_m", "qw")}
        columns |= {name: [0.0] for name in ("qx", "qy", "qz", "tx_m", "ty_m", "tz_m")}
        for compression in ("lz4", "uncompressed"):
            path = FILE.with_suffix(".feather")
            feather.write_feather(pa.table(columns), path, compression=compression)
            yield path.read_bytes()


def main():
    """Fuzz one reader for some seconds."""
    reader, seconds = sys.argv[1:3]

    def once(data):
        try:
            READERS[reader](data)
        except ValueError as error:
            message = str(error)
            if not message.startswith(str(FILE.parent)) or "\n" in message:
                raise

    corpus = Path(tempfile.mkdtemp())
    for number, content in enumerate(seeds(reader)):
        (corpus / str(number)).write_bytes(content)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
