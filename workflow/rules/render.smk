# Renders one image of one scan, and describes what its pixels mean.
#
#   <scans>/<scan>.bin, scans around it  ->  <results>/<encoding>/<scan>.png
#   (an encoding)                        ->  <results>/<encoding>/grid.json, demo/grid.json for the demo
#
# Who asks for an image by its name gets grid.json as well: see `prepare` in patches.smk.
#
# For each scan whose name no image can have, there is a job that fails with the reason; and
# one for all scans that a split names and that do not exist.


rule render:
    input:
        sources=sources_input,
        recipe=recipe_input,
    output:
        image="<results>/{encoding}/{scan}.png",
    log:
        local_file("<results>/logs/{encoding}/{scan}.log"),
    localrule: True
    run:
        run_job(
            log[0],
            jobs.render_image,
            RUN,
            wildcards.scan,
            wildcards.encoding,
            input.sources,
            output.image,
        )


rule reject_name:
    output:
        "<results>/invalid/{number}",
    log:
        local_file("<results>/logs/invalid/{number}.log"),
    localrule: True
    run:
        run_job(log[0], jobs.reject_name, RUN, int(wildcards.number))


rule grid:
    output:
        json="<results>/{encoding}/{below}grid.json",
    log:
        local_file("<results>/logs/{encoding}/{below}grid.json.log"),
    localrule: True
    params:
        digests=lambda wildcards: [
            RUN.encodings[wildcards.encoding].digest,
            RUN.layout.digest,
        ],
        classes=lambda wildcards: jobs.describe_classes(RUN, wildcards.encoding),
        code=code_of("metadata"),
    run:
        run_job(log[0], jobs.write_grid, RUN, wildcards.encoding, output.json)
