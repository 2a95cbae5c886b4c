"""Twenty tasks that Airflow may start on any worker; each retry continues where it was."""

from airflow.sdk import dag, task

import augcli

IMAGES, OUT, TASKS = "images", "shared", 20


@task
def prepare() -> int:
    """List the pictures once."""
    return augcli.prepare(IMAGES, augcli.AttentiveCutMix(top_n=6), out=OUT).jobs


@task(retries=3)
def share(number: int) -> int:
    """Make the share of one task."""
    method = augcli.AttentiveCutMix(top_n=6)
    return augcli.augment(IMAGES, method, out=OUT, shard=f"{number}/{TASKS}").new


@task
def finish() -> str:
    """Write the manifest."""
    return augcli.finish(OUT).manifest


@dag(schedule=None)
def mixed() -> None:
    """Prepare, make all shares, finish."""
    prepare() >> share.expand(number=list(range(TASKS))) >> finish()


mixed()
