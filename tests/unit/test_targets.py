"""Explain targets that no rule makes."""

import re

import pytest

from birdview.paths import ROOT
from birdview.run import resolve
from birdview.targets import TARGETS, explain_target


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("galery", "no such target (did you mean gallery?)"),
        ("statistcs", "no such target (did you mean statistics?)"),
        ("scans=x y", "a setting, not a target, expected it after --config: snakemake "
         "--config 'scans=x y'"),
        ("mv3d", "an encoding, not a target, expected it as a setting: snakemake "
         "--config encodings=mv3d"),
        ("nuscenes", "a layout, not a target, expected it as a setting: snakemake "
         "--config layout=nuscenes"),
        ("scans", "a folder, not a target, expected it as a setting: snakemake "
         "--config "
         "scans=scans"),
        ("my.yaml", "a file, expected it as settings: --configfile my.yaml"),
        ("results/mv3d/0.png", "encodings: notebook, expected mv3d among them: "
         "snakemake results/mv3d/0.png --config scans=scans encodings=notebook,mv3d"),
        ("results/notebok/0.png", "no encoding notebok (did you mean notebook?), "
         "expected one of notebook"),
        ("results", "no such target, expected an image such as "
         "results/notebook/SCAN.png, or one of all, inspect, unpack, "),
        ("help", "no such target, expected an image such as results/notebook/SCAN.png"),
    ],
)  # fmt: skip
def test_each_says_what_to_type(tmp_path, monkeypatch, make_scan, target, expected):
    """One line: a misspelt name, a setting, a folder, an encoding not listed."""
    monkeypatch.chdir(tmp_path)
    make_scan(tmp_path / "scans" / "0.bin", 1)
    (tmp_path / "results").mkdir()
    (tmp_path / "my.yaml").touch()
    line = explain_target(resolve({"scans": "scans"}), target)
    assert line.startswith(f"{target}: {expected}")


def test_targets_are_those_of_the_snakefile():
    """Its first comment lists them."""
    comment = (ROOT / "workflow" / "Snakefile").read_text().split("Other targets:")[1]
    listed = re.sub("# *", "", comment.split(".")[0])
    assert ["all", *re.findall(r"\w+", listed)] == [*TARGETS]
