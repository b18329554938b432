"""Each command of README and docs is one that works.

`tests/soak/commands.py` runs them. Here, Snakemake's own parser reads each, so that an
option does not take what was meant as a target, and the settings are resolved.
"""

import os
import re
import shlex

import pytest
import snakemake.cli
import yaml
from commands import PAGES, SETTINGS, find_commands, run_elsewhere
from helpers import OWN, ROOT, write_layout

from birdview.run import resolve

COMMANDS = find_commands()
PARSER = snakemake.cli.get_argument_parser()
TARGETS = set(
    re.findall(
        r"^(?:rule|checkpoint) (\w+):",
        "".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk")),
        flags=re.MULTILINE,
    )
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with the files of one's own that the pages name."""
    write_layout(tmp_path / "my" / "van.yaml")
    write_layout(tmp_path / "truck.yaml")
    (tmp_path / "my" / "own.yaml").write_text(OWN)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.page}: {one.text}")
def test_command_is_valid(command):
    """Its options, its settings and its targets; or it is run elsewhere."""
    if run_elsewhere(command.text):
        return
    program, *words = shlex.split(os.path.expandvars(command.text))
    if program in ("cp", "mkdir"):
        return
    assert program == "snakemake"
    arguments = PARSER.parse_args(words)
    settings = command.settings | snakemake.cli.parse_config(arguments.config)
    run = resolve(settings)
    for target in arguments.targets:
        if "/" not in target:
            assert target in TARGETS
            continue
        encoding = re.fullmatch(r"results/(\w+)/(?:boxes/)?\d+\.png", target)[1]
        assert encoding in (*run.encodings, "mv3d")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.page}: {one.text}")
def test_patterns_are_quoted(command):
    """Zsh stops at a bracket that fits no file."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", "", command.text)
    assert not re.search(r"[][{}*?]", plain)


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_valid(page):
    """Those that the page shows as a `config.yaml`."""
    for _, text in SETTINGS.findall(PAGES[page]):
        assert resolve(yaml.safe_load(text)).encodings


def test_every_page_is_linked_from_readme():
    """So that each answer is two clicks away at most."""
    linked = set(re.findall(r"\]\((docs/\w+\.md)", PAGES["README.md"]))
    assert {page for page in PAGES if page.startswith("docs/")} <= linked


def test_readme_is_short():
    """At most 200 lines."""
    assert len(PAGES["README.md"].splitlines()) <= 200
