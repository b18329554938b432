"""The project itself: lint, and facts that are written in two places."""

import inspect
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml
from conftest import ROOT
from snakemake.scheduling.job_scheduler import JobScheduler

import birdview

LOCK = (ROOT / "envs" / "requirements.txt").read_text()


def locked(name):
    return re.search(rf"^{name}==(\S+)", LOCK, flags=re.MULTILINE)[1]


def test_lint_has_nothing_to_say(project):
    """`snakemake --lint`."""
    command = [sys.executable, "-m", "snakemake", "--lint"]
    lint = subprocess.run(command, cwd=project.source, capture_output=True, text=True)
    assert lint.returncode == 0, lint.stderr
    assert "your workflow is in a good condition" in lint.stderr


def test_snakefile_is_a_table_of_contents():
    """Under 40 lines, and no function."""
    text = (ROOT / "Snakefile").read_text()
    assert len(text.splitlines()) < 40
    assert "def " not in text


def test_tests_run_in_the_locked_environment():
    """What is tested is what users install."""
    names = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    names = [name.split("<")[0] for name in names if name and name[0] != "#"]
    assert len(names) == 11
    assert {name: version(name) for name in names} == {n: locked(n) for n in names}


@pytest.mark.parametrize("name", ["dev", "cluster"])
def test_locks_agree(name):
    """The environments of the tests and of clusters are that of all users and more."""
    more = (ROOT / "envs" / f"{name}.txt").read_text()
    pins = set(re.findall(r"^\S+==\S+", LOCK, flags=re.MULTILINE))
    assert pins < set(re.findall(r"^\S+==\S+", more, flags=re.MULTILINE))
    for text in (LOCK, more):
        assert "://" not in text.replace("https://docs.astral.sh/uv/", "")


def test_plugins_are_not_for_all():
    """That of Slurm asks for its daemon at each start, seconds long if it is down."""
    assert not re.search("^(snakemake-(executor|storage)-plugin|boto)", LOCK, re.M)


def test_conda_takes_the_lock():
    """The versions have one home."""
    path = ROOT / "envs" / "birdview.yaml"
    *_, python, pip, rest = yaml.safe_load(path.read_text())["dependencies"]
    assert (python, pip) == ("python >=3.11,<3.14", "pip")
    _, name = rest["pip"][0].split()
    assert (path.parent / name).read_text() == LOCK


def test_container_is_made_by_the_commands_of_readme():
    """The first command of README.md, word for word."""
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"<!-- demo -->\n```bash\n(.*)\n```", readme)[1]
    assert f"\nRUN {command}\n" in (ROOT / "Dockerfile").read_text()


def test_min_version_is_that_of_the_lock():
    """The Snakefile asks for the Snakemake that was tried."""
    major_minor = re.search(r'min_version\("(.*)"\)', (ROOT / "Snakefile").read_text())[
        1
    ]
    assert locked("snakemake").startswith(f"{major_minor}.")


def test_the_limit_of_jobs_per_second_is_where_the_workflow_switches_it_off():
    """Or a newer Snakemake has another way, and this one does nothing."""
    source = inspect.getsource(JobScheduler)
    assert "self.job_rate_limiter is None" in source
    rules = (ROOT / "workflow" / "rules" / "common.smk").read_text()
    assert "workflow.scheduler.job_rate_limiter = None" in rules


def test_the_lock_of_the_scheduler_is_where_the_workflow_makes_it_reentrant():
    """Or a newer Snakemake stops in another way, and this one may do harm."""
    source = inspect.getsource(JobScheduler)
    assert "self._lock = threading.Lock()" in source
    handler = inspect.getsource(JobScheduler.exit_gracefully)
    assert "with self._lock:" in handler


def test_changelog_has_the_version():
    """What is running is described."""
    heading = f"## {birdview.__version__} ({birdview.__date__})"
    assert heading in (ROOT / "CHANGELOG.md").read_text()


def test_config_file_has_the_defaults_of_the_schema():
    """What config.yaml shows is what holds without it."""
    schema = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    keys = yaml.safe_load(schema.read_text())["properties"]
    defaults = {key: rule["default"] for key, rule in keys.items()}
    demo = keys["demo"]["properties"]
    defaults["demo"] = {key: rule["default"] for key, rule in demo.items()}
    assert yaml.safe_load((ROOT / "config.yaml").read_text()) == defaults


def test_readme_table_has_every_key_with_its_default():
    """The table of settings in README.md."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    demo = config.pop("demo")
    config |= {f"demo: {key}": value for key, value in demo.items()}
    readme = (ROOT / "README.md").read_text()
    rows = dict(
        re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", readme, flags=re.MULTILINE)
    )
    assert {key: yaml.safe_load(value) for key, value in rows.items()} == config
