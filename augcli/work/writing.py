"""Writing: outputs encoded, published and described by a row."""

from __future__ import annotations

import errno
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.encoding import encode
from augcli.data.codecs.formats import output_ending, output_subsampling
from augcli.data.manifest import Row
from augcli.data.names import output_name
from augcli.errors import UnreadableImage
from augcli.plan.parts import Made
from augcli.work.reading import UnreadableFailure

if TYPE_CHECKING:
    from augcli.data.codecs.formats import Subsampling
    from augcli.files import Publisher
    from augcli.pixels.frame import Image
    from augcli.plan.jobs import Job, Settings
    from augcli.work.soft_labels import SoftLabels


class Output(NamedTuple):
    """What is known of an output before it is encoded.

    Attributes:
        job: What it is made for.
        method: The manifest's ``method``.
        copy: Copy number.
        labels: The manifest's columns that come from the donor.
        draw: JSON: what was decided.
        remarks: What may surprise about it.
    """

    job: Job
    method: str
    copy: int
    labels: SoftLabels
    draw: str
    remarks: list[str]


class Writer:
    """Writes outputs and gives what a part records of them.

    Args:
        settings: How.
        publisher: Where to.
    """

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings = settings
        self._publisher = publisher

    def encoded(self, output: Output, image: Image, subsampling: Subsampling) -> Made:
        """Encode and write a picture.

        Args:
            output: What it is.
            image: uint8 (H, W, 3), RGB.
            subsampling: That of the base, which is kept where the run is to keep it.

        Raises:
            UnreadableFailure: It can't be an output.
            OSError: Nothing can be written.
        """
        path, settings = output.job.base.path, self._settings
        kind = output_ending(path, settings.format)
        try:
            data = encode(
                image,
                kind,
                quality=settings.quality,
                subsampling=output_subsampling(subsampling, settings.subsampling),
                png_level=settings.png_level,
            )
        except UnreadableImage as error:
            raise UnreadableFailure(path, "encode", error.reason) from None
        return self.written(output, image, kind, data)

    def written(self, output: Output, image: Image, extension: str, data: bytes) -> Made:
        """Write the bytes of a file that shows a picture; see :meth:`encoded`."""
        job, method, copy, labels, draw, remarks = output
        base = job.base
        name = output_name(base.path, method, copy, extension)
        try:
            self._publisher.publish(name, data)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            reason = "the path of its output is too long; give an OUT with a shorter path"
            raise UnreadableFailure(base.path, "encode", reason) from None
        height, width = image.shape[:2]
        row = Row(
            file_name=name,
            label_a=base.label,
            weight_a=labels.weight_a,
            label_b=labels.label_b,
            weight_b=labels.weight_b,
            source_a=base.path,
            source_b=labels.source_b,
            method=method,
            draw=draw,
            width=width,
            height=height,
            copy=copy,
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return Made(job.identity, len(data), remarks, row)
