"""``augcli split``: divides INPUT into train, val and test before anything is augmented."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from augcli.data.manifest import ERRORS, Failure, write_table
from augcli.data.output import TEMPORARY, OutputFolder
from augcli.data.run_record import has_record
from augcli.data.stopping import carry_on, writing
from augcli.errors import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    InputError,
    OutputError,
    ParameterError,
)
from augcli.files import modified_at
from augcli.params import build, declared, values
from augcli.run.check import check_surroundings, default_out, list_sources
from augcli.run.division import SPLITS, Division
from augcli.run.messages import Error, Notice, Progress, ignore
from augcli.run.options import SplitOptions, run_options, split_fields
from augcli.run.places import holds, path_of
from augcli.run.split_record import (
    COLUMNS,
    SPLIT_RECORD,
    SPLIT_TABLE,
    SplitRecord,
    check_is_own,
    read_record,
    read_table,
)
from augcli.work.settings import ReadSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources, Store
    from augcli.recipes.options import RunOptions
    from augcli.run.messages import Listener
    from augcli.work.reading import Reader

VERB = "split"
BATCH = 16
"""Pictures between two messages about the progress."""
ARRAY = b"\x93NUMPY"
"""First bytes of a picture that lies in an array, and becomes a PNG."""
NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)
"""What systems say where a file can't have a second name."""


@dataclass(frozen=True)
class SplitSummary:
    """What a split holds in the end.

    Attributes:
        out: OUT, absolute.
        table: Path of split.csv.
        images: Files that are there.
        new: Files that were made now.
        failed: Pictures that could not be copied, rows of errors.csv.
        splits: How many pictures each split has, by class; the empty name stands for none.
        seconds: How long it took.
    """

    out: str
    table: str
    images: int
    new: int
    failed: int
    splits: dict[str, dict[str, int]]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 where all pictures are there, 1 where some failed."""
        return EXIT_SOME_FAILED if self.failed else EXIT_OK

    @property
    def errors(self) -> str:
        """Path of the table of failed pictures."""
        return os.path.join(self.out, ERRORS)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as one JSON object."""
        return asdict(self)


def split(
    folder: str | os.PathLike[str], *, listener: Listener = ignore, **options: Any
) -> SplitSummary:
    """Divide INPUT into the folders train, val and test of OUT, each with a folder for each class.

    A picture's split depends on the seed and its name only, or on its group: pictures that are
    added move no other one, and a group is never in two splits. INPUT is only read.

    Args:
        folder: INPUT.
        listener: Called with each message.
        **options: ``val`` and ``test``, the shares; ``link``; and of the options of a run, ``out``,
            ``seed``, ``fsync``, ``overwrite`` and those that say what INPUT is.

    Raises:
        UsageError: A wrong option or wrong input; nothing was written.
        Stopped: The disk is full, …; the same call again continues.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     made = augcli.split("sample_images", val=0.25, out=out)
        >>> made.images, sorted(made.splits)
        (16, ['train', 'val'])
    """
    place = path_of(folder)
    names = {one.name for one in declared(SplitOptions)}
    own = {name: value for name, value in options.items() if name in names}
    others = {name: value for name, value in options.items() if name not in names}
    shared = run_options(split_fields(), others, VERB)
    return split_sources(place, build(SplitOptions, own), shared, listener)


