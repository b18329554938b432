"""Check the command line before Snakemake reads a rule."""

import os
import re
import sys
from types import SimpleNamespace

import pytest
from helpers import ROOT

from birdview import command, jobs
from birdview.command import find_mistake


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with a few files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fine.yaml").write_text("scans: x\n")
    (tmp_path / "broken.yaml").write_text("scans: x\nencodings: [a\nlayout: b\n")
    (tmp_path / "tab.yaml").write_text("frame:\n\theight: 2\n")
    (tmp_path / "list.yaml").write_text("- scans\n")
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "text.yaml").write_text("scans=x\n")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--cores", "8", "gallery", "--config", "scans=a b", "encodings=[a, b]"],
        ["--config", "demo={scans: 3}", "a=", "-c", "4", "gallery"],
        ["--config=scans=x", "gallery"],
        ["--configfile", "fine.yaml", "fine.yaml", "--config", "scans=-1", "-n"],
        ["--configfile=fine.yaml", "gallery"],
        ["--executor", "local", "-d", "a/b"],
    ],
)
def test_nothing_is_wrong(arguments):
    """So Snakemake goes on."""
    assert find_mistake(arguments) == ""


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["-n", "--config", "scans=x y", "gallery"], "--config: gallery: not "
         "NAME=VALUE, "
         "as --config takes everything up to the next option, expected targets first: "
         "snakemake gallery -n --config 'scans=x y'"),
        (["--config", "scans", "=", "x"], "--config: scans: spaces around =, expected "
         "none: --config scans=x"),
        (["--config", "scans=", "x"], "--config: x: spaces around =, expected none: "
         "--config scans=x"),
        (["--config", "scans", "=x"], "--config: scans: spaces around =, expected "
         "none: "
         "--config scans=x"),
        (["scans", "=", "x"], "=: spaces around =, expected a setting without: "
         "--config "
         "NAME=VALUE"),
        (["--config", "scans:x"], "--config: scans:x: no =, expected scans=x"),
        (["-C", "a=b", "encodings=[a,", "b]", "c=d"], "--config: b]: a value with "
         "spaces, expected quotes around it: 'encodings=[a, b]'"),
        (["--config", "demo={scans:", "3}"], "--config: 3}: a value with spaces, "
         "expected quotes around it: 'demo={scans: 3}'"),
        (["--config", "a=[b]", "gallery", "-C", "c=d"], "--config: 2 times, but only "
         "the last one counts, expected one: --config 'a=[b]' gallery c=d"),
        (["--configfile", "none.yaml"], "--configfile: none.yaml: no such file (from "
         "{folder}), expected a yaml file of settings; targets come before "
         "--configfile"),
        (["--configfile", "fine.yaml", "gallery"], "--configfile: gallery: no such "
         "file "
         "(from {folder}), expected a yaml file of settings; targets come before "
         "--configfile"),
        (["--configfile", "."], "--configfile: .: a folder (from {folder}), expected a "
         "yaml file of settings; targets come before --configfile"),
        (["--configfile", "scans=x"], "--configfile: scans=x: a setting, expected it "
         "after --config: --config scans=x"),
        (["--configfile", "broken.yaml"], "broken.yaml: line 3, column 7: while "
         "parsing "
         "a flow sequence expected ',' or ']', but got ':', expected yaml, such as "
         "scans: /data/kitti"),
        (["--configfile", "tab.yaml"], "tab.yaml: line 2, column 1: while scanning for "
         "the next token found character '\\t' that cannot start any token, expected "
         "yaml, such as scans: /data/kitti"),
        (["--configfile", "list.yaml"], "list.yaml: no keys, expected some, such as "
         "scans: /data/kitti"),
        (["--configfile", "empty.yaml"], "empty.yaml: no keys, expected some, such as "
         "scans: /data/kitti"),
        (["--configfile", "text.yaml"], "text.yaml: line 1: 'scans=x', expected "
         "keys and "
         "values, such as scans: /data/kitti"),
        (["--config", "demo.scans=20"], "--config: demo.scans=20: a dot, expected keys "
         "and values: 'demo={scans: 20}'"),
        (["--directory", "fine.yaml"], "--directory: {folder}/fine.yaml: a file, "
         "expected a folder to work in"),
    ],
)  # fmt: skip
def test_mistakes(folder, typed, message):
    """One line: what was found, what was expected, what to type."""
    assert find_mistake(typed) == message.replace("{folder}", str(folder))


def test_missing_plugin(monkeypatch):
    """Of the profile for Slurm, which names no package."""
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    for typed in (["--profile", "a/profiles/slurm"], ["--executor=slurm"]):
        assert re.fullmatch(
            r"snakemake-executor-plugin-slurm: not installed in .*, expected the "
            r"environment of envs/cluster\.txt: pip install -r .*envs/cluster\.txt",
            find_mistake(typed),
        )


def test_other_environment(folder):
    """Snakemake of the system, say, or after an installation that was interrupted."""
    (folder / "envs").mkdir()
    (folder / "envs" / "requirements.in").write_text("# a\nnumpy\nno-such<3\nnone\n")
    assert find_mistake([], folder) == (
        f"no-such, none: not installed in {sys.prefix}, as this Snakemake is, expected "
        f"the environment of birdview: activate it (source .venv/bin/activate), or "
        f"complete this one: {sys.executable} -m pip install -r "
        f"{folder}/envs/requirements.txt"
    )


def test_old_python(monkeypatch):
    """Which pip refuses, too."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    assert find_mistake([]) == (
        f"Python 3.10 in {sys.prefix}, expected 3.11 or newer: python3.11 -m venv .venv"
    )


def test_folder_that_cannot_be_written(folder, monkeypatch):
    """Also if it is yet to be made."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for typed in ([], ["-d", "a/b"]):
        assert find_mistake(typed) == (
            f"{folder}: not writable, expected a folder for results and .snakemake: "
            f"snakemake --directory FOLDER"
        )


def test_full_disk(folder, monkeypatch):
    """Where Snakemake could not even write its log."""
    full = SimpleNamespace(free=0)
    monkeypatch.setattr(command.shutil, "disk_usage", lambda path: full)
    assert find_mistake([]) == (
        f"{folder}: no space left, expected some for results and .snakemake: make "
        f"room, or work elsewhere: snakemake --directory FOLDER"
    )


def test_oldest_python_is_that_of_the_package():
    """In pyproject.toml."""
    oldest = ".".join(map(str, command.OLDEST))
    assert f'requires-python = ">={oldest}"' in (ROOT / "pyproject.toml").read_text()


def test_library_that_is_there_in_part():
    """After an installation that was interrupted."""
    error = ModuleNotFoundError("No module named 'numba.core'", name="numba.core")
    assert jobs.explain_import(error) == (
        f"numba.core: No module named 'numba.core', expected a complete environment in "
        f"{sys.prefix}: {sys.executable} -m pip install --force-reinstall -r "
        f"{ROOT}/envs/requirements.txt"
    )
