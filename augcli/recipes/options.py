"""The options that all commands share, each declared once.

The file is long because it is one table: whatever an option is to the command line, to Python, to
recipes and to the docs stands in its one place here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from augcli.attention.device import parse_device
from augcli.augmentations.size import parse_size, size_frame
from augcli.data.codecs.choices import BACKGROUND, WHITE_LEVEL
from augcli.data.codecs.formats import FULL_WHITE, PNG_LEVEL
from augcli.data.stores.sources import MOST_BYTES
from augcli.files import Place
from augcli.params import ByName, Param, check
from augcli.recipes.array_index import parse_index
from augcli.recipes.option_values import (
    FORMATS,
    byte_count,
    parse_address,
    parse_bytes,
    parse_copies_of,
    parse_format,
    parse_per_class,
)

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame


MODEL = Param("ONNX scorer that gives the heat maps [default: the shipped one].", group="input")
DEVICE = Param(
    "Device that scores images: cpu, cuda, another one of onnxruntime, or auto (a GPU if "
    "one works).",
    parse=parse_device,
    metavar="auto|cpu|cuda|NAME",
    group="run",
)
MAX_PIXELS = Param("Refuse larger images before decoding them.", 1, 2**30, "pixels", group="input")
MAX_BYTES = Param("Refuse larger files before reading them.", 1, 2**40, "bytes", group="input")
FOLLOW_LINKS = Param(
    "Follow symbolic links, including those that lead out of INPUT.", group="input"
)
IMAGE_COLUMN = Param("Column of the images in Parquet [default: found by its type].", group="input")
WORKERS = Param(
    "Worker processes; 0 uses this process only [default: one for each available core].",
    0,
    4096,
    group="run",
)
TIMEOUT = Param(
    "Seconds that a worker may spend on an image before it fails; larger images than 25 megapixels "
    "have more, in proportion; 0 is no limit, and with `workers` 0 there is none [default: 120].",
    0,
    1_000_000,
    group="run",
)


@dataclass(frozen=True, kw_only=True)
class RunOptions(ByName):
    """What a run does, for every augmentation."""

    out: Annotated[
        Place | None,
        Param(
            "Folder for the results [default: INPUT-COMMAND beside INPUT].",
            short="-o",
            group="output",
        ),
    ] = None
    to: Annotated[
        Literal["folder", "webdataset", "parquet", "npz"],
        Param(
            "What the outputs become: files in a folder, webdataset (tar files of many samples), "
            "parquet (tables that hold the pictures) or npz (arrays of NumPy, for small sets).",
            group="output",
        ),
    ] = "folder"
    shard_size: Annotated[
        str,
        Param(
            "About how large a file that holds many outputs is, such as 256MB or 1GB.",
            parse=parse_bytes,
            metavar="SIZE",
            group="output",
        ),
    ] = "256MB"
    manifest: Annotated[
        Literal["csv", "jsonl", "parquet"],
        Param(
            "Format of the manifest: csv (metadata.csv), jsonl (metadata.jsonl, with types) or "
            "parquet (metadata.parquet).",
            group="output",
        ),
    ] = "csv"
    soft_label: Annotated[
        Literal["pair", "json", "wide", "list"],
        Param(
            "How a label stands in the manifest: pair (the base's class and the donor's, with "
            "their weights; json where INPUT has soft labels), json (weights by class), wide (a "
            "column for each class) or list (a weight for each class of classes.txt).",
            group="output",
        ),
    ] = "pair"
    labels: Annotated[
        Place | None,
        Param(
            "Table with a row for each image (CSV, TSV, JSONL or Parquet), instead of one folder "
            "per class.",
            group="input",
        ),
    ] = None
    file_column: Annotated[
        str | None,
        Param(
            "Column of the table that names the image [default: found by its name].", group="input"
        ),
    ] = None
    label_column: Annotated[
        str | None,
        Param("Column of the labels [default: found by its name].", group="input"),
    ] = None
    label_columns: Annotated[
        str | None,
        Param(
            "Columns of the table that are a class each and hold its weight, separated by commas; "
            "rest for all that remain.",
            group="input",
        ),
    ] = None
    multi_label: Annotated[
        bool,
        Param(
            "An image may have several classes at once: weights are from 0 to 1 each and need not "
            "sum to 1.",
            group="input",
        ),
    ] = False
    label_separator: Annotated[
        str | None,
        Param(
            "What stands between the classes of an image with `multi_label` [default: | ; or a "
            "comma, the one that is there].",
            group="input",
        ),
    ] = None
    split_column: Annotated[
        str | None,
        Param("Column of the table with the split, in the place of folders.", group="input"),
    ] = None
    group_column: Annotated[
        str | None,
        Param(
            "Column of the table with what must stay together: a patient, a video, a scene.",
            group="input",
        ),
    ] = None
    missing: Annotated[
        Literal["error", "skip"],
        Param(
            "What is done with rows without an image and images without a row: error (nothing is "
            "made) or skip.",
            group="input",
        ),
    ] = "error"
    classes: Annotated[
        Place | None,
        Param(
            "Text file with a class in each line, which gives classes.txt their order; it may "
            "name classes without an image.",
            group="input",
        ),
    ] = None
    layout: Annotated[
        Literal["auto", "classes", "splits", "flat"],
        Param(
            "What the folders of INPUT are: classes; splits of a data set, which hold classes; "
            "flat (they say nothing); or auto (splits where two or more are named train, val, "
            "test or fold1 and hold folders, else classes).",
            group="input",
        ),
    ] = "auto"
    image_column: Annotated[str | None, IMAGE_COLUMN] = None
    locality: Annotated[
        Literal["auto", "none", "container"],
        Param(
            "Where donors lie: container (mostly in the container of the base, which is then read "
            "once), none (anywhere), or auto (container for Parquet, none for all else).",
            group="input",
        ),
    ] = "auto"
    splits: Annotated[
        str,
        Param(
            "Splits that are augmented, separated by commas, or all; the others come along.",
            group="input",
        ),
    ] = "train"
    rest: Annotated[
        Literal["copy", "encode", "skip"],
        Param(
            "What is done with the other splits: copy (the same bytes), encode (with the settings "
            "of the outputs; also where `size` or `format` is given) or skip.",
            group="output",
        ),
    ] = "copy"
    copies: Annotated[int, Param("Augmented images per original.", 1, 10_000, group="amount")] = 1
    per_class: Annotated[
        int | str | None,
        Param(
            "Images of each class, originals included where they come along: a number, max (as "
            "many as the largest class has) or median.",
            parse=parse_per_class,
            metavar="N|max|median",
            group="amount",
        ),
    ] = None
    total: Annotated[
        int | None,
        Param("Images in all, originals included where they come along.", 1, group="amount"),
    ] = None
    copies_of: Annotated[
        str | None,
        Param(
            "Augmented images per original of single classes, such as cat=3,dog=0.",
            parse=parse_copies_of,
            metavar="CLASS=N,…",
            group="amount",
        ),
    ] = None
    only_classes: Annotated[
        str | None,
        Param("Classes that are augmented, separated by commas.", group="amount"),
    ] = None
    skip_classes: Annotated[
        str | None,
        Param("Classes that are not augmented, separated by commas.", group="amount"),
    ] = None
    prob: Annotated[
        float,
        Param(
            "Share of images that are augmented; the others stay unchanged.", 0, 1, group="amount"
        ),
    ] = 1.0
    pair: Annotated[
        Literal["any", "different", "same", "balanced"],
        Param(
            "Class of the donor: any, different from the base's, the same, or balanced (a "
            "class with weight one over its size, so that rare ones give most; mixers only)."
        ),
    ] = "any"
    model: Annotated[Place | None, MODEL] = None
    heatmaps: Annotated[
        Path | None,
        Param(
            "File made by augcli heatmaps; images that it holds are not scored again.",
            group="input",
        ),
    ] = None
    device: Annotated[str, DEVICE] = "cpu"
    size: Annotated[
        str | None,
        Param(
            "Size of the outputs [default: the source's own].",
            parse=parse_size,
            metavar="WxH|N",
            group="output",
        ),
    ] = None
    format: Annotated[
        Literal["same", "jpg", "png", "webp"],
        Param(
            "File format of the outputs; same is the source's if augcli writes it, else PNG.",
            parse=parse_format,
            metavar="|".join(FORMATS),
            group="output",
        ),
    ] = "same"
    quality: Annotated[int, Param("JPEG and WebP quality.", 1, 100, group="output")] = 95
    subsampling: Annotated[
        Literal["same", "420", "444"],
        Param(
            "Colours of a JPEG: at half resolution (420), at full resolution (444), or as in the "
            "source if it is a JPEG (same).",
            group="output",
        ),
    ] = "same"
    png_level: Annotated[
        int,
        Param(
            "PNG compression: higher is smaller and slower; the pixels stay the same.",
            0,
            9,
            group="output",
        ),
    ] = PNG_LEVEL
    channels: Annotated[
        Literal["same", "rgb"],
        Param(
            "Channels of the outputs: same (one where base and donor are grey and no colour was "
            "put in) or rgb (always three).",
            group="output",
        ),
    ] = "same"
    white_level: Annotated[int | str, WHITE_LEVEL] = FULL_WHITE
    background: Annotated[str | None, BACKGROUND] = None
    originals: Annotated[
        Literal["none", "encode", "copy"],
        Param(
            "Also write the originals: encode (with the settings of the outputs, so that "
            "compression does not reveal which images are mixed) or copy (the same bytes).",
            group="amount",
        ),
    ] = "none"
    seed: Annotated[int, Param("Random seed.", 0)] = 0
    limit: Annotated[
        int | None,
        Param("Use only this many sources, chosen by hash from all classes.", 1, group="amount"),
    ] = None
    max_pixels: Annotated[int, MAX_PIXELS] = 100_000_000
    max_bytes: Annotated[int, MAX_BYTES] = MOST_BYTES
    follow_links: Annotated[bool, FOLLOW_LINKS] = False
    workers: Annotated[int | None, WORKERS] = None
    timeout: Annotated[float | None, TIMEOUT] = None
    engine: Annotated[
        Literal["processes", "ray"],
        Param(
            "What does the work: processes of this machine, or the nodes of a Ray cluster, which "
            "share INPUT and OUT.",
            group="run",
        ),
    ] = "processes"
    address: Annotated[
        str,
        Param(
            "Ray cluster, such as node1:6379; local starts one on this machine.",
            parse=parse_address,
            metavar="local|HOST:PORT",
            group="run",
        ),
    ] = "local"
    task_cpus: Annotated[
        float,
        Param(
            "Processors that each task of Ray takes; `workers` says how many tasks run at a time "
            "[default: as many as the cluster has room for].",
            0.01,
            4096,
            group="run",
        ),
    ] = 1.0
    shard: Annotated[
        str | None,
        Param(
            "Make only the share of one task of an array job, such as 3/100: the fourth of 100, "
            "from 0. OUT is a folder that all of them share; augcli finish OUT comes last.",
            parse=parse_index,
            metavar="I/N",
            group="run",
        ),
    ] = None
    force: Annotated[
        bool,
        Param(
            "Go on although tasks of an array job seem to be at work in OUT: they are gone.",
            group="run",
        ),
    ] = False
    fsync: Annotated[
        Literal["none", "shard", "file"],
        Param(
            "When outputs are forced to disk: none (survives a killed process), shard (with "
            "each part: survives power loss) or file (each at once).",
            group="run",
        ),
    ] = "none"
    accept_missing: Annotated[
        bool,
        Param(
            "Continue where a folder that had images in the run before has none now: its outputs "
            "are removed.",
            group="input",
        ),
    ] = False
    refresh_estimates: Annotated[
        bool,
        Param(
            "Estimate the mean colour and the white level anew, as a first run on these images "
            "would; where they differ, all outputs are made again.",
            group="run",
        ),
    ] = False
    retry_failed: Annotated[
        bool, Param("Retry images that failed in an earlier run.", group="run")
    ] = False
    fail_fast: Annotated[bool, Param("Stop at the first failed image.", group="run")] = False
    max_errors: Annotated[
        int | None, Param("Stop when more images than this have failed.", 0, group="run")
    ] = None
    overwrite: Annotated[
        bool,
        Param(
            "Remove the results of another augcli command in OUT and start over.", group="output"
        ),
    ] = False

    def __post_init__(self) -> None:
        check(self)

    @property
    def most_failures(self) -> int | None:
        """Failed images above which the run stops; None never stops it."""
        return 0 if self.fail_fast else self.max_errors

    @property
    def shard_bytes(self) -> int:
        """The bytes of `shard_size`."""
        return byte_count(self.shard_size)

    @property
    def frame(self) -> Frame | None:
        """Height and width of the outputs, or None for the source's own."""
        return None if self.size is None else size_frame(self.size)
