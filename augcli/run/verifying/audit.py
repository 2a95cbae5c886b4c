"""The tables of an output folder, compared with the records of what was made."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from augcli.data.manifest import CLASSES, ERRORS, Failure, read_failures
from augcli.data.output import FOLDED_PARTS
from augcli.data.run_record import RECORD
from augcli.plan.parts import Parts
from augcli.run.making.finish import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.data.manifest import Row
    from augcli.data.manifest_formats.columns import Columns
    from augcli.data.output import OutputFolder
    from augcli.data.sinks.sink import DataFile

WRONG_HASH = (
    "is not the file that was written (sha256); remove it and run the command again to make it anew"
)
LISTED = "list"
"""Stage of a failure that no part records: the image was refused before the plan was made."""


class Audit:
    """What the tables hold, row by row, and what the parts say of it.

    A row is remembered as a hash: a million rows fit in memory.

    Args:
        manifest: Name of the manifest.
        columns: Its columns: rows are compared as they stand there.
    """

    def __init__(self, manifest: str, columns: Columns) -> None:
        self._manifest = manifest
        self._columns = columns
        self._rows: dict[str, bytes] = {}

    def see(self, row: Row) -> bool:
        """Remember a row of the manifest; return whether its file had a row before."""
        before = row.file_name in self._rows
        self._rows[row.file_name] = self._digest(row)
        return before

    @property
    def names(self) -> set[str]:
        """The files that have a row."""
        return set(self._rows)

    def containers(self, output: OutputFolder) -> set[str]:
        """Return the files that hold outputs: those that the parts or the rows name."""
        stored = [stored.part for stored in Parts(output.files, in_containers=True).read()]
        files = {part.data.name for part in stored if part and part.data}
        return files | {name.partition("/")[0] for name in self._rows}

    def problems(
        self,
        output: OutputFolder,
        classes: Sequence[str],
        command: str,
        given: Sequence[str] = (),
    ) -> Iterator[tuple[str, str]]:
        """Yield the file and what is wrong where tables differ from the parts.

        Args:
            output: A complete OUT, with its folded parts.
            classes: Those of classes.txt.
            command: Hash of the command that run.json records; empty where it is not known.
            given: Classes that a person gave, which need no output.
        """
        parts = Parts(output.files)
        totals = Totals()
        missing = self._rows
        commands = {command} - {""}
        in_containers = False
        for stored in parts.read():
            if not stored.part:
                continue
            if stored.part.data:
                in_containers = True
                yield from _container(output, stored.part.data)
            commands.add(stored.part.command)
            totals.add(stored.part.made)
            for made in stored.part.made:
                there = missing.pop(made.row.file_name, None)
                if there is None:
                    yield made.row.file_name, f"was made, but has no row in {self._manifest}"
                elif there != self._digest(made.row):
                    yield (
                        made.row.file_name,
                        f"its row in {self._manifest} is not the one that was made",
                    )
            for _, failure in stored.part.failed:
                totals.add_failure(failure)
        if parts.is_cut:
            yield FOLDED_PARTS, "is damaged; run the command again to make what it recorded anew"
            return
        for name in missing:
            yield name, f"has a row in {self._manifest}, but no run made it"
        if len(commands) > 1:
            yield RECORD, "does not record the command that made the outputs"
        expected = totals.classes | set(given)
        # In containers, classes without any output have a number too.
        if not (expected <= set(classes) if in_containers else expected == set(classes)):
            yield CLASSES, "does not hold the classes of the outputs"
        yield from _failures(output, totals)

    def _digest(self, row: Row) -> bytes:
        cells = repr((row.split, row.group, *self._columns.cells(row)))
        return hashlib.blake2b(cells.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _container(output: OutputFolder, data: DataFile) -> Iterator[tuple[str, str]]:
    """Compare a file that holds outputs with what its part records."""
    try:
        with output.files.open(data.name) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        yield data.name, f"can't be read ({error.strerror})"
        return
    if digest != data.sha256:
        yield data.name, WRONG_HASH


def _failures(output: OutputFolder, totals: Totals) -> Iterator[tuple[str, str]]:
    """Compare errors.csv with the failures that the parts record."""
    try:
        there = {failure.source: failure for failure in read_failures(output.files.open(ERRORS))}
    except FileNotFoundError:
        there = {}
    except (OSError, ValueError) as error:
        yield ERRORS, f"can't be read: {error}"
        return
    expected = {source: Failure(*failure) for source, failure in totals.failures.items()}
    for source in sorted(there.keys() | expected.keys()):
        found = there.get(source)
        is_listed = found is not None and found.stage == LISTED
        if found != expected.get(source) and not is_listed:
            yield ERRORS, f"does not say of {source!r} what happened to it"