def split_sources(
    folder: Path,
    wanted: SplitOptions,
    options: RunOptions,
    listener: Listener = ignore,
    checkpoint: Checkpoint = carry_on,
) -> SplitSummary:
    """Divide INPUT; see :func:`split`.

    Args:
        folder: INPUT.
        wanted: The shares, and whether files are linked.
        options: Those of :func:`augcli.run.options.split_fields` count.
        listener: Called with each message.
        checkpoint: Called between two pictures; what it raises ends the run.

    Raises:
        UsageError: A wrong option or wrong input; nothing was written.
        Stopped: The disk is full, OUT is gone, …
    """
    check_surroundings(folder, options.out)
    out = options.out or default_out(folder, VERB)
    store, sources, _ = list_sources(folder, out, options)
    _check(sources, folder, out, wanted)
    identity = {
        "command": VERB,
        "input": sources.root,
        **values(wanted),
        "seed": options.seed,
        "layout": options.layout,
    }
    output = OutputFolder(out, options.fsync, SPLIT_RECORD)
    for text in (*sources.skipped_in_words(), *sources.notices, *_notices(sources, wanted)):
        listener(Notice(text))
    for path, reason in sources.refused:
        listener(Error(path, "list", reason))
    division = Division(sources, options.seed, wanted.val, wanted.test)
    settings = ReadSettings(
        store=store, max_pixels=options.max_pixels, max_bytes=options.max_bytes, frame=None
    )
    run = _Split(store, division, wanted, output, identity, settings, listener, checkpoint)
    try:
        with writing(output.path):
            return run.make(overwrite=options.overwrite)
    finally:
        output.close()


def _check(sources: Sources, folder: Path, out: Path, wanted: SplitOptions) -> None:
    """Refuse what can't be divided, or not truly.

    Raises:
        UsageError: INPUT is divided already or was made by augcli, or OUT lies in it.
    """
    if sources.splits:
        raise InputError(
            f"INPUT {folder} has splits already: {', '.join(sources.splits)}; give the folder of "
            "one of them, or `layout` flat or classes where they are none"
        )
    if has_record(sources.root):
        raise InputError(
            f"INPUT {folder} was made by augcli: outputs of one image would come into two splits; "
            "split the images that it was made from, then augment the split train"
        )
    if wanted.link != "none" and sources.in_containers:
        raise ParameterError("link", f"is {wanted.link}, but INPUT is not a folder of image files")
    there = os.path.realpath(out)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if holds(sources.root, there):
        raise OutputError(
            f"OUT {out} lies in INPUT, whose images it would join; give a folder outside with `out`"
        )


def _notices(sources: Sources, wanted: SplitOptions) -> Iterator[str]:
    """Yield what a person should know of the files before they are made."""
    unlabelled = sum(not sources.labels[number].weights for number in sources.label_of)
    if unlabelled:
        yield f"{unlabelled:,} images have no class: they lie beside the folders of the classes"
    if wanted.link != "none":
        yield (
            "the files are links: a trainer that repairs or rewrites images in place changes "
            "those of INPUT"
        )
    if wanted.link == "symbolic":
        yield "augcli reads the links only with `follow_links`, since they lead out of the folder"


