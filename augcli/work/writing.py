"""Writing: outputs encoded, handed to the sink and described by a row."""

from __future__ import annotations

import errno
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.encoding import check_sides, encode_output
from augcli.data.codecs.formats import output_ending
from augcli.data.manifest import Row
from augcli.errors import UnreadableImage
from augcli.plan.part import Made
from augcli.work.reading import SourceFailed

if TYPE_CHECKING:
    from augcli.data.codecs.encoding import Encoded
    from augcli.data.codecs.formats import OutputEncoding, Subsampling
    from augcli.data.labels import Label
    from augcli.data.sinks.sink import ShardWriter
    from augcli.data.stores.sources import Source
    from augcli.pixels.frame import Image
    from augcli.plan.jobs import Job


class Pending(NamedTuple):
    """What is known of an output before it is written.

    Attributes:
        job: What it is made for.
        name: Its name in the manifest.
        method: The manifest's ``method``.
        copy: Copy number.
        label: Its soft label.
        donor: Name of the donor; empty where there is none.
        draw: JSON: what was decided.
        remarks: What may surprise about it.
    """

    job: Job
    name: str
    method: str
    copy: int
    label: Label
    donor: str
    draw: str
    remarks: list[str]


class Writer:
    """Writes outputs and returns what a part records of them.

    Args:
        encoding: How pictures are encoded.
    """

    def __init__(self, encoding: OutputEncoding) -> None:
        self._encoding = encoding

    def encode(
        self, base: Source, image: Image, subsampling: Subsampling, grey: bool = False
    ) -> Encoded:
        """Encode a picture.

        Args:
            base: The base.
            image: uint8 (H, W, 3), RGB.
            subsampling: That of the base, used where the run is to keep it.
            grey: Whether all files that it was made of store greys only.

        Raises:
            SourceFailed: It can't be an output.
        """
        try:
            return encode_output(
                image, base.place or base.path, subsampling, self._encoding, grey=grey
            )
        except UnreadableImage as error:
            raise SourceFailed(base.path, "encode", error.reason) from None

    def check_sides(self, base: Source, width: int, height: int) -> None:
        """Check that a picture can be an output, before it is made.

        Args:
            base: The base.
            width: Of the output, in pixels.
            height: Of the output, in pixels.

        Raises:
            SourceFailed: It can't be.
        """
        try:
            check_sides(
                width, height, output_ending(base.place or base.path, self._encoding.format)
            )
        except UnreadableImage as error:
            raise SourceFailed(base.path, "encode", error.reason) from None

    def write(self, shard: ShardWriter, pending: Pending, image: Image, encoded: Encoded) -> Made:
        """Hand an output to the sink.

        Args:
            shard: Takes it.
            pending: What it is.
            image: uint8 (H, W, 3): the picture that it shows.
            encoded: Its file.

        Raises:
            SourceFailed: It can't be an output.
            OSError: Nothing can be written.
        """
        job, name, method, copy, label, donor, draw, remarks = pending
        path = job.base.path
        height, width = image.shape[:2]
        digest = hashlib.sha256(encoded.data).hexdigest()
        split, group = job.base.split, job.base.group
        row = Row(name, label, path, donor, method, draw, width, height, copy, digest, split, group)
        try:
            shard.add(row, encoded.data)
        except UnreadableImage as error:
            raise SourceFailed(path, "encode", error.reason) from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            reason = "the path of its output is too long; give an OUT with a shorter path"
            raise SourceFailed(path, "encode", reason) from None
        return Made(job.fingerprint, len(encoded.data), remarks, row)
