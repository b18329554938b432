"""birdview as a module in the workflow of someone else."""

import json
import os
import shutil
import subprocess
import zipfile

import cv2
import numpy as np
import pytest
from helpers import ROOT

from birdview.pixels.png import read_text
from birdview.reproduce.manifest import read_manifest

MODULE = """
module {name}:
    snakefile: "{snakefile}"
    config: {config}
    {more}


use rule * from {name} as {name}_*
"""
ALL = """
rule all:
    default_target: True
    input:
        {inputs},
"""


@pytest.fixture
def example(project):
    """Copy the example of docs/module.md; run the workflow in it."""
    folder = project.source / "docs" / "module"
    shutil.copytree(ROOT / "docs" / "module", folder)
    project.folder = folder

    def run(*arguments, **options):
        return project.run(*arguments, "--snakefile", folder / "Snakefile", **options)

    project.run_example = run
    return project


@pytest.fixture
def workflow(project):
    """Write a workflow with modules, which are pairs of a config and more lines."""

    def write(profile=True, **modules):
        text = "".join(
            MODULE.format(
                name=name,
                snakefile=project.source / "Snakefile",
                config=config,
                more=more,
            )
            for name, (config, more) in modules.items()
        )
        text += ALL.format(inputs=", ".join(f"rules.{m}_all.input" for m in modules))
        (project.folder / "Snakefile").write_text(text)
        if profile:
            shutil.copytree(ROOT / "docs/module/profiles", project.folder / "profiles")
            path = project.folder / "profiles/default/config.yaml"
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(x for x in lines if "omit-from" not in x))

        def run(*arguments, **options):
            return project.run(*arguments, "--snakefile", "Snakefile", **options)

        return run

    return write


def install_package(project, site):
    """Copy what the wheel has."""
    package = site / "birdview"
    shutil.copytree(ROOT / "workflow/scripts/birdview", package)
    for name in ("classes", "encodings", "gallery", "layouts", "schemas"):
        shutil.copytree(project.source / "workflow" / name, package / name)
    shutil.copy(ROOT / "envs/requirements.txt", package)


def test_example_renders_two_sensors(example):
    """Each as birdview alone does it, and each scan only once."""
    output = example.run_example()
    assert "front_render" in output
    names = [f"{number:06}.png" for number in range(3)]
    for seed, sensor in enumerate(("front", "rear")):
        plain = example.folder / f"plain{seed}"
        settings = ("--config", "encodings=[mv3d]", f"demo={{scans: 3, seed: {seed}}}")
        example.run("--directory", plain, *settings)
        for name in (*names, "grid.json"):
            path = f"results/mv3d/demo/{name}"
            mine, theirs = example.folder / sensor / path, plain / path
            assert mine.read_bytes() == theirs.read_bytes()
    pair = cv2.imread(str(example.folder / "pairs" / names[0]))
    halves = [
        cv2.imread(str(example.folder / sensor / "results/mv3d/demo" / names[0]))
        for sensor in ("front", "rear")
    ]
    np.testing.assert_array_equal(pair, np.hstack(halves))
    assert "Nothing to be done" in example.run_example()


def test_targets_of_a_module(example):
    """They work with a prefix."""
    targets = ("manifest", "counts", "contact_sheet", "movie", "gallery", "bundle")
    targets += ("statistics",)
    example.run_example(*(f"front_{target}" for target in targets))
    example.run_example("rear_all")
    folder = example.folder / "front/results/demo"
    assert {scan for _, scan, *_ in read_manifest(folder / "manifest.tsv")[1]} == {
        f"demo/{number:06}" for number in range(3)
    }
    for name in (
        *("counts.tsv", "counts.svg", "contact_sheet/mv3d.png", "movie/mv3d.webm"),
        *("gallery/index.html", "statistics/mv3d.json"),
    ):
        assert (folder / name).exists(), name
    assert len(list(folder.glob("birdview-*.zip"))) == 1
    output = example.run_example("front_verify")
    assert "3 images verified: all pixels are as they should be" in output
    assert not (example.folder / "results").exists()
    example.run_example("front_report", "--report", "report.zip", cores=None)
    with zipfile.ZipFile(example.folder / "report.zip") as report:
        names = {name.rpartition("/")[2] for name in report.namelist()}
    assert {"counts.svg", "mv3d.png", "report.html"} <= names


