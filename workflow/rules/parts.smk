# Renders the scans part by part, each part by a Snakemake of its own: for more scans than
# one plan can hold; and on a cluster, where a part is a job.
#
#   (settings, scans)  ->  results/parts/settings.yaml, results/parts/<part>.txt
#                      ->  results/<encoding>/<scan>.png, results/parts/<part>.done
#
# The nested Snakemake decides which images of a part are stale. This one only sees which
# parts have scans or settings that differ from the last time.


STATES = parts.States(RUN)


# On a cluster, these take less time than submitting a job. The other targets are for one
# machine: docs/cluster.md.
localrules:
    settings_of_parts,
    list_part,
    demo,
    render,
    reject_name,
    grid,
    draw_boxes,


rule parts:
    input:
        finished_parts,
        grids,


rule settings_of_parts:
    output:
        settings="results/parts/settings.yaml",
    log:
        local("results/logs/parts/settings.log"),
    params:
        settings=parts.settings_of_parts(RUN),
    run:
        run_job(log[0], jobs.write_part_settings, output.settings, params.settings)


rule list_part:
    output:
        split="results/parts/{part}.txt",
    log:
        local("results/logs/parts/{part}.txt.log"),
    params:
        names=lambda wildcards: parts.digest_names(RUN, wildcards.part),
    run:
        run_job(log[0], jobs.write_part_split, RUN, wildcards.part, output.split)


rule render_part:
    input:
        scans=input_function(lambda wildcards: parts.inputs_of(RUN, wildcards.part)),
        split="results/parts/{part}.txt",
        settings="results/parts/settings.yaml",
        grids=grids,
    output:
        done=touch("results/parts/{part}.done"),
    log:
        local("results/logs/parts/{part}.log"),
    threads: workflow.cores or 1
    params:
        recipes=[RECIPES[name] for name in sorted(RECIPES)],
        scans=lambda wildcards: STATES.digest(wildcards.part),
    run:
        run_job(
            log[0],
            jobs.render_part,
            RUN,
            workflow.main_snakefile,
            input.settings,
            input.split,
            threads,
            log[0],
            storage_object,
        )