class _Split:
    """One run of the verb.

    Args:
        store: Where the pictures come from.
        division: Which split each goes to.
        wanted: Whether files are linked.
        output: Where to.
        identity: What the split depends on.
        settings: How pictures are read.
        listener: Called with each message.
        checkpoint: Called between two pictures.
    """

    def __init__(
        self,
        store: Store,
        division: Division,
        wanted: SplitOptions,
        output: OutputFolder,
        identity: dict[str, Any],
        settings: ReadSettings,
        listener: Listener,
        checkpoint: Checkpoint,
    ) -> None:
        self._store = store
        self._division = division
        self._sources = division.sources
        self._link = wanted.link
        self._output = output
        self._files = output.files
        self._identity = json.loads(json.dumps(identity))
        self._settings = settings
        self._listener = listener
        self._checkpoint = checkpoint
        self._failures = [Failure(path, "list", why) for path, why in self._sources.refused]
        self._failed: set[int] = set()
        self._reader: Reader | None = None

    def make(self, *, overwrite: bool) -> SplitSummary:
        """Make what is not there, and return what there is then."""
        begun = time.monotonic()
        sources = self._sources
        before = read_record(self._files)
        check_is_own(before, self._identity, self._output.folder, overwrite=overwrite)
        missing = [index for index in range(len(sources)) if not self._is_there(index)]
        stale = self._stale()
        record = SplitRecord(identity=self._identity)
        images, failed = len(sources) - len(missing), len(self._failures)
        finished = replace(record, state="complete", images=images, failed=failed)
        if before == finished and not missing and not stale:
            self._listener(Notice("nothing to do: everything is there already"))
            return self._summary(0, begun)
        self._output.open()
        if read_record(self._files) != before:
            raise OutputError(
                f"OUT {self._output.folder} was written by another run of augcli meanwhile; look "
                "at it and run again"
            )
        self._try_link()
        self._clear(stale)
        # What is listed here and nothing else is in OUT, however this run ends.
        self._write_table()
        self._files.publish(SPLIT_RECORD, record.to_bytes())
        self._files.sync()
        self._fill(missing, begun)
        self._write_table()
        self._write_failures()
        images, failed = len(sources) - len(self._failed), len(self._failures)
        finished = replace(record, state="complete", images=images, failed=failed)
        self._files.publish(SPLIT_RECORD, finished.to_bytes())
        self._files.sync()
        for text in self._empty_classes():
            self._listener(Notice(text))
        return self._summary(len(missing) - len(self._failed), begun)

    def _is_there(self, index: int) -> bool:
        """Return whether the file of a source is there, of the source as it is now."""
        sources, name = self._sources, self._division.name(index)
        try:
            status = self._files.status(name)
            if status is None:
                return False
            if self._link == "symbolic":
                return self._files.link_target(name) == self._path(index)
            if self._link == "hard":
                return os.path.samestat(status, os.stat(self._path(index)))
            in_files = not self._sources.in_containers
            if (
                in_files
                and status.st_nlink > 1
                and os.path.samestat(status, os.stat(self._path(index)))
            ):
                return False  # a link, made before copies were asked for
        except OSError:
            return False
        is_file = stat.S_ISREG(status.st_mode)
        is_whole = self._division.is_encoded(index) or status.st_size == sources.sizes[index]
        sets_times = os.utime in os.supports_fd
        is_same = not sets_times or modified_at(status) == sources.modified[index]
        return is_file and is_whole and is_same

    def _stale(self) -> list[str]:
        """Return the files that an earlier run made and that are no longer wanted."""
        stale = []
        for name, source in read_table(self._files):
            index = self._sources.find(source)
            if index is None or self._division.name(index) != name:
                stale.append(name)
        return stale

    def _clear(self, names: Iterable[str]) -> None:
        folders = set()
        for name in names:
            self._files.remove(name)
            folders.add(name.rpartition("/")[0])
        # An empty folder would be a class without images.
        self._files.remove_empty(folders)

    def _try_link(self) -> None:
        """Try whether files can be linked, before anything is changed.

        Raises:
            OutputError: They can't.
        """
        if self._link == "none" or not len(self._sources):
            return
        trial = f"{TEMPORARY}/trial"
        try:
            self._files.publish_link(trial, self._path(0), symbolic=self._link == "symbolic")
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            raise OutputError(
                f"OUT {self._output.folder} can't hold links of kind {self._link} to the files of "
                f"INPUT ({error.strerror}); leave out `link` to copy them, or give a folder on the "
                "same disk"
            ) from None
        finally:
            self._files.remove(trial)

    def _fill(self, missing: list[int], begun: float) -> None:
        """Make the files of these sources."""
        total = len(self._sources)
        there = total - len(missing)
        for done, index in enumerate(missing, 1):
            self._checkpoint()
            failure = self._linked(index) if self._link != "none" else self._copied(index)
            if failure:
                self._failures.append(failure)
                self._failed.add(index)
                self._clear([self._division.name(index)])
                self._listener(Error(*failure))
            if done % BATCH == 0 or done == len(missing):
                made, failed = done - len(self._failed), len(self._failed)
                seconds = time.monotonic() - begun
                self._listener(Progress(there + made, failed, total, seconds, made))

    def _linked(self, index: int) -> Failure | None:
        """Link the file of a source; return why it failed."""
        sources, path = self._sources, self._sources.paths[index]
        try:
            status = os.stat(self._path(index))
        except OSError as error:
            return Failure(path, "read", error.strerror or str(error))
        if (status.st_size, modified_at(status)) != (sources.sizes[index], sources.modified[index]):
            return Failure(path, "read", "changed during the run; run again")
        with _too_long(path) as failures:
            name, is_symbolic = self._division.name(index), self._link == "symbolic"
            self._files.publish_link(name, self._path(index), symbolic=is_symbolic)
        return next(iter(failures), None)

    def _copied(self, index: int) -> Failure | None:
        """Write the file of a source; return why it failed."""
        from augcli.work.reading import Reader, SourceFailed  # noqa: PLC0415 - decoders

        self._reader = self._reader or Reader(self._settings)
        source = self._sources.source(index)
        try:
            data = self._reader.read(source)
            if data.startswith(ARRAY):
                data = _as_png(self._reader.decoded(data, source.path).image)
        except SourceFailed as error:
            return error.failure
        with _too_long(source.path) as failures:
            self._files.publish(self._division.name(index), data, self._sources.modified[index])
        return next(iter(failures), None)

    def _path(self, index: int) -> str:
        """Return the file of a source, absolute and without links."""
        return os.path.realpath(f"{self._sources.root}/{self._sources.paths[index]}")

    def _write_table(self) -> None:
        has_groups = any(self._sources.groups)
        header = COLUMNS if has_groups else COLUMNS[:-1]
        rows = (self._cells(index)[: len(header)] for index in self._made())
        self._files.publish(SPLIT_TABLE, lambda file: write_table(file, header, rows))

    def _made(self) -> Iterator[int]:
        return (index for index in range(len(self._sources)) if index not in self._failed)

    def _cells(self, index: int) -> tuple[str, ...]:
        source, name = self._sources.source(index), self._division.name(index)
        label = source.label.heaviest
        if self._sources.are_soft:
            label = json.dumps(source.label.to_json(), ensure_ascii=False)
        return name, label, name.partition("/")[0], source.path, source.group

    def _write_failures(self) -> None:
        if not self._failures:
            self._files.remove(ERRORS)
            return
        failures = sorted(self._failures)
        self._files.publish(ERRORS, lambda file: write_table(file, Failure._fields, failures))

    def _counts(self) -> dict[str, dict[str, int]]:
        """Return how many pictures each split has, by class."""
        pairs = Counter(
            (self._division.split(index), self._sources.label(index).heaviest)
            for index in self._made()
        )
        return {
            split: {name: count for (of, name), count in sorted(pairs.items()) if of == split}
            for split in SPLITS
            if any(of == split for of, _ in pairs)
        }

    def _empty_classes(self) -> Iterator[str]:
        """Yield a line for each split that misses classes."""
        counts = self._counts()
        shares = {"train": 1.0, "val": self._division.val, "test": self._division.test}
        for split in SPLITS:
            missing = [name for name in self._sources.classes if name not in counts.get(split, {})]
            if shares[split] and missing:
                more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
                yield (
                    f"split {split} has no image of class {missing[0]!r}{more}: the shares of "
                    "small classes are rough; another `seed` divides them in another way"
                )

    def _summary(self, new: int, begun: float) -> SplitSummary:
        out = self._output.path
        return SplitSummary(
            out,
            os.path.join(out, SPLIT_TABLE),
            len(self._sources) - len(self._failed),
            new,
            len(self._failures),
            self._counts(),
            round(time.monotonic() - begun, 3),
        )


@contextlib.contextmanager
def _too_long(path: str) -> Iterator[list[Failure]]:
    """Yield a list that takes the failure of a source whose file can't have its name."""
    failures: list[Failure] = []
    try:
        yield failures
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        reason = "the path of its file is too long; give an OUT with a shorter path"
        failures.append(Failure(path, "encode", reason))


def _as_png(image: Any) -> bytes:
    from augcli.data.codecs.encoding import encode  # noqa: PLC0415 - decoders

    return encode(image, "png", quality=100)
