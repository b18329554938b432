"""Render batches of scans: find out which images are stale, and render these.

An image is up to date if its text has the digests of its recipe and of its scan. Both
files are read once; then what `birdview.records` knows of them shows whether they have
changed.
"""

import contextlib
import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import cached_property, lru_cache, partial
from io import BytesIO
from typing import Any, NamedTuple, TypeAlias

from birdview import stores
from birdview.counts import KEYWORDS
from birdview.files import write_atomically
from birdview.image import ImageFile
from birdview.pixels.assembly import FOUND, LABELS, SCAN, Assembly, combine_digests
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import KEYWORD
from birdview.pixels.png import text_in_front
from birdview.pixels.recipe import CLASS, CONDITIONS, digest_recipe
from birdview.records import Known, Records, State, state_of
from birdview.run import Run
from birdview.workers import Workers, ignore

RECIPE = "birdview:recipe"
TEXT_OF_POINTS = (*KEYWORDS, KEYWORD, *CONDITIONS, *FOUND)
"""Keywords of an image's text: what made it, and what its points look like."""
_UNKNOWN = Known([], "", {}, {})
MAX_UPLOADS = 50
"""Images of a batch that wait in memory to be uploaded."""

Draw: TypeAlias = Callable[[Run, Assembly, list[Encoding]], Iterator[bytes]]
"""Renders an assembly in some encodings: yields PNG files."""
Tell: TypeAlias = Callable[[str, bool], None]
"""Is told of a batch that one of its scans is done, and whether it failed."""
Forget: TypeAlias = Callable[[str], None]
"""Is told the path of an image to be written: Snakemake will not know its inputs."""


class Due(NamedTuple):
    """What of a batch may have to be rendered.

    Attributes
    ----------
    scans : list of str
    images : int
        Of these scans.
    """

    scans: list[str]
    images: int


