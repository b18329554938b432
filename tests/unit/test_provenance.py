"""Digest the code: what makes images and other results stale, and what does not."""

import os
import shutil
import subprocess
import sys

import pytest

from birdview import paths
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.recipe import digest_recipe, recipe
from birdview.provenance import digest_code, imported_modules


@pytest.fixture
def copy(tmp_path):
    """Copy the package; return a function that evaluates a digest in the copy."""
    workflow = tmp_path / "workflow"
    package = workflow / "scripts" / "birdview"
    shutil.copytree(paths.PACKAGE, package)
    shutil.copytree(paths.ENCODINGS, workflow / "encodings")

    def digest(expression):
        code = f"from birdview.provenance import *; print({expression})"
        environment = os.environ | {"PYTHONPATH": str(package.parent)}
        command = [sys.executable, "-c", code]
        return subprocess.check_output(command, env=environment, text=True)

    digest.package, digest.encodings = package, workflow / "encodings"
    return digest


def edit(path):
    path.write_text(f"{path.read_text()}# An edit.\n")


def test_code_is_the_folder_of_pixels(copy):
    """An edit, a new file or a new name there changes it; one elsewhere does not."""
    digests = [copy("digest_code()")]
    assert digests == [f"{digest_code()}\n"]
    for file in sorted((copy.package / "pixels").glob("*.py")):
        edit(file)
        digests.append(copy("digest_code()"))
    (copy.package / "pixels" / "new.py").touch()
    digests.append(copy("digest_code()"))
    (copy.package / "pixels" / "new.py").rename(copy.package / "pixels" / "newer.py")
    digests.append(copy("digest_code()"))
    assert len(set(digests)) == len(digests)
    for file in (*copy.package.rglob("*.py"), *copy.encodings.glob("*.yaml")):
        if file.parent.name != "pixels":
            edit(file)
    (copy.package / "pixels" / "notes.txt").touch()
    assert copy("digest_code()") == digests[-1]


def test_modules_count_with_all_that_they_import(copy):
    """Boxes imports image, which imports png; but nothing imports the gallery."""
    expression = "digest_modules('birdview.view.boxes')"
    digests = [copy(expression)]
    for name in ("view/boxes.py", "image.py", "pixels/png.py"):
        edit(copy.package / name)
        digests.append(copy(expression))
    assert len(set(digests)) == len(digests)
    edit(copy.package / "view" / "gallery.py")
    edit(copy.package / "jobs.py")
    assert copy(expression) == digests[-1]


def test_imports_inside_functions_count_too(copy):
    """`jobs` imports the gallery when it writes one."""
    expression = "digest_modules('birdview.jobs')"
    before = copy(expression)
    edit(copy.package / "view" / "gallery.py")
    assert copy(expression) != before


def test_several_modules_have_one_digest(copy):
    """Whatever their order; each of them counts."""
    one, other = "'birdview.view.boxes'", "'birdview.view.movie'"
    digest = copy(f"digest_modules({one}, {other})")
    assert copy(f"digest_modules({other}, {one})") == digest
    edit(copy.package / "view" / "movie.py")
    assert copy(f"digest_modules({one}, {other})") != digest


def test_imports_of_every_form_are_found(tmp_path):
    """At the top, inside a function, of several names, of a module of a package."""
    file = tmp_path / "a.py"
    file.write_text(
        "import numpy\n"
        "import birdview.counts\n"
        "from birdview import (\n    paths,\n    bucket,  # for scans\n)\n"
        "from birdview.view.boxes import draw_boxes\n"
        "def later():\n    from birdview.pixels import png\n"
        '    """>>> from birdview.image import read_image"""\n'
    )
    assert set(imported_modules(file)) == {
        *("birdview.counts", "birdview.paths", "birdview.bucket"),
        *("birdview.view.boxes", "birdview.pixels.png"),
    }


def test_recipe_changes_with_encoding_and_layout():
    """It has everything that determines an image apart from its scan."""
    mv3d, kitti = load_encoding("mv3d"), load_layout("kitti")
    assert recipe(mv3d, kitti) == {
        **{"encoding": mv3d.digest, "layout": kitti.digest, "code": digest_code()}
    }
    digests = {
        digest_recipe(load_encoding(encoding), load_layout(layout))
        for encoding in ("mv3d", "notebook")
        for layout in ("kitti", "waymo6")
    }
    assert len(digests) == 4
    assert digest_recipe(mv3d, kitti) in digests