def test_modules_with_folders_of_their_own(project, workflow, make_scan):
    """By pathvars, with relative paths of scans, and without a prefix."""
    for name in ("left", "right"):
        make_scan(project.folder / name / "velodyne" / "0.bin", seed=len(name))
        make_scan(project.folder / name / "velodyne" / "a" / "1.bin")
    run = workflow(
        left=({"scans": "left/velodyne", "encodings": ["lyft"]},
              'pathvars: results="bev/left"'),
        right=({"scans": "right/velodyne", "encodings": ["lyft"],
                "pathvars": {"results": "bev/right"}}, ""),
    )  # fmt: skip
    run()
    images = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*.png")}
    bev = project.folder / "bev"
    assert set(images) == {
        bev / side / "lyft" / name
        for side in ("left", "right")
        for name in ("0.png", "a/1.png")
    }
    assert (bev / "left/lyft/grid.json").exists()
    assert "Nothing to be done" in run()
    make_scan(project.folder / "right/velodyne/0.bin", seed=9)
    run()
    changed = {path for path, time in images.items() if path.stat().st_mtime_ns != time}
    assert changed == {bev / "right/lyft/0.png"}


def test_module_with_a_prefix_and_relative_scans(project, workflow, make_scan):
    """The prefix is for results, not for what the user has, and stale is stale."""
    make_scan(project.folder / "scans" / "0.bin")
    (project.folder / "own.yaml").write_text(
        (ROOT / "workflow/encodings/lyft.yaml").read_text()
    )
    run = workflow(bev=({"scans": "scans", "encodings": ["own.yaml"]}, 'prefix: "x/y"'))
    run()
    image = project.folder / "x/y/results/own/0.png"
    first = read_text(image)["birdview:scan_sha256"]
    make_scan(project.folder / "scans" / "0.bin", seed=1)
    run()
    assert read_text(image)["birdview:scan_sha256"] != first
    make_scan(project.folder / "scans" / "x{y}.bin")
    output = run(expect=1)
    assert (
        "module bev: 'scans/x{y}.bin': invalid scan name: {...} and <...> are "
        "Snakemake wildcards"
    ) in output


