# Packs what a colleague needs to repeat the run, and to see that it came out the same.
#
#   the workflow, its settings, results/manifest.tsv  ->  results/birdview-<digest>.zip


rule bundle:
    input:
        bundle_of_manifest,


rule pack:
    input:
        manifest="results/manifest.tsv",
    output:
        archive="results/birdview-{digest}.zip",
    log:
        "results/logs/birdview-{digest}.log",
    wildcard_constraints:
        digest="[0-9a-f]{12}",
    run:
        pack(input.manifest, output.archive, log[0])
