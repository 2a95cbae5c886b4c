"""One run of ``augcli split``: what is missing is made, and what is there is written down."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from augcli.data.manifest import ERRORS, Failure, write_table
from augcli.errors import EXIT_OK, EXIT_SOME_FAILED, OutputError
from augcli.files import Folder
from augcli.run.messages import Error, Notice, Progress
from augcli.run.splitting.division import SPLITS
from augcli.run.splitting.split_files import SplitFiles
from augcli.run.splitting.split_record import (
    COLUMNS,
    SPLIT_RECORD,
    SPLIT_TABLE,
    SplitRecord,
    check_is_own,
    read_record,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.output import OutputFolder
    from augcli.data.stopping import Checkpoint
    from augcli.run.messages import Listener
    from augcli.run.splitting.division import Division
    from augcli.work.settings import ReadSettings

BATCH = 16
"""Pictures between two messages about the progress."""


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


class SplitRun:
    """One run of the verb.

    Args:
        division: Which split each picture goes to.
        link: Whether files are links.
        output: Where to.
        identity: What the split depends on.
        settings: How pictures are read.
        listener: Called with each message.
        checkpoint: Called between two pictures.
    """

    def __init__(
        self,
        division: Division,
        link: str,
        output: OutputFolder,
        identity: dict[str, Any],
        settings: ReadSettings,
        listener: Listener,
        checkpoint: Checkpoint,
    ) -> None:
        self._division = division
        self._sources = division.sources
        self._output = output
        assert isinstance(output.files, Folder)
        self._files = output.files
        self._pictures = SplitFiles(division, link, self._files, settings)
        # As it comes back from split.json.
        self._identity = json.loads(json.dumps(identity))
        self._listener = listener
        self._checkpoint = checkpoint
        self._failures = [Failure(path, "list", why) for path, why in self._sources.refused]
        self._failed: set[int] = set()

    def make(self, *, overwrite: bool) -> SplitSummary:
        """Make what is not there, and return what there is then."""
        begun = time.monotonic()
        sources = self._sources
        before = read_record(self._files)
        check_is_own(before, self._identity, self._output.folder, overwrite=overwrite)
        missing = [index for index in range(len(sources)) if not self._pictures.is_there(index)]
        stale = self._pictures.stale()
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
        self._pictures.try_link()
        self._pictures.clear(stale)
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

    def _fill(self, missing: list[int], begun: float) -> None:
        """Make the files of these sources."""
        total = len(self._sources)
        there = total - len(missing)
        for done, index in enumerate(missing, 1):
            self._checkpoint()
            failure = self._pictures.make(index)
            if failure:
                self._failures.append(failure)
                self._failed.add(index)
                self._pictures.clear([self._division.name(index)])
                self._listener(Error(*failure))
            if done % BATCH == 0 or done == len(missing):
                made, failed = done - len(self._failed), len(self._failed)
                seconds = time.monotonic() - begun
                self._listener(Progress(there + made, failed, total, seconds, made))

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
