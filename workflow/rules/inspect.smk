# Says what the files of the scans are, and writes settings that render them right.
#
#   the folder `scans`  ->  <run>/inspect/index.html, settings.yaml and layout.yaml
#
# It has no inputs, because it also answers where there are no scans yet, and no outputs: so it
# runs every time.


rule inspect:
    log:
        "<run>/logs/inspect.log",
    localrule: True
    run:
        run_job(log[0], jobs.inspect_scans, RUN)
