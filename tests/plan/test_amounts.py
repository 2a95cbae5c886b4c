"""Amounts: how many outputs each source gets."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.stores.sources import Sources
from augcli.plan.amounts import Amounts, copies_of_sources
from augcli.plan.ring import Ring
from tests.plan.test_ring import sources_of

labels = st.lists(st.sampled_from("aaaaaabbc"), min_size=1, max_size=40)


def copies(sources: Sources, **wanted: Any) -> dict[str, int]:
    everything = np.ones(len(sources), np.bool_)
    made = copies_of_sources(sources, everything, Amounts(**wanted), 3)
    return dict(zip(sources.paths, made.tolist(), strict=True))


def by_class(made: dict[str, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for path, count in made.items():
        counts[path.partition("/")[0]] += count
    return counts


@given(labels, st.integers(1, 60))
def test_each_class_gets_exactly_as_many(names: list[str], target: int) -> None:
    made = copies(sources_of(names), per_class=target)
    assert set(by_class(made).values()) == {target}
    for name in set(names):
        own = [count for path, count in made.items() if path.startswith(f"{name}/")]
        assert max(own) - min(own) <= 1


@given(labels, st.integers(1, 60))
def test_originals_count_where_they_come_along(names: list[str], target: int) -> None:
    made = by_class(copies(sources_of(names), per_class=target, with_originals=True))
    for name, count in Counter(names).items():
        assert made[name] + count == max(target, count)


@given(labels)
def test_max_and_median_are_those_of_the_classes(names: list[str]) -> None:
    counts = list(Counter(names).values())
    assert set(by_class(copies(sources_of(names), per_class="max")).values()) == {max(counts)}
    median = int(np.median(counts))
    assert set(by_class(copies(sources_of(names), per_class="median")).values()) == {median}


@given(labels, st.integers(1, 80), st.integers(0, 30), st.sampled_from(["per_class", "total"]))
def test_a_larger_amount_only_adds(names: list[str], least: int, more: int, kind: str) -> None:
    sources = sources_of(names)
    few, many = copies(sources, **{kind: least}), copies(sources, **{kind: least + more})
    assert all(few[path] <= many[path] for path in few)


@given(labels, st.integers(1, 200))
def test_a_total_is_exact(names: list[str], total: int) -> None:
    assert sum(copies(sources_of(names), total=total).values()) == total


def test_single_classes_have_their_own_copies() -> None:
    sources = sources_of(["a", "a", "b", "c"])
    assert by_class(copies(sources, copies=2, copies_of={"b": 5})) == {"a": 4, "b": 5, "c": 2}
    assert by_class(copies(sources, only_classes=frozenset("b"))) == {"a": 0, "b": 1, "c": 0}
    assert by_class(copies(sources, skip_classes=frozenset("b"))) == {"a": 2, "b": 0, "c": 1}


def test_balancing_never_crosses_a_split() -> None:
    sources = sources_of(["a"] * 6 + ["b"] * 2)
    sources.set_splits(["train", "val"] * 4, [])
    made = copies(sources, per_class="max")
    for split in (0, 1):
        counts: Counter[str] = Counter()
        for index, path in enumerate(sources.paths):
            if sources.split_of[index] == split:
                counts[path[0]] += made[path]
        assert counts == {"a": 3, "b": 3}


def test_balanced_donors_come_from_classes_by_one_over_their_size() -> None:
    """Park et al. 2022 (CMO), equation 3 with r = 1: shares of 1/900 : 1/90 : 1/10."""
    sources = sources_of(["a"] * 900 + ["b"] * 90 + ["c"] * 10)
    ring = Ring.of(sources, 0, 0, "balanced")
    drawn = Counter(ring.group[ring.donors(at, 1)[0]] for at in range(1000))
    assert [drawn[0] < 30, 60 < drawn[1] < 140, 850 < drawn[2] < 930] == [True] * 3
    assert all(ring.donors(at, 1) != [at] for at in range(1000))


@pytest.mark.parametrize("names", [["a", "a"], ["a", "b"], ["a", "a", "b"], ["a"]])
def test_balanced_donors_are_all_others(names: list[str]) -> None:
    ring = Ring.of(sources_of(names), 0, 0, "balanced")
    for at in range(len(names)):
        assert sorted(ring.donors(at, 9)) == [other for other in range(len(names)) if other != at]


def test_one_more_source_changes_few_balanced_donors() -> None:
    """Two ring neighbours, and draws that the class's new size changes: about 1 in its size."""
    names = ["a"] * 300 + ["b"] * 100
    before, after = sources_of(names), sources_of([*names, "b"])
    donors = []
    for sources in (before, after):
        ring = Ring.of(sources, 0, 0, "balanced")
        path_at = [sources.paths[index] for index in ring.order]
        donors.append({path_at[at]: path_at[ring.donors(at, 1)[0]] for at in range(len(path_at))})
    changed = [path for path in donors[0] if donors[0][path] != donors[1].get(path)]
    assert len(changed) <= 12


@pytest.mark.parametrize("wanted", [{"per_class": 4}, {"copies_of": {"a": 2}}, {"total": 3}])
def test_a_split_that_is_not_augmented_gets_nothing(wanted: dict[str, Any]) -> None:
    sources = sources_of(["a", "b", "a", "b"])
    sources.set_splits(["train", "train", "val", "val"], [])
    augmented = np.array([True, True, False, False])
    made = copies_of_sources(sources, augmented, Amounts(**wanted), 3)
    assert made[2:].tolist() == [0, 0]
    assert made[:2].min() > 0
