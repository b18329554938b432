# Draws contact sheets, movies and point counts; and collects Snakemake's report.
#
#   <results>/<encoding>/<scan>.png  ->  <run>/contact_sheet/<encoding>.png
#                                    ->  <run>/movie/<encoding>.webm
#   <run>/manifest.tsv               ->  <run>/counts.tsv, <run>/counts.svg


if not MODULE:

    report: "../report/workflow.rst"


rule contact_sheet:
    input:
        invalid_names,
        expand("<run>/contact_sheet/{encoding}.png", encoding=RUN.encodings),


rule movie:
    input:
        invalid_names,
        expand("<run>/movie/{encoding}.webm", encoding=RUN.encodings),


rule counts:
    input:
        "<run>/counts.tsv",


# For `snakemake report --report report.zip`. Snakemake reports what its target needs, so
# this one needs all pictures that exist.
rule report:
    input:
        report_pictures,


rule draw_contact_sheet:
    input:
        images_on_sheet,
    output:
        picture=report(
            "<run>/contact_sheet/{encoding}.png",
            caption="../report/contact_sheet.rst",
            category="Contact sheets: what the images look like",
            labels={"encoding": "{encoding}", "shows": "scans side by side"},
        ),
    log:
        "<run>/logs/contact_sheet/{encoding}.log",
    params:
        meaning=lambda wildcards: jobs.explain_pixels(RUN, wildcards.encoding),
        total=lambda wildcards: len(RUN.scans),
        classes=lambda wildcards: jobs.describe_classes(RUN, wildcards.encoding),
        code=code_of("view.contact_sheet"),
    run:
        run_job(
            log[0], jobs.draw_contact_sheet, RUN, wildcards.encoding, output.picture
        )


rule render_movie:
    input:
        images_of_encoding,
    output:
        movie="<run>/movie/{encoding}.webm",
    log:
        "<run>/logs/movie/{encoding}.log",
    params:
        rate=RUN.settings["frame_rate"],
        classes=lambda wildcards: jobs.describe_classes(RUN, wildcards.encoding),
        code=code_of("view.movie"),
    run:
        run_job(log[0], jobs.render_movie, RUN, wildcards.encoding, output.movie)


rule point_counts:
    input:
        manifest="<run>/manifest.tsv",
    output:
        table=report(
            "<run>/counts.tsv",
            caption="../report/counts.rst",
            category="Point counts: what was drawn and what was left out",
            labels={"shows": "table of the least, the median and the greatest count"},
        ),
        chart=report(
            "<run>/counts.svg",
            caption="../report/counts.rst",
            category="Point counts: what was drawn and what was left out",
            labels={"shows": "chart of the counts of each scan"},
        ),
    log:
        "<run>/logs/counts.log",
    params:
        code=code_of("view.point_counts"),
    run:
        run_job(
            log[0],
            jobs.write_point_counts,
            input.manifest,
            output.table,
            output.chart,
        )
