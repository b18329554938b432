"""Compute statistics of planes, compared with NumPy over images that OpenCV decodes."""

import json
import random
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import OWN

from birdview.counts import Counts
from birdview.image import ImageFile, as_planes
from birdview.inflate import inflate
from birdview.pixels.drawing import trace
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import read_text
from birdview.pixels.render import render
from birdview.training.statistics import (
    compute_statistics,
    count_shades,
    summarise,
    write_statistics,
)

SCANS = "drive/0", "drive/1", "empty", "far"


def encoding_of(tmp_path, name):
    """Return a built-in encoding, one of four planes, or one of a single plane."""
    if name in ("lyft", "pixor"):
        return load_encoding(name)
    text = OWN
    if name == "one":
        text = OWN.partition("  - {name: height")[0].replace("each", "1")
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    return load_encoding(path)


@pytest.fixture
def make_images(tmp_path, make_scan):
    """Render scans in an encoding: two drives, no point, and points outside."""

    def make(name):
        encoding = encoding_of(tmp_path, name)
        images = []
        for seed, scan in enumerate(SCANS):
            file = tmp_path / f"{scan}.bin"
            file.parent.mkdir(exist_ok=True)
            if scan == "far":
                np.full((9, 4), (5000, 0, 0, 0.5), dtype=np.float32).tofile(file)
            else:
                make_scan(file, 0 if scan == "empty" else 3000, seed=seed)
            render(file, file.with_suffix(".png"), encoding)
            path = str(file.with_suffix(".png"))
            images.append(ImageFile(path, encoding, scan, str(file)))
        return images

    return make


def with_opencv(images):
    """Return the planes of all images side by side, decoded by OpenCV."""
    planes = []
    for image in images:
        pixels = cv2.imread(image.path, cv2.IMREAD_UNCHANGED)
        if pixels.ndim == 3:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        count = len(image.encoding.channels)
        planes.append(as_planes(pixels, count).reshape(count, -1))
    return np.concatenate(planes, axis=1)


def check(found, planes):
    """Compare the statistics of pixels, shape (planes, pixels), with NumPy's."""
    assert found["count"] == planes.shape[1]
    for k, plane in enumerate(planes):
        assert found["histogram"][k] == np.bincount(plane, minlength=256).tolist()
        assert found["mean_255"][k] == plane.mean()
        assert found["mean"][k] == plane.mean() / 255
        assert found["std_255"][k] == pytest.approx(plane.std(), rel=1e-12)
        assert found["std"][k] == found["std_255"][k] / 255


@pytest.mark.parametrize("name", ["lyft", "pixor", "own", "one"])
def test_statistics_are_those_of_numpy(make_images, name):
    """Of three planes in one pixel, and of one, four or many below each other."""
    images = make_images(name)
    splits = {"train": ["drive/0", "empty"], "val": ["drive/1"], "none": []}
    found = compute_statistics(images, splits, 2, inflate)
    encoding = images[0].encoding
    planes = {"lyft": 3, "pixor": 36, "own": 4, "one": 1}
    assert encoding.shape[2] == planes[name]
    assert found["encoding_sha256"] == encoding.digest
    assert found["channels"] == [channel.name for channel in encoding.channels]
    for part, scans in (("all", SCANS), *splits.items()):
        split = found["all"] if part == "all" else found["splits"][part]
        assert split["scans"] == len(scans)
        if scans:
            planes = with_opencv([one for one in images if one.scan in scans])
            check(split["pixels"], planes)
            check(split["occupied"], planes[:, planes.any(axis=0)])
            assert split["occupied"]["count"] > 0
    nothing = [None] * len(encoding.channels)
    for pixels in (found["splits"]["none"][key] for key in ("pixels", "occupied")):
        assert pixels["count"] == 0
        assert [pixels[key] for key in ("mean", "std", "mean_255")] == [nothing] * 3
        assert np.shape(pixels["histogram"]) == (len(nothing), 256)
        assert not np.any(pixels["histogram"])


def test_empty_image(make_images):
    """All pixels are background, and none is occupied."""
    images = [one for one in make_images("lyft") if one.scan in ("empty", "far")]
    found = compute_statistics(images, {}, 1)["all"]
    assert found["pixels"]["count"] == 2 * 336 * 336
    assert found["pixels"]["mean"] == found["pixels"]["std"] == [0.0] * 3
    assert found["pixels"]["histogram"] == [[2 * 336 * 336, *[0] * 255]] * 3
    assert found["occupied"]["count"] == 0
    assert found["occupied"]["mean"] == [None] * 3


def test_bytes_depend_on_neither_order_nor_threads(make_images, tmp_path):
    """Nor on what inflates the pixels."""
    images = make_images("own")
    splits = {"train": SCANS[::2], "val": SCANS[1::2]}
    contents = set()
    for threads, options in ((1, ()), (2, (inflate,))):
        for seed in range(3):
            shuffled = random.Random(seed).sample(images, len(images))
            found = compute_statistics(shuffled, splits, threads, *options)
            write_statistics(tmp_path / "own.json", found)
            contents.add((tmp_path / "own.json").read_bytes())
    (content,) = contents
    assert json.loads(content) == found
    assert content.endswith(b"}\n")
    assert content.count(b"\n") < 150  # a line for each list of numbers


