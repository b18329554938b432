"""Find scans in object storage, and copy files to and from there."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from birdview.files import PathLike

INVALID_OBJECT_NAMES = {
    "[#?]": "the storage plugin would take another object",
}
"""Further patterns of names that are rejected there, and why."""

THREADS = 10
"""They mostly wait; it is also the number of connections that the client keeps."""


def is_bucket(folder: str) -> bool:
    """Whether a folder is in object storage, such as ``s3://bucket/kitti``."""
    return folder.startswith("s3://")


def check_exists(folder: Any) -> None:
    """Raise if there is no such bucket: the plugin would create a mistyped one.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3

    Raises
    ------
    OSError
        If it does not exist, or not for these keys.
    """
    with _errors_of(f"default-storage-prefix: {folder.query}", folder):
        folder.provider.s3c.meta.client.list_objects_v2(Bucket=folder.bucket, MaxKeys=1)


def find_objects(folder: Any) -> dict[str, str]:
    """Find the objects below a path of a bucket.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3

    Returns
    -------
    dict of str to str
        The ETag of each object, which changes with its bytes, by the path below the
        folder, sorted.

    Raises
    ------
    OSError
        If the bucket cannot be listed.
    ValueError
        If the path is empty, or the plugin would read it as another one.
    """
    if folder.key == "." or set("#?") & set(folder.query):
        raise ValueError(
            f"scans: {folder.query}, expected a path in a bucket, without # or ?"
        )
    start = len(folder.key) + 1
    with _errors_of(f"scans: {folder.query}", folder):
        etags = {item.key: item.e_tag for item in folder.get_subkeys()}
    return {key[start:]: etags[key] for key in sorted(etags)}


def fetch(folder: Any, names: Iterable[str], target: PathLike) -> None:
    """Copy objects below a path of a bucket to a local folder.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str
    target : path-like

    Raises
    ------
    OSError
        If one of them cannot be copied.
    """

    def fetch_one(client: Any, key: str, name: str) -> None:
        path = Path(target, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(folder.bucket, key, str(path), Config=_in_one_thread())

    _do_for_each(fetch_one, folder, names)


def put(folder: Any, names: Iterable[str], local: PathLike) -> None:
    """Copy files in a local folder to below a path of a bucket.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str
    local : path-like

    Raises
    ------
    OSError
        If one of them cannot be copied.
    """

    def put_one(client: Any, key: str, name: str) -> None:
        path = str(Path(local, name))
        client.upload_file(path, folder.bucket, key, Config=_in_one_thread())

    _do_for_each(put_one, folder, names)


def remove(folder: Any, names: Iterable[str]) -> None:
    """Remove objects below a path of a bucket, if they exist.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str

    Raises
    ------
    OSError
        If one of them cannot be removed.
    """

    def remove_one(client: Any, key: str, name: str) -> None:
        client.delete_object(Bucket=folder.bucket, Key=key)

    _do_for_each(remove_one, folder, names)


def _in_one_thread() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(use_threads=False)


def _do_for_each(
    action: Callable[[Any, str, str], None], folder: Any, names: Iterable[str]
) -> None:
    client = folder.provider.s3c.meta.client

    def do(name: str) -> None:
        with _errors_of(f"{folder.query}/{name}", folder):
            action(client, f"{folder.key}/{name}", name)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(do, names):
            pass


@contextmanager
def _errors_of(what: str, folder: Any) -> Iterator[None]:
    """Turn an error of the client into one that says what to do."""
    # The plugin and its dependencies are only in envs/cluster.txt.
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
