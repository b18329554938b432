# Simulates one scan of the demo's drive.
#
#   (nothing)  ->  results/demo/<number>.bin


rule demo:
    output:
        scan="results/demo/{number}.bin",
    log:
        "results/logs/demo/{number}.log",
    wildcard_constraints:
        number="[0-9]+",
    params:
        seed=config["demo"]["seed"],
        code=digest_code(["demo"]),
    run:
        simulate_scan(wildcards.number, output.scan)
