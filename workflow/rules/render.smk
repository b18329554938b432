# Renders one image of one scan, and describes what its pixels mean.
#
#   <scans>/<scan>.bin  ->  results/<encoding>/<scan>.png
#   (an encoding)       ->  results/<encoding>/grid.json
#
# For each scan whose name no image can have, there is a job that fails with the reason.


rule render:
    input:
        scan=scan_input,
    output:
        image="results/{encoding}/{scan}.png",
    log:
        local("results/logs/{encoding}/{scan}.log"),
    params:
        recipe=lambda wildcards: RECIPES[wildcards.encoding],
    run:
        run_job(
            log[0],
            jobs.render_image,
            RUN,
            wildcards.scan,
            wildcards.encoding,
            input.scan,
            output.image,
        )


rule reject_name:
    output:
        "results/invalid/{number}",
    log:
        local("results/logs/invalid/{number}.log"),
    run:
        run_job(log[0], jobs.reject_name, RUN, int(wildcards.number))


rule grid:
    output:
        json="results/{encoding}/grid.json",
    log:
        local("results/logs/{encoding}/grid.json.log"),
    params:
        encoding=lambda wildcards: RUN.encodings[wildcards.encoding].digest,
        code=code_of("metadata"),
    run:
        run_job(log[0], jobs.write_grid, RUN, wildcards.encoding, output.json)
