"""The ring: who gives to whom, and which shard has which jobs."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.stores.sources import Sources
from augcli.plan.ring import Pair, Ring, Shard, ring_keys, shards_for
from tests import strategies  # noqa: F401 - the profile

if TYPE_CHECKING:
    from random import Random


def sources_of(labels: list[str]) -> Sources:
    """Return sources with these classes, sorted by path."""
    paths = sorted(f"{label}/{number:04d}.jpg" for number, label in enumerate(labels))
    zeros = array("q", [0]) * len(paths)
    sources = Sources("", paths, zeros, zeros)
    sources.set_classes([path.partition("/")[0] for path in paths])
    return sources


def flat(count: int) -> Sources:
    """Return sources of one class."""
    return sources_of(["c"] * count)


many_labels = st.lists(st.sampled_from("aaaabbc"), min_size=1, max_size=30)
"""Classes of very different sizes, some of one image."""

pairs = st.sampled_from(["any", "different", "same"])


@dataclass(frozen=True)
class Plan:
    """A ring in words of paths."""

    donor_of: dict[str, str]
    shard_of: dict[str, str]

    @classmethod
    def of(cls, sources: Sources, pair: Pair = "any", copy: int = 0, shards: int = 1) -> Plan:
        """Make the plan of one copy with seed 0."""
        ring = Ring.of(sources, 0, copy, pair)
        path_at = [sources.paths[index] for index in ring.order]
        donors = {path: ring.donors(at, 1) for at, path in enumerate(path_at)}
        shard_of = {
            path: shard.name
            for shard in ring.shards(copy, shards)
            for path in path_at[shard.start : shard.stop]
        }
        return cls({one: path_at[at[0]] for one, at in donors.items() if at}, shard_of)


def walk(ring: Ring, position: int, count: int) -> list[int]:
    """Walk along the ring one step after the other and take whoever may give."""
    total, found = len(ring.order), list[int]()
    for step in range(1, total):
        other = (position + step) % total
        same = ring.group[other] == ring.group[position]
        if ring.pair == "any" or same == (ring.pair == "same"):
            found.append(other)
    return found[:count]


@given(labels=many_labels, pair=pairs, count=st.integers(1, 40))
def test_donors_are_those_that_a_walk_along_the_ring_meets(
    labels: list[str], pair: Pair, count: int
) -> None:
    """For one donor and for the longer lists that step in; with classes of one image too."""
    ring = Ring.of(sources_of(labels), 1, 0, pair)
    for position in range(len(labels)):
        assert ring.donors(position, count) == walk(ring, position, count)


@given(labels=many_labels, pair=pairs, short=st.integers(1, 5))
def test_a_longer_list_of_donors_begins_with_the_shorter(
    labels: list[str], pair: Pair, short: int
) -> None:
    ring = Ring.of(sources_of(labels), 1, 0, pair)
    for position in range(len(labels)):
        longer = ring.donors(position, short * 8)
        assert ring.donors(position, short) == longer[:short]
        assert len(longer) == len({*longer, position}) - 1


@given(count=st.integers(1, 200), seed=st.integers(0, 9), copy=st.integers(0, 9))
def test_a_ring_holds_every_source_once(count: int, seed: int, copy: int) -> None:
    ring = Ring.of(flat(count), seed, copy, "any")
    assert sorted(ring.order.tolist()) == list(range(count))
    assert all(first <= second for first, second in pairwise(ring.keys.tolist()))


@given(labels=many_labels, pair=st.sampled_from(["any", "same"]))
def test_nobody_is_its_own_donor_and_everybody_gives_once(labels: list[str], pair: Pair) -> None:
    donor_of = Plan.of(sources_of(labels), pair).donor_of
    assert [base for base, donor in donor_of.items() if base == donor] == []
    # A class of one image has no donor under "same".
    assert sorted(donor_of) == sorted(donor_of.values())


@given(labels=many_labels)
def test_a_source_has_no_donor_only_where_there_is_none(labels: list[str]) -> None:
    sources, sizes = sources_of(labels), Counter(labels)
    same, different = Plan.of(sources, "same").donor_of, Plan.of(sources, "different").donor_of
    for path in sources.paths:
        label = path.partition("/")[0]
        assert (path in same) == (sizes[label] > 1)
        assert (path in different) == (sizes[label] < len(labels))
        assert same.get(path, label).partition("/")[0] == label
        assert different.get(path, "none").partition("/")[0] != label


def test_the_next_on_the_ring_gives_so_that_a_worker_decodes_each_source_once() -> None:
    ring = Ring.of(flat(50), 0, 0, "any")
    assert [ring.donors(at, 1) for at in range(50)] == [[(at + 1) % 50] for at in range(50)]


@given(count=st.integers(2, 60), new=st.text("abxyz", min_size=1, max_size=5))
def test_adding_a_source_changes_one_donor_and_no_shard_but_those_touched(
    count: int, new: str
) -> None:
    before = sources_of(["b"] * count)
    after = Sources("", sorted([*before.paths, f"b/{new}.jpg"]))
    after.set_classes(["b"] * len(after))
    old, now = Plan.of(before, shards=8), Plan.of(after, shards=8)
    changed = [path for path in before.paths if now.donor_of[path] != old.donor_of[path]]
    assert [now.donor_of[path] for path in changed] == [f"b/{new}.jpg"]
    assert {path: now.shard_of[path] for path in before.paths} == old.shard_of


def test_adding_a_source_to_many_touches_two_shards_at_most() -> None:
    before = flat(2000)
    after = Sources("", sorted([*before.paths, "c/new.jpg"]))
    after.set_classes(["c"] * len(after))
    count = shards_for(len(before))

    def jobs(sources: Sources) -> set[tuple[str, str, str]]:
        plan = Plan.of(sources, shards=count)
        return {(plan.shard_of[base], base, donor) for base, donor in plan.donor_of.items()}

    touched = {shard for shard, _, _ in jobs(before) ^ jobs(after)}
    assert count == 64
    assert 1 <= len(touched) <= 2


@given(labels=many_labels, pair=pairs, order=st.randoms(use_true_random=False))
def test_the_plan_is_the_same_however_the_sources_are_listed(
    labels: list[str], pair: Pair, order: Random
) -> None:
    sources = sources_of(labels)
    shuffled = list(range(len(sources)))
    order.shuffle(shuffled)
    assert Plan.of(sources.select(shuffled), pair, shards=4) == Plan.of(sources, pair, shards=4)


def test_each_copy_and_each_seed_has_another_ring() -> None:
    sources = flat(40)
    rings = {
        tuple(Ring.of(sources, seed, copy, "any").order.tolist())
        for seed in range(3)
        for copy in range(4)
    }
    assert len(rings) == 12


def test_the_ring_of_a_seed_is_this() -> None:
    """A change here changes the donors of every data set that was ever made."""
    ring = Ring.of(flat(10), 0, 0, "any")
    assert ring.order.tolist() == [3, 0, 8, 7, 4, 9, 2, 5, 6, 1]
    assert int(ring.keys[0]) == 1000364609549236206


def test_donors_of_different_classes_are_found_quickly_where_one_class_is_most_of_all() -> None:
    """From anywhere in a long run of one class the walk jumps to its end."""
    sources = sources_of(["a"] * 30_000 + ["b"])
    ring = Ring.of(sources, 0, 0, "different")
    rare = int(np.flatnonzero(ring.group == 1)[0])
    assert {tuple(ring.donors(at, 4)) for at in range(len(sources)) if at != rare} == {(rare,)}


@given(count=st.integers(1, 300), bits=st.integers(0, 8), copy=st.integers(0, 3))
def test_shards_tile_the_ring(count: int, bits: int, copy: int) -> None:
    """Each position is in one shard, and the shard's number is the head of its keys."""
    ring = Ring.of(flat(count), 0, copy, "any")
    shards = list(ring.shards(copy, 1 << bits))
    found = [(at, shard.number) for shard in shards for at in range(shard.start, shard.stop)]
    assert found == [(at, int(key) >> (64 - bits)) for at, key in enumerate(ring.keys)]
    assert all(shard.copy == copy and shard.start < shard.stop for shard in shards)


