# Renders the scans part by part, each part by a Snakemake of its own: for more scans than
# one plan can hold; and on a cluster, where a part is a job.
#
#   (settings, scans)  ->  <run>/parts/settings.yaml, <run>/parts/<part>.txt
#                      ->  <results>/<encoding>/<scan>.png, <run>/parts/<part>.done
#
# The nested Snakemake decides which images of a part are stale. This one only sees which
# parts have scans or settings that differ from the last time.


STATES = parts.States(RUN)


rule parts:
    input:
        finished_parts,
        grids,


rule settings_of_parts:
    output:
        settings="<run>/parts/settings.yaml",
    log:
        local_log("<run>/logs/parts/settings.log"),
    localrule: True
    params:
        settings=parts.settings_of_parts(RUN),
    run:
        run_job(log[0], jobs.write_part_settings, output.settings, params.settings)


rule list_part:
    output:
        split="<run>/parts/{part}.txt",
    log:
        local_log("<run>/logs/parts/{part}.txt.log"),
    localrule: True
    params:
        names=lambda wildcards: parts.digest_names(RUN, wildcards.part),
    run:
        run_job(log[0], jobs.write_part_split, RUN, wildcards.part, output.split)


rule render_part:
    input:
        split="<run>/parts/{part}.txt",
        settings="<run>/parts/settings.yaml",
        grids=grids,
    output:
        done=touch("<run>/parts/{part}.done"),
    log:
        local_log("<run>/logs/parts/{part}.log"),
    threads: all_cores
    params:
        recipes=[RECIPES[name] for name in sorted(RECIPES)],
        scans=lambda wildcards: STATES.digest(wildcards.part),
    run:
        run_job(
            log[0],
            jobs.render_part,
            RUN,
            SNAKEFILE,
            input.settings,
            input.split,
            threads,
            log[0],
            storage_object,
        )
