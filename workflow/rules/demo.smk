# Simulates one scan of the demo's drive.
#
#   (nothing)  ->  <results>/demo/<number>.bin


rule demo:
    output:
        scan="<results>/demo/{number}.bin",
    log:
        "<results>/logs/demo/{number}.log",
    localrule: True
    params:
        seed=RUN.settings["demo"]["seed"],
        code=code_of("demo"),
    run:
        run_job(log[0], jobs.simulate_scan, RUN, int(wildcards.number), output.scan)
