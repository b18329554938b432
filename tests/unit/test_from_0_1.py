"""What birdview 0.1 has left still works, or an error says what to do.

tests/from_0_1/ was written by 0.1, of the scan that `scan_of_0_1` makes.
"""

import contextlib
import shutil

import pytest
from helpers import FROM_0_1, scan_of_0_1

from birdview import jobs, paths
from birdview.image import read_image
from birdview.pixels.encoding import load_encoding
from birdview.reproduce.manifest import read_manifest
from birdview.reproduce.verify import KINDS
from birdview.run import resolve


@pytest.fixture
def folder(tmp_path, monkeypatch, make_scan):
    """Work in a folder with the scan of which 0.1 made a manifest and an image."""
    make_scan(tmp_path / "scans" / "0.bin", scan_of_0_1())
    shutil.copytree(FROM_0_1, tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kinds_of_findings(folder):
    """Return the kind and the encoding of each finding of the last `verify`."""
    _, *rows = (folder / "results" / "verify.tsv").read_text().splitlines()
    return [tuple(row.split("\t")[:2]) for row in rows]


def test_manifest_of_0_1_has_the_same_pixels(compiled, folder):
    """In each encoding that it had; digests of encodings had other names in them."""
    _, rows = read_manifest(FROM_0_1 / "manifest.tsv")
    names = [row.encoding for row in rows]
    assert len(names) == 8
    settings = {"scans": "scans", "encodings": names, "compare_with": "theirs.tsv"}
    shutil.copy(FROM_0_1 / "manifest.tsv", folder / "theirs.tsv")
    run = resolve(settings)
    for image in run.images:
        (folder / image.path).parent.mkdir(exist_ok=True)
        jobs.render_image(run, image.scan, image.encoding.name, [], image.path)
    jobs.verify_images(run, threads=2)
    assert kinds_of_findings(folder) == [(KINDS[-1], name) for name in sorted(names)]


def test_other_encoding_than_in_a_manifest_of_0_1(compiled, folder):
    """One number differs, under the same name."""
    text = (folder / "results" / "manifest.tsv").read_text()
    digest = load_encoding("complex_yolo").digest[:12]
    former = text.partition("# encoding complex_yolo\t")[2][:64]
    (folder / "theirs.tsv").write_text(text.replace(former, "0" * 64))
    settings = {"scans": "scans", "encodings": ["complex_yolo"]}
    run = resolve(settings | {"compare_with": "theirs.tsv"})
    with contextlib.suppress(ValueError):
        jobs.verify_images(run, threads=2)
    lines = (folder / "results" / "verify.tsv").read_text().splitlines()
    assert f"encoding\tcomplex_yolo\t\t{digest} here, {'0' * 12} there" in lines


def test_image_of_0_1_is_verified(compiled, folder, capsys):
    """Its pixels are right, although its text is another."""
    run = resolve({"scans": "scans", "encodings": ["complex_yolo"]})
    jobs.verify_images(run, threads=2)
    assert kinds_of_findings(folder) == [("bytes", "complex_yolo")]
    assert "1 images verified" in capsys.readouterr().out


def test_image_of_0_1_is_read(folder):
    """By its path alone."""
    image = read_image(folder / "results" / "complex_yolo" / "0.png")
    assert image.channels == ("density", "height", "intensity")
    assert image.planes.any(axis=(1, 2)).all()


@pytest.mark.parametrize("name", ["dataset", "inspect", "statistics", "unpack"])
def test_names_that_encodings_could_have_in_0_1(folder, name):
    """Folders of these names are for other files now."""
    shutil.copy(paths.ENCODINGS / "lyft.yaml", f"{name}.yaml")
    message = (
        f"^{name}.yaml: results/{name} is taken, .*: mv {name}.yaml my_{name}.yaml$"
    )
    with pytest.raises(ValueError, match=message):
        resolve({"scans": "scans", "encodings": [f"{name}.yaml"]})
