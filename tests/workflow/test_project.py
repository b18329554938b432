"""The project's own rules, and facts that are written in two files."""

import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml
from helpers import ROOT

import birdview

LOCK = (ROOT / "envs" / "requirements.txt").read_text()


def locked(name):
    """Return the version of a package in the lock."""
    return re.search(rf"^{name}==(\S+)", LOCK, flags=re.MULTILINE)[1]


def test_lint_finds_nothing(project):
    """`snakemake --lint`."""
    command = [sys.executable, "-m", "snakemake", "--lint"]
    lint = subprocess.run(command, cwd=project.source, capture_output=True, text=True)
    assert lint.returncode == 0, lint.stderr
    assert "your workflow is in a good condition" in lint.stderr


def test_snakefile_is_a_table_of_contents():
    """Under 40 lines, and no function."""
    text = (ROOT / "workflow" / "Snakefile").read_text()
    assert len(text.splitlines()) < 40
    assert "def " not in text


def test_common_rules_are_short_and_documented():
    """At most 150 lines, and a docstring for each function."""
    text = (ROOT / "workflow" / "rules" / "common.smk").read_text()
    assert len(text.splitlines()) <= 150
    functions = re.findall(r"^def .*:\n(.*)", text, flags=re.MULTILINE)
    assert functions
    assert all(line.startswith('    """') for line in functions), functions


def test_no_rule_has_the_name_of_a_function():
    """One name, one meaning."""
    files = (ROOT / "workflow" / "rules").glob("*.smk")
    text = "".join(file.read_text() for file in files)
    rules = re.findall(r"^(?:rule|checkpoint) (\w+):", text, flags=re.MULTILINE)
    functions = re.findall(r"^ *def (\w+)", text, flags=re.MULTILINE)
    assert rules
    assert not set(rules) & set(functions)


def test_tests_run_in_the_locked_environment():
    """Users install the same versions."""
    names = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    names = [name.split("<")[0] for name in names if name and name[0] != "#"]
    assert len(names) == 11
    assert {name: version(name) for name in names} == {n: locked(n) for n in names}


@pytest.mark.parametrize("name", ["dev", "cluster", "formats"])
def test_locks_agree(name):
    """The environments for tests, clusters and formats add to the main one."""
    more = (ROOT / "envs" / f"{name}.txt").read_text()
    pins = set(re.findall(r"^\S+==\S+", LOCK, flags=re.MULTILINE))
    assert pins < set(re.findall(r"^\S+==\S+", more, flags=re.MULTILINE))
    for text in (LOCK, more):
        assert "://" not in text.replace("https://docs.astral.sh/uv/", "")


def test_plugins_are_not_in_the_main_lock():
    """Slurm's would look for its daemon at each start: seconds if it is down."""
    assert not re.search("^(snakemake-(executor|storage)-plugin|boto)", LOCK, re.M)


def test_conda_environment_uses_the_lock():
    """It repeats no versions."""
    path = ROOT / "envs" / "birdview.yaml"
    *_, python, pip, rest = yaml.safe_load(path.read_text())["dependencies"]
    assert (python, pip) == ("python >=3.11,<3.14", "pip")
    _, name = rest["pip"][0].split()
    assert (path.parent / name).read_text() == LOCK


def test_dockerfile_runs_the_first_command_of_the_readme():
    """Word for word."""
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"<!-- demo -->\n```bash\n(.*)\n```", readme)[1]
    assert f"\nRUN {command}\n" in (ROOT / "Dockerfile").read_text()


def test_changelog_has_the_version():
    """The version that runs is described."""
    heading = f"## {birdview.__version__} ({birdview.__date__})"
    assert heading in (ROOT / "CHANGELOG.md").read_text()


def test_config_file_has_the_defaults_of_the_schema():
    """Deleting a line of config.yaml changes nothing."""
    schema = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    keys = yaml.safe_load(schema.read_text())["properties"]
    defaults = {key: rule["default"] for key, rule in keys.items()}
    demo = keys["demo"]["properties"]
    defaults["demo"] = {key: rule["default"] for key, rule in demo.items()}
    assert yaml.safe_load((ROOT / "config.yaml").read_text()) == defaults
