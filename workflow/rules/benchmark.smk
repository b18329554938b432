# Measures the steps from scan to image, and how the workflow grows with the scans.
#
#   a few scans  ->  <run>/benchmark/<table>.tsv  ->  <table>.svg  ->  <page>.html

# The pages of the benchmark, with the tables of each.
TABLES = {
    "summary": [
        "readers",
        "rasterisers",
        "encoders",
        "renderers",
        "encodings",
        "together",
        "formats",
        "parallel",
        "workflow",
        "starts",
    ],
    "scale": ["scale", "memory"],
}


rule benchmark:
    input:
        "<run>/benchmark/summary.html",


rule benchmark_scale:
    input:
        "<run>/benchmark/scale.html",


rule measure_steps:
    input:
        scans=few_scans,
    output:
        expand("<run>/benchmark/{table}.tsv", table=TABLES["summary"]),
    log:
        "<run>/logs/benchmark/steps.log",
    threads: all_cores
    params:
        code=code_of("benchmark.steps"),
    run:
        run_job(
            log[0],
            jobs.run_benchmark,
            RUN,
            "birdview.benchmark.steps",
            input.scans,
            threads,
            SNAKEFILE,
            log[0],
        )


rule measure_growth:
    input:
        scans=few_scans,
    output:
        expand("<run>/benchmark/{table}.tsv", table=TABLES["scale"]),
    log:
        "<run>/logs/benchmark/growth.log",
    threads: all_cores
    params:
        code=code_of("benchmark.growth"),
    run:
        run_job(
            log[0],
            jobs.run_benchmark,
            RUN,
            "birdview.benchmark.growth",
            input.scans,
            threads,
            SNAKEFILE,
            log[0],
        )


rule machine:
    output:
        table="<run>/benchmark/machine.tsv",
    log:
        "<run>/logs/benchmark/machine.log",
    params:
        code=code_of("benchmark.machine"),
    run:
        run_job(log[0], jobs.describe_machine, output.table)


rule chart:
    input:
        table="<run>/benchmark/{table}.tsv",
    output:
        picture=report(
            "<run>/benchmark/{table}.svg",
            caption="../report/benchmark.rst",
            category="Benchmark: speed and memory on this machine",
            labels=lambda wildcards: jobs.label_chart(wildcards.table),
        ),
    log:
        "<run>/logs/benchmark/{table}.chart.log",
    params:
        code=code_of("view.charts"),
    run:
        run_job(log[0], jobs.draw_chart, input.table, output.picture)


rule page:
    input:
        tables=lambda wildcards: expand(
            "<run>/benchmark/{table}.tsv", table=[*TABLES[wildcards.page], "machine"]
        ),
        charts=lambda wildcards: expand(
            "<run>/benchmark/{table}.svg", table=TABLES[wildcards.page]
        ),
    output:
        page="<run>/benchmark/{page}.html",
    log:
        "<run>/logs/benchmark/{page}.page.log",
    wildcard_constraints:
        page="|".join(TABLES),
    params:
        code=code_of("benchmark.page"),
    run:
        run_job(
            log[0],
            jobs.write_benchmark_page,
            output.page,
            input.tables,
            input.charts,
        )
