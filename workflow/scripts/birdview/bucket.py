"""Buckets: which scans there are in object storage, and files to and from there."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

UNFIT = {
    "[#?]": "the storage plugin would take another object",
    "^boxes/": "results/<encoding>/boxes/ is for pictures of boxes",
}
"""Patterns of names that are refused there, and why."""

THREADS = 10  # which mostly wait; it is also how many connections the client keeps


def is_bucket(folder):
    """Whether a folder is one of object storage, such as ``s3://bucket/kitti``."""
    return folder.startswith("s3://")


def refuse_missing(folder):
    """See that a bucket is there: the plugin would make one of a mistyped name.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3

    Raises
    ------
    OSError
        If it is not, or not for these keys.
    """
    with _errors_of(f"default-storage-prefix: {folder.query}", folder):
        folder.provider.s3c.meta.client.list_objects_v2(Bucket=folder.bucket, MaxKeys=1)


def find_objects(folder, suffix=".bin"):
    """Find the scans below a path of a bucket.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    suffix : str
        How the names of the scans' objects end.

    Returns
    -------
    dict of str to str
        By the path below the folder, without suffix, sorted: the object's ETag, which
        is another one if its bytes are.

    Raises
    ------
    OSError
        If the bucket cannot be listed, or holds no scan there.
    ValueError
        If the path is empty or not what the plugin would take it for.
    """
    if folder.key == "." or set("#?") & set(folder.query):
        raise ValueError(
            f"scans: {folder.query}, expected a path in a bucket, without # and ?"
        )
    start = len(folder.key) + 1
    with _errors_of(f"scans: {folder.query}", folder):
        etags = {item.key: item.e_tag for item in folder.get_subkeys()}
    scans = {
        key[start:].removesuffix(suffix): etags[key]
        for key in sorted(etags)
        if key.endswith(suffix)
    }
    if not scans:
        raise FileNotFoundError(
            f"scans: no {suffix} object in {folder.query} or below, expected one for "
            f"each scan"
        )
    return scans


def fetch(folder, names, target):
    """Copy the objects of these names below a path of a bucket to a local folder.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str
    target : path-like

    Raises
    ------
    OSError
        If one of them cannot be.
    """

    def fetch_one(client, key, name):
        path = Path(target, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(folder.bucket, key, str(path), Config=_in_one_thread())

    _do_for_each(fetch_one, folder, names)


def put(folder, names, source):
    """Copy the files of these names in a local folder to below a path of a bucket.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str
    source : path-like

    Raises
    ------
    OSError
        If one of them cannot be.
    """

    def put_one(client, key, name):
        path = str(Path(source, name))
        client.upload_file(path, folder.bucket, key, Config=_in_one_thread())

    _do_for_each(put_one, folder, names)


def remove(folder, names):
    """Remove the objects of these names below a path of a bucket, if they are there.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str

    Raises
    ------
    OSError
        If one of them cannot be.
    """

    def remove_one(client, key, _):
        client.delete_object(Bucket=folder.bucket, Key=key)

    _do_for_each(remove_one, folder, names)


def _in_one_thread():
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(use_threads=False)


def _do_for_each(action, folder, names):
    client = folder.provider.s3c.meta.client

    def do(name):
        with _errors_of(f"{folder.query}/{name}", folder):
            action(client, f"{folder.key}/{name}", name)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(do, names):
            pass


@contextmanager
def _errors_of(what, folder):
    """Name in an error what could not be reached, and what it takes."""
    # The plugin and all of its own are not installed for those who do without.
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from s3transfer.exceptions import S3DownloadFailedError

    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError, S3DownloadFailedError) as error:
        message = " ".join(str(error).split())
        raise OSError(
            f"{what}: {message}; expected a bucket at "
            f"{folder.provider.s3c.meta.client.meta.endpoint_url}, with its keys in "
            f"SNAKEMAKE_STORAGE_S3_ACCESS_KEY and SNAKEMAKE_STORAGE_S3_SECRET_KEY"
        ) from None
