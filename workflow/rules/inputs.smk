# Input functions. What they return is where the files are, and stays as it is if birdview is
# used as a module with a prefix.
from functools import cache


@input_function
def sources_input(wildcards):
    """Return the files that an image is made of: the scan, those around, labels."""
    RUN.scans  # whose errors are those of the whole run
    files = jobs.list_inputs(RUN, wildcards.scan, wildcards.encoding)
    return [storage(file) if is_bucket(file) else local_file(file) for file in files]


@input_function
def invalid_names(wildcards):
    """Return an output of a job that fails for each scan with an invalid name."""
    return RUN.failures


@input_function
def recipe_input(wildcards):
    """Return what changes with the encoding, the layout, the code and the conditions."""
    files = recipe_file(wildcards.encoding), *conditions_file(wildcards.scan)
    return [local_file(file) for file in files]


@cache
def recipe_file(encoding):
    """Write what changes with a recipe, once in a run; return its path."""
    return jobs.record_recipe(RUN, encoding)


@cache
def conditions_file(scan):
    """Write what changes with the conditions of a scan, once in a run; return its path."""
    return jobs.record_conditions(RUN, scan)


@input_function
def images(wildcards):
    """Return all images, or what marks that all batches of them are finished."""
    if RUN.is_batched:
        return finished_batches() + RUN.failures
    return [image.path for image in RUN.images] + RUN.failures


@cache
def finished_batches():
    """Return the marks of all batches, and request those that are not finished."""
    if workflow.is_main_process:
        jobs.request_batches(RUN, BATCHES)
    return [local_file(mark) for mark in RUN.marks]


@input_function
def batch_request(wildcards):
    """Return what is newer than the mark of a batch if it is to be rendered."""
    return local_file(RUN.request_path(wildcards.batch))


@input_function
def demo_scans(wildcards):
    """Return the scans of a batch that Snakemake has to simulate."""
    if not RUN.source.is_simulated:
        return []
    scans = RUN.scans_of(wildcards.batch)
    return list(
        dict.fromkeys(file for scan in scans for file in RUN.assemblies.files(scan))
    )


@input_function
def no_parts(wildcards):
    """Say what replaced parts."""
    raise ValueError(
        "parts: no longer a target, expected the setting scans_per_job instead: "
        "snakemake --config scans_per_job=500"
    )


@input_function
def local_images(wildcards):
    """Return all images; they must be in the folder results."""
    RUN.check_images_are_local()
    return images(wildcards)


@input_function
def images_of_encoding(wildcards):
    """Return the images of one encoding, or the marks of all batches."""
    RUN.check_images_are_local()
    if RUN.is_batched:
        return finished_batches()
    return [RUN.image_path(wildcards.encoding, scan) for scan in RUN.scans]


@input_function
def images_in_splits(wildcards):
    """Return the images of one encoding, once it is known which splits they are in."""
    RUN.splits  # whose errors would be several lines if they came from a param
    return images_of_encoding(wildcards)


@input_function
def images_on_sheet(wildcards):
    """Return the images on the contact sheet of an encoding."""
    RUN.check_images_are_local()
    return [RUN.image_path(wildcards.encoding, scan) for scan in jobs.choose_scans(RUN)]


@input_function
def grids(wildcards):
    """Return the description of the pixels of each encoding."""
    return RUN.grids


@input_function
def boxed_pictures(wildcards):
    """Return the pictures with boxes of all scans that have labels, or their marks."""
    RUN.check_images_are_local()
    return boxed_batches() if RUN.is_batched else RUN.boxed_pictures


@cache
def boxed_batches():
    """Return the marks of all batches with labels, and remove those of unfinished ones."""
    if workflow.is_main_process:
        jobs.unmark_boxes(RUN)
    return [*RUN.boxed_batches()]


@input_function
def datasets(wildcards):
    """Return the index of each data set."""
    RUN.check_images_are_local()
    return RUN.datasets


@cache
def sources_of_datasets():
    """Return what changes with labels and settings; Snakemake asks several times."""
    return jobs.digest_dataset(RUN)


@input_function
def images_of_dataset(wildcards):
    """Return the images of one encoding and their masks, once all labels are known."""
    sources_of_datasets()  # whose errors would be several lines if they came from a param
    images = images_of_encoding(wildcards)
    if RUN.masks is None or RUN.is_batched:
        return images
    masks = RUN.masks.encoding.name
    return images + [RUN.image_path(masks, scan) for scan in RUN.scans]


@input_function
def datasets_if_any(wildcards):
    """Return the index of each data set, if there are labels or masks."""
    return RUN.datasets if RUN.has_datasets else []


@cache
def sources_of_results(encoding):
    """Return what changes with what results are made from."""
    return jobs.digest_predictions(RUN, encoding)


@input_function
def table_of_results(wildcards):
    """Return the table of what became of the predictions."""
    RUN.check_images_are_local()
    table = RUN.kitti_results
    sources_of_results(*RUN.dataset_encodings)  # as in `images_of_dataset`
    return table


@input_function
def finished_batch(wildcards):
    """Return the mark of a batch."""
    finished_batches()
    return RUN.mark_path(wildcards.batch)


@input_function
def labels_of_batch(wildcards):
    """Return the label files of a batch that exist."""
    scans = RUN.scans_of(wildcards.batch)
    files = [file for scan in scans for file in RUN.label_files(scan)]
    return [file for file in files if os.path.isfile(file)]


@input_function
def label_inputs(wildcards):
    """Return the label files of a scan that exist: one without must fail alone."""
    return [file for file in RUN.label_files(wildcards.scan) if os.path.isfile(file)]


@input_function
def bundle_of_manifest(wildcards):
    """Return the bundle, whose name is only known when there is a manifest."""
    jobs.check_clone("bundle")
    return jobs.name_bundle(RUN, checkpoints.manifest.get().output.table)


@input_function
def report_pictures(wildcards):
    """Return those pictures for a report that exist."""
    return [picture for picture in RUN.report_pictures if os.path.exists(picture)]


@input_function
def few_scans(wildcards):
    """Return up to three scans for the benchmark."""
    jobs.check_clone("benchmark")
    return RUN.few_scan_files


@input_function
def nothing_to_compare(wildcards):
    """Return no file, once it is known that there is a manifest to compare with."""
    jobs.check_manifest(RUN)
    return []
