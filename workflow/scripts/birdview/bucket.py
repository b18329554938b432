"""Find scans in object storage, and copy files to and from there."""

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

INVALID_OBJECT_NAMES = {
    "[#?]": "the storage plugin would take another object",
}
"""Further patterns of names that are rejected there, and why."""

THREADS, AHEAD = 10, 20
"""Threads, which mostly wait: as many as the client keeps connections. And copies that
are made before they are needed."""


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


def find_objects(folder: Any, key: str = "scans") -> dict[str, str]:
    """Find the objects below a path of a bucket.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    key : str
        The setting that names it, for error messages.

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
            f"{key}: {folder.query}, expected a path in a bucket, without # or ?"
        )
    start = len(folder.key) + 1
    with _errors_of(f"{key}: {folder.query}", folder):
        etags = {item.key: item.e_tag for item in folder.get_subkeys()}
    return {key[start:]: etags[key] for key in sorted(etags)}


@contextmanager
def fetch(folder: Any, names: Iterable[str], kept: int = 1) -> Iterator[Iterator[str]]:
    """Copy objects below a path of a bucket, one after the other.

    Some more are copied while the caller works on one.

    Parameters
    ----------
    folder : StorageObject of snakemake-storage-plugin-s3
    names : iterable of str
    kept : int
        How many copies there are at once, beside those that wait.

    Yields
    ------
    iterator of str
        The path of a copy of each, in order; it is removed when so many more are asked
        for.

    Raises
    ------
    OSError
        If one of them cannot be copied.
    """
    waiting, copies = iter(names), deque[Future[Path]]()
    with (
        tempfile.TemporaryDirectory() as target,
        ThreadPoolExecutor(THREADS) as pool,
    ):

        def copy(name: str) -> Path:
            path = Path(target, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with _errors_of(f"{folder.query}/{name}", folder):
                _client(folder).download_file(
                    folder.bucket, _key(folder, name), path, Config=_in_one_thread()
                )
            return path

        def copy_all() -> Iterator[str]:
            used = deque[Path]()
            copies.extend(pool.submit(copy, name) for name in islice(waiting, AHEAD))
            while copies:
                path = copies.popleft().result()
                copies.extend(pool.submit(copy, name) for name in islice(waiting, 1))
                yield str(path)
                used.append(path)
                if len(used) >= kept:
                    used.popleft().unlink()

        try:
            yield copy_all()
        finally:
            for one in copies:
                one.cancel()


def put(folder: Any, name: str, content: bytes) -> str:
    """Write an object below a path of a bucket; return its ETag.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with _errors_of(f"{folder.query}/{name}", folder):
        answer = _client(folder).put_object(
            Bucket=folder.bucket, Key=_key(folder, name), Body=content
        )
    return str(answer["ETag"])


def remove(folder: Any, name: str) -> None:
    """Remove an object below a path of a bucket, if it exists.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    with _errors_of(f"{folder.query}/{name}", folder):
        _client(folder).delete_object(Bucket=folder.bucket, Key=_key(folder, name))


def _client(folder: Any) -> Any:
    return folder.provider.s3c.meta.client


def _key(folder: Any, name: str) -> str:
    return f"{folder.key}/{name}"


def _in_one_thread() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(use_threads=False)


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
