# Simulates one scan of the demo's drive, and the labels of its points.
#
#   (nothing)  ->  <results>/demo/<number>.bin, <results>/demo/labels/<number>.label


rule demo:
    output:
        scan="<results>/demo/{number}.bin",
        labels="<results>/demo/labels/{number}.label",
    log:
        "<results>/logs/demo/{number}.log",
    localrule: True
    params:
        seed=RUN.settings["demo"]["seed"],
        code=code_of("demo"),
    run:
        run_job(
            log[0],
            jobs.simulate_scan,
            RUN,
            int(wildcards.number),
            output.scan,
            output.labels,
        )
