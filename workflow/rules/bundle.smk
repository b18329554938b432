# Packs what a colleague needs to repeat the run, and to verify the result.
#
#   the workflow, its settings, results/manifest.tsv  ->  results/birdview-<digest>.zip


rule bundle:
    input:
        bundle_of_manifest,


rule write_bundle:
    input:
        manifest="results/manifest.tsv",
    output:
        archive="results/birdview-{digest}.zip",
    log:
        "results/logs/birdview-{digest}.log",
    run:
        run_job(log[0], jobs.write_bundle, RUN, input.manifest, output.archive)
