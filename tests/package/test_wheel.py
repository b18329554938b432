"""Build the package, install it, and use it without the clone."""

import json
import os
import subprocess
import sys
import tarfile
import tomllib
from zipfile import ZipFile

import pytest
from helpers import ROOT, build, run_alone
from packaging.requirements import Requirement

import birdview
from birdview.counts import Counts
from birdview.files import read_table
from birdview.paths import LOCK, PACKAGE
from birdview.provenance import digest_code, digest_lock, digest_modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DRAW = """
import hashlib, sys
import birdview
from birdview.demo import write_labelled_scan
from birdview.pixels.classes import load_classes
from birdview.pixels.point_labels import read_point_labels

write_labelled_scan("0.bin", "0.label", 0, seed=0)
classes = load_classes("semantickitti")
for layout, name in zip(sys.argv[1::2], sys.argv[2::2]):
    encoding = birdview.load_encoding(name)
    points, fields = birdview.read_scan("0.bin", layout), {}
    if "class" in encoding.fields:
        label_file = "0.label", "semantickitti"
        fields["class"] = read_point_labels(*label_file, len(points), classes)
    drawn, counts = birdview.Raster(encoding).draw(points, fields)
    if not fields:
        shown, counts = counts, birdview.render("0.bin", "0.png", encoding, layout)
        assert counts.drawn == shown.drawn
        planes, channels = birdview.load("0.png")
        assert channels == tuple(channel.name for channel in encoding.channels)
        assert (planes == drawn.transpose(2, 0, 1)).all()
    # Three planes are the colours of each pixel; others are stacked.
    pixels = drawn if drawn.shape[2] == 3 else drawn.transpose(2, 0, 1)
    print(name, hashlib.sha256(pixels.tobytes()).hexdigest(), *counts)
"""


def files_of(folder):
    """Return the content of each file in a folder, but for compiled ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_has_the_package_and_what_is_beside_it(wheel):
    """Encodings, classes, schemas, the gallery and the lock, and nothing else."""
    expected = files_of(PACKAGE) | {"requirements.txt": LOCK.read_bytes()}
    for folder in ("classes", "encodings", "gallery", "layouts", "schemas"):
        files = files_of(ROOT / "workflow" / folder)
        expected |= {f"{folder}/{name}": content for name, content in files.items()}
    assert {name.rpartition(".")[2] for name in expected} == {
        *("py", "typed", "yaml", "html", "css", "js", "txt")
    }
    about = f"birdview-{birdview.__version__}.dist-info"
    with ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE"):
        del content[f"{about}/{name}"]
    assert content == {f"birdview/{name}": data for name, data in expected.items()}


def test_wheel_from_the_sdist_is_the_same(wheel, tmp_path):
    """Byte for byte."""
    with tarfile.open(build("sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("birdview-*")
    again = build("wheel", tmp_path / "wheel", source)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_installed_package_loads_images_with_numpy_alone(installed, compiled, tmp_path):
    """It imports no compiler, no OpenCV, and nothing that reads encodings."""
    (tmp_path / "0.bin").touch()
    image = tmp_path / "0.png"
    birdview.render(tmp_path / "0.bin", image, birdview.load_encoding("lyft"))
    code = (
        "import sys, birdview; print(birdview.load(sys.argv[1]).planes.shape)\n"
        "print({'numba', 'cv2', 'yaml', 'jsonschema', 'matplotlib'} & set(sys.modules))"
    )
    assert run_alone(installed, code, image) == "(3, 336, 336)\nset()\n"


def test_installed_package_has_the_digests_of_the_clone(installed, tmp_path):
    """Of code and lock, so its images and manifests are the same; and the version."""
    code = (
        "import json, importlib.metadata, birdview\n"
        "from birdview import paths, provenance\n"
        "print(json.dumps([str(paths.PACKAGE), hasattr(paths, 'ROOT'),"
        " provenance.digest_code(), provenance.digest_lock(),"
        " provenance.digest_modules('birdview.jobs'),"
        " importlib.metadata.version('birdview'), birdview.__version__]))"
    )
    package, *facts = json.loads(run_alone(installed, code, folder=tmp_path))
    assert package.startswith(str(installed.parents[1]))
    assert facts == [
        *(False, digest_code(), digest_lock(), digest_modules("birdview.jobs")),
        *(birdview.__version__, birdview.__version__),
    ]


def draw_demo(python, folder):
    """Draw the demo's first scan in all encodings: the rows of the known answers."""
    table = read_table(ROOT / "tests" / "known_answers.tsv")
    known = [{"hidden": "0"} | row for row in table]  # the demo has no camera
    expected = [
        " ".join(row[key] for key in ("encoding", "pixels_sha256", *Counts._fields))
        for row in known
        if row["scan"] == "000000"
    ]
    layouts = {"kitti": "kitti", "mounted": ROOT / "tests" / "mounted.yaml"}
    names = [
        argument
        for row in known
        if row["scan"] == "000000"
        for argument in (layouts[row["layout"]], row["encoding"])
    ]
    drawn = run_alone(python, DRAW, *names, folder=folder).splitlines()
    return drawn, expected


def test_installed_package_draws_the_known_answers(installed, tmp_path):
    """All encodings."""
    drawn, expected = draw_demo(installed, tmp_path)
    assert drawn == expected


@pytest.fixture(scope="session")
def oldest(wheel):
    """Install the wheel with the oldest versions of its libraries; return its Python.

    They are in the environment of BIRDVIEW_OLDEST_PYTHON.
    """
    python = os.environ.get("BIRDVIEW_OLDEST_PYTHON")
    if not python:
        pytest.skip(
            "BIRDVIEW_OLDEST_PYTHON is not set: it is a Python 3.11 with the lower "
            "bounds of pyproject.toml"
        )
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
    options = ["--no-deps", "--no-index", "--force-reinstall"]
    subprocess.check_call([*pip, *options, wheel])
    return python


def test_oldest_versions_draw_the_known_answers(oldest, tmp_path):
    """The lower bounds of pyproject.toml are true: these versions give all pixels."""
    code = (
        "import sys; from importlib.metadata import version\n"
        "print(*map(version, sys.argv[1:]), *sys.version_info[:2])"
    )
    bounds = [Requirement(text) for text in PROJECT["dependencies"] + EXTRAS["render"]]
    *versions, major, minor = run_alone(oldest, code, *(b.name for b in bounds)).split()
    assert PROJECT["requires-python"] == f">={major}.{minor}"
    assert [f">={found}" for found in versions] == [str(b.specifier) for b in bounds]
    drawn, expected = draw_demo(oldest, tmp_path)
    assert drawn == expected


def test_workflow_extra_has_all_that_the_lock_has():
    """The names of envs/requirements.in, and the same minor version of Snakemake."""
    names = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    wanted = {name.split("<")[0] for name in names if name and name[0] != "#"}
    texts = [*PROJECT["dependencies"], *EXTRAS["render"], *EXTRAS["workflow"]]
    found = {Requirement(text).name for text in texts} - {"birdview"}
    assert found == wanted - {"python-dateutil"}  # which boto3 needs in a lock
    (snakemake,) = (text for text in EXTRAS["workflow"] if "snakemake>=" in text)
    minimum = snakemake.removeprefix("snakemake>=")
    assert f'min_version("{minimum}")' in (ROOT / "workflow" / "Snakefile").read_text()
