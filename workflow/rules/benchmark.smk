# Measures the steps from scan to image, and how the workflow grows with the scans.
#
#   a few scans  ->  results/benchmark/<table>.tsv  ->  <table>.svg  ->  <page>.html
#
# What is measured again, when its code has changed, is what has the code as a parameter.


rule benchmark:
    input:
        "results/benchmark/summary.html",


rule benchmark_scale:
    input:
        "results/benchmark/scale.html",


rule measure_steps:
    input:
        scans=few_scans,
    output:
        expand("results/benchmark/{table}.tsv", table=MEASURED["summary"]),
    log:
        "results/logs/benchmark/steps.log",
    threads: workflow.cores or 1
    params:
        code=digest_code([*PIXEL_MODULES, *MEASURING]),
    run:
        measure("birdview.benchmark", input.scans, threads, log[0])


rule measure_scale:
    input:
        scans=few_scans,
    output:
        expand("results/benchmark/{table}.tsv", table=MEASURED["scale"]),
    log:
        "results/logs/benchmark/scale.log",
    threads: workflow.cores or 1
    params:
        code=digest_code([*PIXEL_MODULES, *MEASURING]),
    run:
        measure("birdview.scale", input.scans, threads, log[0])


rule machine:
    output:
        table="results/benchmark/machine.tsv",
    log:
        "results/logs/benchmark/machine.log",
    run:
        note_machine(output.table)


rule chart:
    input:
        table="results/benchmark/{table}.tsv",
    output:
        picture=report(
            "results/benchmark/{table}.svg",
            caption="../report/benchmark.rst",
            category="Benchmark",
            labels={"what": "{table}"},
        ),
    log:
        "results/logs/benchmark/{table}.chart.log",
    params:
        code=digest_code(["charts"]),
    run:
        draw_table(input.table, output.picture)


rule page:
    input:
        tables=page_tables,
        charts=page_charts,
    output:
        page="results/benchmark/{page}.html",
    log:
        "results/logs/benchmark/{page}.page.log",
    wildcard_constraints:
        page="|".join(MEASURED),
    params:
        code=digest_code(["charts", "page"]),
    run:
        lay_out(output.page, input.tables, input.charts)
