"""Array jobs whose OUT lies in a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.errors import AugcliError
from augcli.files import place_of
from augcli.files.remote import objects
from augcli.run.cluster.finish import finish_shared
from augcli.run.status import status
from tests.guarantees.buckets import bucket_tree
from tests.photos import tree

if TYPE_CHECKING:
    from pathlib import Path

METHOD = augcli.Cutout(patch=8, fill="black")


@pytest.mark.parametrize("to", ["folder", "webdataset"])
def test_tasks_share_a_plan_in_a_bucket(
    photos: Path, tmp_path: Path, any_bucket: str, to: str
) -> None:
    out = f"{any_bucket}/out"
    for number in (0, 2):
        augcli.augment(photos, METHOD, out=out, to=to, copies=3, workers=0, shard=f"{number}/3")
    with pytest.raises(AugcliError, match="shard"):
        finish_shared(place_of(out))
    # Another count of tasks: what is made already is not made again.
    augcli.augment(photos, METHOD, out=out, to=to, copies=3, workers=0, shard="0/1")
    assert status(place_of(out)).left == 0
    assert finish_shared(place_of(out)).images == 27
    augcli.augment(photos, METHOD, out=tmp_path / "out", to=to, copies=3, workers=0)
    assert bucket_tree(out) == tree(tmp_path / "out", hidden=False)
    assert not objects.holds_objects(f"{out}/.augcli")