@given(sources=st.integers(0, 10**7))
def test_shards_for_is_a_power_of_two_of_fitting_size(sources: int) -> None:
    count = shards_for(sources)
    assert count & (count - 1) == 0
    assert sources / count <= 256
    assert count == 1 or sources / count >= 8


@pytest.mark.parametrize(
    ("copy", "number", "ranges", "name"),
    [(0, 12, 32, "0-00012-of-00032"), (3, 131071, 131072, "3-131071-of-131072")],
)
def test_a_shards_name_is_its_copy_and_range(
    copy: int, number: int, ranges: int, name: str
) -> None:
    assert Shard(copy, number, ranges, 0, 1).name == name


def test_keys_without_containers_are_those_of_the_path_alone() -> None:
    key_of = ring_keys(7, 1)
    assert key_of("cat/a.jpg").hex() == "562ac639c2363060"
    assert ring_keys(0, 0)("a").hex() == "9008596278a06b41"


def test_the_first_half_of_a_key_is_that_of_the_container() -> None:
    key_of, plain = ring_keys(7, 1, lambda path: path.partition("#")[0]), ring_keys(7, 1)
    assert key_of("b.parquet#3") == plain("b.parquet")[:4] + plain("b.parquet#3")[:4]


def in_containers(count: int, size: int) -> Sources:
    """Return sources in containers of a size."""
    paths = [f"{number // size:03d}#{number:06d}" for number in range(count)]
    zeros = array("q", [0]) * count
    sources = Sources("", paths, zeros, zeros)
    sources.set_classes([str(number % 3) for number in range(count)])
    return sources


@pytest.mark.parametrize("pair", ["any", "different", "same"])
def test_containers_are_neighbours(pair: Pair) -> None:
    sources = in_containers(400, 20)
    ring = Ring.of(sources, 0, 0, pair, container_of=lambda path: path.partition("#")[0])
    containers = [sources.paths[index][:3] for index in ring.order]
    runs = 1 + sum(a != b for a, b in pairwise(containers))
    assert runs == 20
    shared = [containers[at] == containers[ring.donors(at, 1)[0]] for at in range(400)]
    assert sum(shared) >= 400 - 20 * 4
    plain = Ring.of(sources, 0, 0, pair)
    assert sorted(plain.order.tolist()) == sorted(ring.order.tolist())


def test_a_container_lies_in_one_shard() -> None:
    sources = in_containers(2000, 100)
    ring = Ring.of(sources, 0, 0, "any", container_of=lambda path: path.partition("#")[0])
    shards = list(ring.shards(0, 16))
    found = [
        {sources.paths[index][:3] for index in ring.order[shard.start : shard.stop]}
        for shard in shards
    ]
    assert sum(map(len, found)) == 20
    assert sum(shard.stop - shard.start for shard in shards) == 2000


def test_another_container_moves_no_other() -> None:
    def order(count: int) -> list[str]:
        sources = in_containers(count, 20)
        ring = Ring.of(sources, 0, 0, "any", container_of=lambda path: path.partition("#")[0])
        return [sources.paths[index] for index in ring.order]

    assert [path for path in order(420) if path < "020"] == order(400)
