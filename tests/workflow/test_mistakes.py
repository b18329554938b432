"""Mistakes at the command line, as they are typed: one line leads to the way out.

tests/unit/test_settings.py, test_command.py and test_targets.py have many more, without
Snakemake.
"""

import shutil

import pytest
from helpers import obey_permissions

NOISE = ("Using workflow specific profile", "Config file ", "─")


def lines_of(output):
    """Return the lines of an output, without what Snakemake says at each start."""
    return [
        line
        for line in output.splitlines()
        if line.strip() and not line.startswith(NOISE)
    ]


@pytest.fixture
def folder(project, make_scan):
    """Return the folder to work in, with a scan and files of settings."""
    make_scan(project.folder / "scans" / "0.bin", 10)
    (project.folder / "mine.yaml").write_text("scans: scans\ndemo: 8\n")
    (project.folder / "broken.yaml").write_text("scans: [scans\nstrict: true\n")
    (project.folder / "manifest.tsv").write_text("no manifest\n")
    return project.folder


def test_each_mistake_is_one_line(project, folder):
    """Before a rule is read, when settings are resolved, and when jobs are planned."""
    for typed, message in {
        "--config scans=scans gallery": "--config: gallery: not NAME=VALUE, as "
        "--config "
        "takes everything up to the next option, expected targets first: snakemake "
        "gallery ",
        "--config scans = scans": "--config: scans: spaces around =, expected none: "
        "--config scans=scans",
        "--configfile broken.yaml": "broken.yaml: line 2, column 7: while parsing a "
        "flow "
        "sequence expected ',' or ']', but got ':', expected yaml",
        "--configfile none.yaml": "--configfile: none.yaml: no such file",
        "--configfile mine.yaml": f"{folder}/mine.yaml: demo: 8, expected keys and "
        "values: 'demo={scans: 8}' on the command line",
        "--config scans=2011_09_26": "config: scans: 2011_09_26 is a number to "
        "Snakemake, "
        "expected the path of a folder: scans=./2011_09_26",
        "--config encodings=mv4d": "unknown encoding mv4d (did you mean mv3d?); "
        "built-in",
        "scans=scans": "scans=scans: a setting, not a target, expected it after "
        "--config: snakemake --config scans=scans",
        "galery": "galery: no such target (did you mean gallery?)",
        "render": "render: a rule for single files, expected a file or one of all, ",
        "results/mv3d/0.png --config scans=scans": "results/mv3d/0.png: encodings: "
        "notebook, expected mv3d among them: snakemake results/mv3d/0.png --config "
        "scans=scans encodings=notebook,mv3d",
        "verify --config compare_with=manifest.tsv": "manifest.tsv: cut short, or of "
        "another version of birdview, expected the columns ",
        "verify --config compare_with=none.tsv": "compare_with: none.tsv: no such "
        "file, ",
    }.items():
        lines = lines_of(project.run("-n", *typed.split(), expect=1))
        assert len(lines) == 1, lines
        assert lines[0].startswith(message), typed


def test_config_yaml_of_the_folder(project, folder):
    """Over ours, below --configfile and --config; another program's is not read."""
    path = folder / "config.yaml"
    path.write_text("scans: scans\nencodings: lyft\nframe_rate: 7\n")
    (folder / "more.yaml").write_text("encodings: [mv3d]\n")
    project.run()
    assert set(project.images()) == {"lyft/0.png"}
    output = project.run("--configfile", "more.yaml")
    assert set(project.images()) == {"lyft/0.png", "mv3d/0.png"}
    others = (
        "of other settings: images in results/lyft, which `encodings` does not list; "
        "they stay as they are"
    )
    assert others in output
    output = project.run("-n", "--config", "encodings=pixor", "frame_rate=0", expect=1)
    (line,) = lines_of(output)
    assert line.startswith("config: frame_rate: 0 is less than")
    path.write_text("scans: scans\nscanz: a\n")
    (line,) = lines_of(project.run("-n", expect=1))
    assert line.startswith(f"{path}: scanz: unknown setting (did you mean scans?), ")
    path.write_text("model: a\n")
    output = project.run("-n")
    assert f"{path}: ignored: no setting of birdview in it, but model" in output
    assert "simulate" in output or "demo" in output


def test_config_yaml_of_the_clone_counts_once(project):
    """Where Snakemake works in the clone itself."""
    output = project.run("-n", "all", folder=project.source)
    assert "ignored" not in output


def test_folder_that_cannot_be_written(project):
    """Before Snakemake makes its own folder in there."""
    shutil.rmtree(project.folder / ".snakemake", ignore_errors=True)
    project.folder.chmod(0o555)
    try:
        output = project.run("-n", expect=1, prepare=obey_permissions)
    finally:
        project.folder.chmod(0o755)
    assert lines_of(output) == [
        f"{project.folder}: not writable, expected a folder for results and "
        f".snakemake: snakemake --directory FOLDER"
    ]
