"""Predictions on the images of a data set become results for KITTI's evaluation."""

CALIB = """\
P2: 700 0 600 0 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""
LABELS = """\
Car 0 0 -1.28 250 191.67 483.33 328.75 1.5 2 4 -3 1.7 10 -1.57
Cyclist 0 0 0.9 600 150 700 200 1.7 0.6 1.8 2 1.6 20 1.2
DontCare -1 -1 -10 0 0 9 9 -1 -1 -1 -1000 -1000 -1000 -10
"""
BOX = slice(8, 15)
"""Columns: height, width, length, x, y, z, rotation."""


def test_labels_become_results_and_predictions_too(project):
    """As they were; again only for other predictions; not for another data set."""
    for number in range(2):
        for folder, text in (("label_2", LABELS), ("calib", CALIB)):
            path = project.folder / f"kitti/{folder}/demo/00000{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    (project.folder / "own.yaml").write_text(
        "demo: {scans: 2}\nlabels: kitti\nencodings: [mv3d]\n"
        "dataset: {splits: {val: 1}, min_points: 0}\n"
    )
    results = project.folder / "results/demo/kitti_results"

    def convert(predictions, *settings, expect=0):
        return project.run(
            *("kitti_results", "--configfile", "own.yaml", "--config"),
            *(f"predictions={predictions}", *settings),
            expect=expect,
        ).splitlines()

    labels = "results/demo/dataset/mv3d/labels/val"
    assert (
        f"predictions: no folder at {project.folder}/{labels}, expected .txt files "
        f"that YOLO predicted"
    ) in convert(labels, expect=1)
    missing = convert("kitti", expect=1)
    index = "results/demo/dataset/mv3d/boxes.json"
    assert (
        f"{index}: no such file, expected a data set of `snakemake dataset`" in missing
    )
    project.run("dataset", "--configfile", "own.yaml")
    lines = convert(labels)
    assert "results/demo/kitti_results/mv3d: 2 scans of val" in lines
    assert "  Car 2" in lines
    for number in range(2):
        written = (results / f"mv3d/demo/00000{number}.txt").read_text().splitlines()
        for line, label in zip(written, LABELS.splitlines()[:2], strict=True):
            kind, *_ = words = line.split()
            assert kind == label.split()[0]
            found, wanted = ([*map(float, one[BOX])] for one in (words, label.split()))
            differences = [abs(a - b) for a, b in zip(found, wanted, strict=True)]
            assert max(differences[0:4] + differences[5:]) < 1e-3
            assert differences[4] < 0.3  # the road is where points are
    assert any("Nothing to be done" in line for line in convert(labels))

    predicted = project.folder / "predicted"
    predicted.mkdir()
    car, _ = (project.folder / labels / "demo/000001.txt").read_text().splitlines()
    (predicted / "000001.txt").write_text(f"{car} 0.25\n")
    lines = convert("predicted")
    scans = "2 scans of val, 1 of them without predictions"
    assert f"results/demo/kitti_results/mv3d: {scans}" in lines
    assert (results / "mv3d/demo/000000.txt").read_text() == ""
    (line,) = (results / "mv3d/demo/000001.txt").read_text().splitlines()
    assert line.endswith(" 0.25")

    lines = convert("predicted", "frame={height: 2}", expect=1)
    assert any(line.startswith(f"{index}: of layout ") for line in lines)
    assert "Traceback" not in "\n".join(lines)
