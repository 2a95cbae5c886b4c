"""What the options of a run have to do with its outputs: sets of their names."""

from __future__ import annotations

MIXER_OPTIONS = frozenset({"pair"})
"""Options that only commands with a donor have."""
SCORER_OPTIONS = frozenset({"model", "heatmaps", "device"})
"""Options that only commands with a heat map have."""
ONE_RUN_ONLY = frozenset(
    {"out", "workers", "timeout", "overwrite", "fsync", "retry_failed", "fail_fast", "max_errors"}
    | {"heatmaps", "device", "accept_missing", "refresh_estimates", "shard", "force"}
    | {"engine", "address", "task_cpus"}
)
"""Options that say how a run goes and change no output."""
TABLE_OPTIONS = frozenset({"manifest", "soft_label"})
"""Options that say how the manifest is written, and change no output."""
AMOUNTS = frozenset({"copies", "per_class", "total", "copies_of", "only_classes", "skip_classes"})
"""Options that say how many outputs there are, and change none of them."""
NOT_OF_THE_RESULT = (
    ONE_RUN_ONLY | TABLE_OPTIONS | AMOUNTS | {"model", "labels", "classes", "missing", "prob"}
)
"""Options that don't change the outputs, whose content does and not their name, or that the
steps say already."""
LABELLING = frozenset(
    {"labels", "file_column", "label_column", "label_columns", "multi_label", "label_separator"}
    | {"split_column", "group_column", "missing", "classes"}
)
"""Options that say how a table gives labels."""
NOT_IN_RECIPE = ONE_RUN_ONLY | LABELLING | {"layout", "prob", "image_column"}
"""Options that belong to one run on one machine, or to each step."""
