# Renders a batch of scans in one job, on one core: what is stale of it, by birdview.batches.
#
#   <scans>/<scan>.bin, ...  ->  <results>/<encoding>/<scan>.png, ...
#                            ->  <run>/.birdview/finished/<batch>
#
# The images are not outputs: the plan would have a node for each. `finished_batches` finds out
# what is stale, and requests these batches: a missing mark would only count if somebody asked
# for the mark itself, and not for the manifest, say.


# What scans_per_job replaced. Its input function fails.
rule parts:
    input:
        no_parts,


rule render_batch:
    input:
        batch_request,
        demo_scans,
    output:
        mark=local_file("<run>/.birdview/finished/{batch}"),
    log:
        local_file("<run>/logs/batches/{batch}.log"),
    run:
        start_workers()
        run_job(
            log[0],
            jobs.render_batch,
            BATCHES,
            wildcards.batch,
            output.mark,
            PROGRESS.tell,
            forget_image,
        )