def test_module_without_settings_takes_config_yaml(project, workflow):
    """Ours, beside our Snakefile."""
    project.edit("config.yaml", "scans: 8", "scans: 1")
    run = workflow(bev=({}, ""))
    path = project.folder / "Snakefile"
    path.write_text(path.read_text().replace("    config: {}\n", ""))
    run()
    assert list(project.images()) == ["notebook/demo/000000.png"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"scanz": "a"}, "module bev: config: Additional properties are not allowed "
         "('scanz' was unexpected) (did you mean scans?); allowed: scans, match, "
          "split, layout, suffix, frame, strict, labels, camera_view, sweeps, level, "
          "sensors, point_labels, bag, topic, compare_with, bundle, encodings, "
          "scans_per_job, dataset, predictions, frame_rate, demo"),
        ({"encodings": ["mv4d"]}, "module bev: unknown encoding mv4d (did "),
        ({"scans": "nowhere"}, "module bev: scans: no folder at {folder}/nowhere, "
         "expected one with scans"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_one_line(project, workflow, config, message):
    """As at the command line, with the module's name."""
    run = workflow(good=({}, 'prefix: "good"'), bev=(config, 'prefix: "bad"'))
    output = run(expect=1)
    message = message.format(folder=project.folder)
    assert any(line.startswith(message) for line in output.splitlines()), output
    assert "Traceback" not in output
    assert project.images() == {}


def test_bad_scan_is_one_line(project, workflow, make_scan):
    """With the module's name; the others are rendered."""
    make_scan(project.folder / "scans" / "0.bin")
    (project.folder / "scans" / "bad.bin").write_bytes(b"123")
    settings = {"scans": "scans", "encodings": ["lyft"]}
    output = workflow(bev=(settings, ""))(expect=1)
    assert "module bev: scans/bad.bin: 3 bytes" in output
    assert list(project.images()) == ["lyft/0.png"]


def test_rules_without_the_package(project, workflow):
    """Snakemake fetches rules from GitHub, but no Python package."""
    scripts = project.source / "workflow" / "scripts"
    shutil.rmtree(scripts)
    output = workflow(bev=({}, ""))(expect=1)
    assert f"birdview: not in {scripts} and not installed, expected the" in output
    install_package(project, project.folder / "site")
    path = {"PYTHONPATH": str(project.folder / "site")}
    run = workflow(profile=False, bev=({"demo": {"scans": 1}}, ""))
    run(environment=path)
    assert list(project.images()) == ["notebook/demo/000000.png"]


def test_rules_from_a_git_repository(project, workflow):
    """Snakemake fetches them file by file, as from GitHub; the package is installed."""
    install_package(project, project.folder / "site")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", project.source]
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        ("commit", "-qm", "-"),
    ):
        subprocess.check_call([*git, *arguments])
    settings = {"demo": {"scans": 1}}
    run = workflow(bev=(settings, ""))
    path = project.folder / "Snakefile"
    where = f"git+file://{project.source}/workflow/Snakefile@main"
    path.write_text(path.read_text().replace(str(project.source / "Snakefile"), where))
    environment = {"PYTHONPATH": str(project.folder / "site")}
    run(environment=environment)
    assert list(project.images()) == ["notebook/demo/000000.png"]
    for target in ("bundle", "benchmark"):
        output = run(f"bev_{target}", environment=environment, expect=1)
        assert (
            f"module bev: {target}: {project.folder}/site/birdview is an installed "
            "package, expected a clone of birdview, which has the whole workflow"
        ) in output.splitlines()


def test_two_copies_are_an_error(project, workflow, tmp_path):
    """Python would take the code of the first for both."""
    other = tmp_path / "other"
    shutil.copytree(project.source, other)
    run = workflow(a=({}, 'prefix: "a"'), b=({}, 'prefix: "b"'))
    path = project.folder / "Snakefile"
    text, second = path.read_text().split("module b:")
    path.write_text(
        f"{text}module b:{second.replace(str(project.source), str(other), 1)}"
    )
    output = run(expect=1)
    assert "birdview: two copies in one workflow" in output


def test_workflow_snakefile_plans_the_same(project):
    """The catalog and snakedeploy look for it."""
    plans = []
    for name in ("Snakefile", "workflow/Snakefile"):
        output = project.run("--dry-run", "--snakefile", project.source / name,
                             folder=project.source)  # fmt: skip
        _, plan = output.split("Job stats")
        plans.append([line.split() for line in plan.splitlines() if line.strip()])
    assert plans[0] == plans[1]
    assert ["total", "17"] in plans[0]


def test_deployed_workflow(project):
    """Files as `snakedeploy deploy-workflow` 0.17 writes them, for a local clone."""
    for name in ("config", "profiles"):
        shutil.copytree(ROOT / name, project.folder / name)
    assert not os.path.islink(project.folder / "config" / "config.yaml")
    (project.folder / "workflow").mkdir()
    (project.folder / "workflow" / "Snakefile").write_text(
        "from snakemake.utils import min_version\n\n\n"
        'min_version("6.10.0")\n\n\n'
        'configfile: "config/config.yaml"\n\n\n'
        "module birdview:\n"
        f'    snakefile: \n        "{project.source}/workflow/Snakefile"\n'
        "    config:\n        config\n\n\n"
        "use rule * from birdview\n"
    )
    project.run("--snakefile", "workflow/Snakefile")
    names = [f"notebook/demo/{number:06}.png" for number in range(8)]
    assert sorted(project.images()) == names
    grid = project.folder / "results/notebook/demo/grid.json"
    assert json.loads(grid.read_text())["encoding"] == "notebook"


def test_config_folder_has_the_same_settings():
    """Snakedeploy copies it."""
    assert (ROOT / "config/config.yaml").read_bytes() == (
        ROOT / "config.yaml"
    ).read_bytes()
