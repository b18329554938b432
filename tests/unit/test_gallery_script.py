"""Lint the script of the gallery's page as a whole: its files share their names."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

from birdview.image import ImageFile, inflate_with_zlib
from birdview.pixels.encoding import load_encoding
from birdview.view.gallery import write_gallery

OXLINT = Path(sys.executable).parent / "oxlint"


@pytest.fixture
def script(tmp_path):
    """Return the script of a page."""
    image = ImageFile("missing.png", load_encoding("mv3d"), "000000", "000000.bin")
    write_gallery(tmp_path, [image], lambda _: "", inflate_with_zlib, threads=1)
    page = (tmp_path / "index.html").read_text()
    return re.search(r"<script>\n(.*)</script>", page, flags=re.DOTALL)[1]


def lint(path, text):
    path.write_text(text)
    command = [OXLINT, "--config", ROOT / ".oxlintrc.json", path]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_page_uses_no_undefined_name_and_defines_no_unused_one(script, tmp_path):
    """Across its files, which are linted one by one without these rules."""
    status, output = lint(tmp_path / "page.js", script)
    assert status == 0, output
    for fault, rule in (
        ("update(undefinedName);", "no-undef"),
        ("function unused() {}", "no-unused-vars"),
    ):
        status, output = lint(tmp_path / "page.js", f"{script}{fault}\n")
        assert status == 1
        assert f"({rule})" in output


def test_oxlint_finds_nothing_in_each_file():
    """As .ci/run calls it."""
    command = [OXLINT, "workflow/gallery/js"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