class Batches:
    """The batches of a run.

    Parameters
    ----------
    run : Run
    open_bucket : function, optional
        Turns a path such as ``s3://bucket/kitti`` into a StorageObject.
    """

    def __init__(
        self, run: Run, open_bucket: Callable[[str], Any] | None = None
    ) -> None:
        self._run, self._open_bucket = run, open_bucket
        # That of an image has the conditions of its scan: states show if they change.
        conditions = run.assemblies.of_all._replace(camera=str(run.cameras or ""))
        self._recipes = {
            name: digest_recipe(encoding, run.layout, conditions)
            for name, encoding in run.encodings.items()
        }
        self._records = Records(f"{run.records}/batches", self._recipes)
        self._is_stopped, self._lock = threading.Event(), threading.Lock()
        self._workers: Workers | None = None

    @cached_property
    def due(self) -> dict[str, Due]:
        """The batches in which something may have to be rendered."""
        due = {}
        for batch, scans in self._run.batches.items():
            known = self._records.load(batch, scans)
            stale = [*self._find_stale(scans, known)]
            if stale:
                due[batch] = Due(
                    [one.scan for one in stale],
                    sum(len(one.encodings) for one in stale),
                )
        return due

    def start(self, cores: int) -> None:
        """Start processes to render in, once, if several batches are due.

        What comes from a bucket or goes there is rendered in this process, which has
        the connections.
        """
        if self._run.results_prefix or self._run.assemblies.are_remote:
            return
        with self._lock:
            count = min(cores, len(self.due))
            if count > 1 and self._workers is None:
                self._workers = Workers(count, "birdview.pixels.render")

    def render(self, batch: str, draw: Draw, tell: Tell, forget: Forget) -> str:
        """Render the stale images of a batch, in a process of its own after `start`.

        Those that were made stay, whatever happens later. Of a scan that failed, no
        older image stays.

        Parameters
        ----------
        batch : str
            Its name.
        draw : function
            Of a module, so that a process can import it.
        tell, forget : function

        Returns
        -------
        str
            What differs if one of its images does.

        Raises
        ------
        OSError
            If a scan cannot be copied from a bucket, or the record cannot be written,
            or the process ends.
        ValueError
            If scans failed: a line for each error. Or if there is no such batch, or
            `stop` was called.
        """
        run = self._run.narrow(self._run.scans_of(batch))
        known = self._records.load(batch, run.scans)
        stale = [*self._find_stale(run.scans, known)]
        for one in stale:
            for encoding in one.encodings:
                forget(run.image_path(encoding.name, one.scan))
        job = _Job(run, self._store, draw, known)
        try:
            outcome = self.call(_Job.run, job, stale, tell=partial(tell, batch))
            known = outcome.known
        except ChildProcessError as error:
            raise ChildProcessError(f"batch {batch}: {error}") from None
        finally:
            self._records.save(batch, known)
        if outcome.errors:
            raise ValueError("\n".join(outcome.errors))
        if not outcome.is_complete:
            raise ValueError(f"batch {batch}: stopped before its end")
        return self._digest(known)

    def adopt(self) -> Iterator[tuple[str, str]]:
        """Record batches that are up to date, but were split otherwise until now.

        Yields the name of each, and the content of its mark, which is missing.
        """
        for batch, scans in self._run.batches.items():
            mark = self._run.mark_path(batch)
            if batch not in self.due and not os.path.exists(mark):
                known = self._records.load(batch, scans)
                self._records.save(batch, known)
                yield batch, self._digest(known)

    def _digest(self, known: Mapping[str, Known]) -> str:
        digests = [
            (scan, one.digest + one.conditions + one.labels)
            for scan, one in sorted(known.items())
        ]
        return hashlib.sha256(repr([self._recipes, digests]).encode()).hexdigest()

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        tell: Callable[..., None] = ignore,
    ) -> Any:
        """Call a function where batches are rendered: see `Workers.call`."""
        if self._workers:
            return self._workers.call(function, *arguments, tell=tell)
        return function(*arguments, tell, self._is_stopped.is_set)

    def find_text(self) -> Callable[[ImageFile], Mapping[str, str]]:
        """Return what returns the text of an image that is not on this machine.

        What it shows of the points, and of which recipe; nothing if that is not known.
        """
        texts = {
            (name, scan): text
            for batch, scans in self._run.batches.items()
            for scan, known in self._records.load(batch, scans).items()
            for name, text in known.texts.items()
        }
        return lambda image: texts.get((image.encoding.name, image.scan), {})

    def digest(self) -> str:
        """Return what differs if an image of the run was rendered again in a batch."""
        return self._records.digest(self._run.batches)

    @property
    def is_stopped(self) -> bool:
        """Whether the run is being interrupted."""
        return self._is_stopped.is_set()

    def stop(self) -> None:
        """Let batches end after the scan that is being rendered."""
        self._is_stopped.set()
        if self._workers:
            self._workers.stop()

    def close(self) -> None:
        """End the processes that `start` has started."""
        if self._workers:
            self._workers.close()

    def discard_others(self) -> None:
        """Remove what was kept of other batches of the same scans."""
        run = self._run
        for batch in self._records.discard_others(run.batches, set(run.scans)):
            for path in (run.mark_path(batch), run.request_path(batch)):
                with contextlib.suppress(OSError):
                    os.unlink(path)

    @cached_property
    def _store(self) -> stores.Store:
        prefix = self._run.results_prefix
        if prefix and self._open_bucket:
            folder = self._open_bucket(f"{prefix}/{self._run.results}")
            return stores.Bucket(folder, self._run.results)
        return stores.Folder()

    def _find_stale(
        self, scans: Iterable[str], known: Mapping[str, Known]
    ) -> Iterator["_Stale"]:
        """Yield the scans with images that are not known to be up to date."""
        run, state_of_image = self._run, self._store.state
        for scan in scans:
            state, one = run.assemblies.state(scan), known.get(scan)
            if state is None or one is None or one.state != state:
                yield _Stale(scan, state, [*run.encodings.values()])
                continue
            encodings = [
                encoding
                for name, encoding in run.encodings.items()
                if one.images.get(name, 0) != state_of_image(run.image_path(name, scan))
            ]
            if encodings:
                yield _Stale(scan, state, encodings)


class _Stale(NamedTuple):
    """A scan, the state of its files, and encodings of which its image may be stale."""

    scan: str
    state: State | None
    encodings: list[Encoding]


