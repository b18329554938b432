# Renders the scans part by part, each part by a Snakemake of its own: for more scans than
# one plan can hold; and on a cluster, where a part is a job.
#
#   (settings, scans)  ->  results/parts/settings.yaml, results/parts/<part>.txt
#                      ->  results/<encoding>/<scan>.png, results/parts/<part>.done
#
# What of a part is stale, its own Snakemake finds out. This one only sees which parts have
# scans or settings that are not those of the last time.


localrules:
    all,
    parts,
    settings_of_parts,
    list_part,
    demo,
    render,
    refuse,
    grid,
    draw_boxes,


rule parts:
    input:
        parts,
        grids,


rule settings_of_parts:
    output:
        settings="results/parts/settings.yaml",
    log:
        local("results/logs/parts/settings.log"),
    params:
        settings=SETTINGS_OF_PARTS,
    run:
        write_settings(output.settings, params.settings)


rule list_part:
    output:
        split="results/parts/{part}.txt",
    log:
        local("results/logs/parts/{part}.txt.log"),
    wildcard_constraints:
        part="|".join(PARTS),
    params:
        scans=names_of_part,
    run:
        write_split(output.split, wildcards.part)


rule render_part:
    input:
        scans=demo_scans_of_part,
        split="results/parts/{part}.txt",
        settings="results/parts/settings.yaml",
        grids=grids,
    output:
        done=touch("results/parts/{part}.done"),
    log:
        local("results/logs/parts/{part}.log"),
    wildcard_constraints:
        part="|".join(PARTS),
    threads: workflow.cores or 1
    params:
        recipes=[RECIPES[name] for name in sorted(RECIPES)],
        scans=lambda wildcards: state_of_part(wildcards.part),
    run:
        render_part(input.settings, input.split, threads, log[0])
