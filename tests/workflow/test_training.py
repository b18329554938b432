"""What trainers need beside images: `snakemake statistics`."""

import json


def test_statistics_of_the_demo(project):
    """Computed again if a split changes, but not otherwise; batches change nothing."""
    split = project.folder / "val.txt"
    split.write_text("demo/000000\n")
    dataset = "dataset={splits: {train: 0.5, val: val.txt}}"
    arguments = ("statistics", "--config", "encodings=[lyft]", dataset)
    output = project.run(*arguments).splitlines()
    path = "results/demo/statistics/lyft.json"
    for start in ("train: 4 of 8 scans, ", "val: 1 of 8 scans, "):
        assert any(line.startswith(f"{path}: {start}") for line in output), output
    content = (project.folder / path).read_bytes()
    assert json.loads(content)["all"]["pixels"]["count"] == 8 * 336 * 336

    assert "Nothing to be done" in project.run(*arguments)
    batches = (*arguments, "scans_per_job=3")
    project.run(*batches)
    assert (project.folder / path).read_bytes() == content

    split.write_text("demo/000000\ndemo/000002\n")
    assert project.rendered_by(*batches) == set()
    found = json.loads((project.folder / path).read_bytes())
    assert [one["scans"] for one in found["splits"].values()] == [3, 2]

    split.write_text("demo/9\n")
    output = project.run(*batches, expect=1).splitlines()
    assert (
        "dataset: splits: val: val.txt: 1 of 1 scans not found in the run, the first "
        "in line 1: 'demo/9'; one that exists is demo/000000; expected the path of a "
        "scan below scans in each line, without suffix"
    ) in output
