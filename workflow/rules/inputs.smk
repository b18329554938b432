# Input functions. What they return is where the files are, and stays as it is if birdview is
# used as a module with a prefix.


@input_function
def scan_input(wildcards):
    """Return the file of a scan, as an input of its image."""
    file = RUN.scan_file(wildcards.scan)
    if RUN.source.is_remote:
        return storage(file)
    # An unreadable scan (a broken link, say) must fail only its own job; as a declared
    # input it would abort the run.
    if not RUN.source.is_readable(wildcards.scan):
        return []
    return local(file) if RUN.results_prefix else file


@input_function
def invalid_names(wildcards):
    """Return an output of a job that fails for each scan with an invalid name."""
    return RUN.failures


@input_function
def images(wildcards):
    """Return all images, wherever they are."""
    return [image.path for image in RUN.images] + RUN.failures


@input_function
def local_images(wildcards):
    """Return all images; they must be in the folder results."""
    RUN.check_images_are_local()
    return images(wildcards)


@input_function
def images_of_encoding(wildcards):
    """Return the images of one encoding."""
    RUN.check_images_are_local()
    return [RUN.image_path(wildcards.encoding, scan) for scan in RUN.scans]


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
def finished_parts(wildcards):
    """Return the marks of all parts."""
    jobs.check_clone("parts")
    return RUN.finished_parts + RUN.failures


@input_function
def images_or_parts(wildcards):
    """Return what the default target renders: on a cluster, a job takes seconds to start."""
    is_local = workflow.local_exec or RUN.results != "results"
    return images(wildcards) if is_local else finished_parts(wildcards)


@input_function
def boxed_pictures(wildcards):
    """Return the pictures with boxes of all scans that have labels."""
    RUN.check_images_are_local()
    return RUN.boxed_pictures


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
