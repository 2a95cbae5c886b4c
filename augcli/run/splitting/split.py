"""``augcli split``: divides INPUT into train, val and test before anything is augmented."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from augcli.data.output import OutputFolder
from augcli.data.run_record import has_record
from augcli.data.stopping import carry_on, writing
from augcli.errors import InputError, OutputError, ParameterError, UsageError
from augcli.files import Place, Url
from augcli.params import build, declared, values
from augcli.run.checking.listing import default_out, list_sources
from augcli.run.checking.places import holds, path_of
from augcli.run.checking.refusals import check_surroundings
from augcli.run.messages import Error, Notice, ignore
from augcli.run.options import SplitOptions, run_options, split_fields
from augcli.run.splitting.division import Division
from augcli.run.splitting.split_record import SPLIT_RECORD
from augcli.run.splitting.split_run import SplitRun, SplitSummary
from augcli.work.settings import ReadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources
    from augcli.recipes.options import RunOptions
    from augcli.run.messages import Listener

VERB = "split"


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
    folder: Place,
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
    for name, place in (("INPUT", folder), ("OUT", out)):
        if isinstance(place, Url):
            raise UsageError(
                f"{name} is {place}, but augcli split works on folders of this machine; copy the "
                "images here, or give their splits by a table with `split_column`"
            )
    store, sources = list_sources(folder, out, options)
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
    run = SplitRun(division, wanted.link, output, identity, settings, listener, checkpoint)
    try:
        with writing(output.path):
            return run.make(overwrite=options.overwrite)
    finally:
        output.close()


def _check(sources: Sources, folder: Place, out: Place, wanted: SplitOptions) -> None:
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