class Digests(NamedTuple):
    """The SHA-256 of what images were made from; empty if it is not known.

    Attributes
    ----------
    scan : str
        Of the files with points.
    labels : str
        Of those with labels of points.
    """

    scan: str
    labels: str

    def of(self, encoding: Encoding) -> "Digests":
        """Return those that decide the images of an encoding."""
        return self if CLASS in encoding.fields else self._replace(labels="")


def _digests_in(text: Mapping[str, str]) -> Digests:
    return Digests(text.get(SCAN, ""), text.get(LABELS, ""))


class _Outcome(NamedTuple):
    """What a job has done.

    Attributes
    ----------
    known : dict of str to Known
        What is known of the scans that did not fail.
    errors : list of str
        Those of scans, in order.
    is_complete : bool
        Whether it was not stopped.
    """

    known: dict[str, Known]
    errors: list[str]
    is_complete: bool


class _Job:
    """Renders the scans of one batch; can be pickled until it does."""

    def __init__(
        self,
        run: Run,
        store: stores.Store,
        draw: Draw,
        known: dict[str, Known],
    ) -> None:
        self._run, self._store = run, store
        self._draw, self._known = draw, known
        self._errors: dict[str, None] = {}
        self._looked_at: dict[str, list[str]] = {}
        self._uploads: deque[tuple[str, Encoding, Future[None]]] = deque()

    def run(
        self,
        stale: list[_Stale],
        tell: Callable[[bool], None],
        is_stopped: Callable[[], bool],
    ) -> _Outcome:
        """Render the stale images of scans."""
        done = 0
        try:
            with self._run.assemblies.open(one.scan for one in stale) as fetch:
                for one in stale:
                    if is_stopped():
                        break
                    tell(self._render(one, fetch))
                    done += 1
        finally:
            self._finish()
        return _Outcome(self._known, [*self._errors], done == len(stale))

    def _render(self, one: _Stale, fetch: Callable[[Assembly], Assembly]) -> bool:
        """Render the stale images of a scan; return whether that failed."""
        known = self._known.pop(one.scan, None)
        if known is None or known.state != one.state:
            known = _UNKNOWN
        try:
            there = self._run.assemblies.of(one.scan)
        except (OSError, ValueError) as error:
            self._fail(one.scan, one.encodings, _explain(error))
            return True
        here = fetch(there)
        examined, stale = self._examine(one, here, known)
        digests, texts = examined, dict[str, dict[str, str]]()
        if self._run.assemblies.differ and not self._store.is_remote:
            # For Snakemake, if it renders single images in this folder; it must not be
            # newer than those.
            self._run.assemblies.record(one.scan, self._run.records)
        images = self._draw(self._run, here, stale)
        for number, encoding in enumerate(stale):
            try:
                content = next(images)
                self._write(one.scan, encoding, content)
            except (MemoryError, OSError, ValueError) as error:
                failed = stale[number:]
                self._fail(one.scan, failed, _explain(error, here, there))
                self._draw_without_labels(one.scan, failed, here, there)
                return True
            self._forget_error(one.scan, encoding)
            text = text_in_front(BytesIO(content), one.scan)
            digests = Digests(text[SCAN], text.get(LABELS, digests.labels))
            if self._store.is_remote:
                texts[encoding.name] = {
                    key: text[key] for key in (RECIPE, *TEXT_OF_POINTS) if key in text
                }
        if one.state is not None:
            is_same = known.digest == digests.scan
            is_same &= known.labels in ("", digests.labels)
            kept = known if is_same else _UNKNOWN
            self._known[one.scan] = Known(
                one.state,
                digests.scan,
                {**kept.images},
                kept.texts | texts,
                there.conditions.digest,
                digests.labels,
            )
            sure = one.encodings if digests == examined else stale
            self._looked_at[one.scan] = [encoding.name for encoding in sure]
        return False

    def _draw_without_labels(
        self, scan: str, failed: list[Encoding], here: Assembly, there: Assembly
    ) -> None:
        """Render those images that labels of points, which may be bad, do not decide.

        They are looked at again in the next run, because their scan has failed.
        """
        plain = [encoding for encoding in failed if CLASS not in encoding.fields]
        if not plain or len(plain) == len(failed):
            return
        images = self._draw(self._run, here.without_labels, plain)
        for number, encoding in enumerate(plain):
            try:
                self._write(scan, encoding, next(images))
            except (MemoryError, OSError, ValueError) as error:
                self._fail(scan, plain[number:], _explain(error, here, there))
                return
            self._forget_error(scan, encoding)

    def _finish(self) -> None:
        """Wait until all images are written, and complete what is known of them."""
        while self._uploads:
            self._wait_for_oldest()
        for scan, names in self._looked_at.items():
            for name in names:
                state = self._store.state(self._run.image_path(name, scan))
                if state is not None:
                    self._known[scan].images[name] = state

    def _examine(
        self, one: _Stale, assembly: Assembly, known: Known
    ) -> tuple[Digests, list[Encoding]]:
        """Return the digests of files, if they are needed, and what is really stale."""
        texts = {
            encoding.name: self._store.read_text(
                self._run.image_path(encoding.name, one.scan)
            )
            for encoding in one.encodings
        }
        made = {
            encoding.name: _digests_in(texts[encoding.name])
            for encoding in one.encodings
            if texts[encoding.name].get(RECIPE)
            == digest_recipe(
                encoding,
                self._run.layout,
                assembly.conditions.for_encoding(encoding),
            )
        }
        digests = Digests(known.digest, known.labels)
        if made and not digests.scan:
            # A file that cannot be read makes drawing fail.
            for readable in (assembly, assembly.without_labels):
                with contextlib.suppress(OSError):
                    digests = self._digest(readable)
                    break
        stale = [
            encoding
            for encoding in one.encodings
            if made.get(encoding.name) != digests.of(encoding)
        ]
        return digests, stale if digests.scan else one.encodings

    def _digest(self, assembly: Assembly) -> Digests:
        """Return the digests of the files of an assembly."""
        labels = [part.labels for part in assembly.parts]
        digests = [str(one.file) if one else "" for one in labels]
        return Digests(
            combine_digests(_digest_file(str(part.file)) for part in assembly.parts),
            combine_digests(path and _digest_file(path) for path in digests)
            if any(digests)
            else "",
        )

    def _write(self, scan: str, encoding: Encoding, content: bytes) -> None:
        path = self._run.image_path(encoding.name, scan)
        upload = self._store.write(path, content)
        if upload:
            self._uploads.append((scan, encoding, upload))
        if len(self._uploads) > MAX_UPLOADS:
            self._wait_for_oldest()

    def _wait_for_oldest(self) -> None:
        scan, encoding, upload = self._uploads.popleft()
        try:
            upload.result()
        except OSError as error:
            self._fail(scan, [encoding], str(error))

    def _fail(self, scan: str, encodings: list[Encoding], error: str) -> None:
        """Keep an error, and leave no older image."""
        self._errors[error] = None
        for encoding in encodings:
            log = self._run.log_path(encoding.name, scan)
            with contextlib.suppress(OSError):  # that of a full disk, the error itself
                os.makedirs(os.path.dirname(log), exist_ok=True)
                write_atomically(log, f"{error}\n".encode(errors="backslashreplace"))
            with contextlib.suppress(OSError):  # also: a folder that is read-only
                self._store.remove(self._run.image_path(encoding.name, scan))

    def _forget_error(self, scan: str, encoding: Encoding) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._run.log_path(encoding.name, scan))


def _explain(
    error: Exception, here: Assembly | None = None, there: Assembly | None = None
) -> str:
    """Return an error in one line, with a scan's own name for a copy of it."""
    message = " ".join(str(error).split("\n"))
    if here and there:
        for copy, own in zip(here.parts, there.parts, strict=True):
            message = message.replace(str(copy.file), str(own.file))
    return message


@lru_cache(maxsize=256)
def _digest_of_state(path: str, state: tuple[Any, ...]) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_file(path: str) -> str:
    """Return the SHA-256 of a file, which images of several scans may need."""
    return _digest_of_state(path, tuple(state_of(path) or ()))