def make_encoding(tmp_path, planes, cols, background):
    """Return an encoding of three rows."""
    (tmp_path / "own.yaml").write_text(
        "description: Some planes.\n"
        "region:\n"
        "  x: {min: 0, max: 3, closed: lower}\n"
        f"  y: {{min: 0, max: {cols}, closed: lower}}\n"
        "grid: {cell: 1, rows: x, cols: y}\n"
        "channels:\n"
        + "".join(f"- {{name: c{k}, statistic: occupancy}}\n" for k in range(planes))
    )
    return load_encoding(tmp_path / "own.yaml")._replace(background=background)


def encode(planes, encoding):
    """Return the bytes of an image of planes, shape (rows, cols, planes)."""
    text = dict.fromkeys((*Counts._fields, "scan_sha256"), "0")
    text["encoding_sha256"] = encoding.digest
    return trace(planes, encoding.background).encode(
        {f"birdview:{key}": value for key, value in text.items()}
    )


def test_occupied_pixels_by_hand(tmp_path):
    """Those of which a plane is not background."""
    encoding = make_encoding(tmp_path, planes=2, cols=5, background=7)
    planes = np.full((3, 5, 2), 7, dtype=np.uint8)
    planes[0, 0] = 9, 255
    planes[1, 4, 0] = 3
    planes[2, 2, 1] = 0
    path = tmp_path / "a.png"
    path.write_bytes(encode(planes, encoding))
    image = ImageFile(str(path), encoding, "a", "a.bin")
    occupied = compute_statistics([image], {}, 1)["all"]["occupied"]
    assert occupied["count"] == 3
    histograms = [
        {value: number for value, number in enumerate(histogram) if number}
        for histogram in occupied["histogram"]
    ]
    assert histograms == [{3: 1, 7: 1, 9: 1}, {0: 1, 7: 1, 255: 1}]
    assert occupied["mean_255"] == [19 / 3, 262 / 3]


@pytest.mark.parametrize("background", [0, 7])
@pytest.mark.parametrize("cols", [1, 7, 8, 9, 24, 31])
@pytest.mark.parametrize("planes", [1, 2, 3, 4])
def test_images_of_any_width(tmp_path, planes, cols, background):
    """Some pixels of each column, whether or not it is among the last ones."""
    encoding = make_encoding(tmp_path, planes, cols, background)
    rng = np.random.default_rng(cols)
    pixels = rng.integers(0, 256, size=(3, cols, planes), dtype=np.uint8)
    pixels[rng.random(pixels.shape) < 0.7] = background
    path = tmp_path / "a.png"
    path.write_bytes(encode(pixels, encoding))
    image = ImageFile(str(path), encoding, "a", "a.bin")
    found = compute_statistics([image], {}, 1)["all"]
    flat = pixels.reshape(-1, planes).T
    check(found["pixels"], flat)
    check(found["occupied"], flat[:, (flat != background).any(axis=0)])


def test_images_written_again_by_others(make_images):
    """With filters, as OpenCV writes them, and the text of birdview."""
    image = make_images("lyft")[0]
    before = compute_statistics([image], {}, 1)
    content, pixels = Path(image.path).read_bytes(), cv2.imread(image.path)
    _, filtered = cv2.imencode(
        ".png", pixels, [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]
    )
    parts = [data.split(b"IDAT")[0] for data in (content, filtered.tobytes())]
    rewritten = content[: len(parts[0]) - 4] + filtered.tobytes()[len(parts[1]) - 4 :]
    assert rewritten != content
    Path(image.path).write_bytes(rewritten)
    assert compute_statistics([image], {}, 1, inflate) == before


def test_images_that_are_not_of_the_encoding_are_errors(make_images, tmp_path):
    """One line, which names the file."""
    image = make_images("lyft")[0]
    other = load_encoding("birdnet")
    digests = image.encoding.digest[:12], other.digest[:12]
    content = Path(image.path).read_bytes()
    for path, encoding, data, message in (
        ("a.png", other, content, "encoding {}, expected {} of birdnet"),
        (
            "b.png",
            image.encoding,
            content[:-20],
            "ends too early, expected a whole PNG",
        ),
        ("c.png", image.encoding, b"", "no PNG signature found, expected a PNG file"),
    ):
        (tmp_path / path).write_bytes(data)
        file = ImageFile(str(tmp_path / path), encoding, "a", "a.bin")
        message = f"{file.path}: {message.format(*digests)}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            compute_statistics([file], {}, 2, inflate)
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        compute_statistics([image._replace(path=str(tmp_path / "no.png"))], {}, 1)


def test_image_of_another_size_is_an_error(make_images):
    """Whatever its text says: the kernel relies on it."""
    image = make_images("lyft")[0]
    small = np.zeros((4, 5, 3), dtype=np.uint8)
    content = trace(small).encode(read_text(image.path))
    message = "a.png: 4 lines of 15 bytes, expected 336 of 1008 in lyft"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        count_shades(content, "a.png", image.encoding)


def test_summary(make_images):
    """A line for each split, and what is in none."""
    images = make_images("lyft")
    splits = {"train": ["drive/0", "drive/1"], "val": [], "test": ["empty"]}
    found = compute_statistics(images, splits, 1)
    pixels = with_opencv(images).any(axis=0)
    share, more = 100 * pixels.mean(), 200 * pixels.mean()
    assert summarise(found) == [
        f"all: 4 of 4 scans, {share:.3g} % of the pixels occupied",
        f"train: 2 of 4 scans, {more:.3g} % of the pixels occupied",
        "val: 0 of 4 scans",
        "test: 1 of 4 scans, 0 % of the pixels occupied",
        "in no split: 1 of 4 scans",
    ]
