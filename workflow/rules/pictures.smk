# Draws what people look at beside the gallery, and what Snakemake's report shows.
#
#   results/<encoding>/<scan>.png  ->  results/contact_sheet/<encoding>.png
#                                  ->  results/movie/<encoding>.webm
#   results/manifest.tsv           ->  results/counts.tsv, results/counts.svg


rule contact_sheet:
    input:
        refused,
        expand("results/contact_sheet/{encoding}.png", encoding=ENCODINGS),


rule movie:
    input:
        refused,
        expand("results/movie/{encoding}.webm", encoding=ENCODINGS),


rule counts:
    input:
        "results/counts.tsv",


rule draw_sheet:
    input:
        images_on_sheet,
    output:
        picture=report(
            "results/contact_sheet/{encoding}.png",
            caption="../report/contact_sheet.rst",
            category="Images",
            labels={"encoding": "{encoding}", "picture": "contact sheet"},
        ),
    log:
        "results/logs/contact_sheet/{encoding}.log",
    wildcard_constraints:
        encoding="|".join(ENCODINGS),
    params:
        meaning=meaning_of_pixels,
        total=len(SCANS),
        code=digest_code(["image", "inflate", "picture", "sheet"]),
    run:
        draw_contact_sheet(wildcards.encoding, output.picture, params.total, log[0])


rule shoot_movie:
    input:
        images_of_encoding,
    output:
        movie="results/movie/{encoding}.webm",
    log:
        "results/logs/movie/{encoding}.log",
    wildcard_constraints:
        encoding="|".join(ENCODINGS),
    params:
        rate=config["frame_rate"],
        code=digest_code(["image", "inflate", "picture", "sheet", "movie"]),
    run:
        shoot(wildcards.encoding, output.movie, params.rate, log[0])


rule tally:
    input:
        manifest="results/manifest.tsv",
    output:
        table=report(
            "results/counts.tsv",
            caption="../report/counts.rst",
            category="Points",
            labels={"what": "least, median and greatest"},
        ),
        chart=report(
            "results/counts.svg",
            caption="../report/counts.rst",
            category="Points",
            labels={"what": "over the scans"},
        ),
    log:
        "results/logs/counts.log",
    params:
        code=digest_code(["charts", "tally"]),
    run:
        tally(input.manifest, output.table, output.chart, log[0])
