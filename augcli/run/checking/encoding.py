"""How outputs are encoded, by the options of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.codecs.formats import OutputEncoding
from augcli.data.sinks.npz import MOST_BYTES
from augcli.data.sinks.opening import holds_arrays
from augcli.errors import ParameterError, UsageError

if TYPE_CHECKING:
    from augcli.recipes.options import RunOptions


def encoding_of(options: RunOptions) -> OutputEncoding:
    """Return how outputs are encoded."""
    return OutputEncoding(
        format="npy" if holds_arrays(options.to) else options.format,
        quality=options.quality,
        subsampling=options.subsampling,
        png_level=options.png_level,
        channels=options.channels,
    )


def check_arrays(options: RunOptions, outputs: int, classes: int) -> None:
    """Refuse a set that arrays can't hold, or that is too large for them.

    Args:
        options: How.
        outputs: How many there are.
        classes: How many classes labels have a weight for.

    Raises:
        UsageError: Outputs may have different sizes, or need too much memory.
    """
    if not holds_arrays(options.to):
        return
    if options.format != "same":
        raise ParameterError("format", "is for files, but `to` npz holds arrays; leave it out")
    if options.frame is None:
        raise UsageError(
            "`to` npz holds images of one size, but those of INPUT may differ; give `size`, such "
            "as 32 or 64x48"
        )
    each = 3 * options.frame.height * options.frame.width + 4 * classes
    if outputs * each > MOST_BYTES:
        raise UsageError(
            f"`to` npz would need {outputs * each / 1e9:.1f} GB for {outputs:,} images of "
            f"{options.size}, and at most {MOST_BYTES / 1e9:.0f} GB are written, because readers "
            "have all of it in memory; use `to` webdataset or parquet"
        )
