"""Attacks on the command line: run them all, and count what held.

    python -m benchmarks.attacks
    python -m benchmarks.attacks --only limits --list

Each runs in a fresh folder; see ``tests/guarantees/attacks``. It ends with 1 where something did
not hold. Some attacks need root (other users, full disks) and are skipped without it.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.run.machine import usable_cores
from tests.guarantees.attacks.registry import Attack, attacks, run

if TYPE_CHECKING:
    from tests.guarantees.attacks.arena import Check


def timed(attack: Attack, parent: Path | None) -> tuple[list[Check], float]:
    """Run an attack; return what was checked, and the seconds that it took."""
    begun = time.monotonic()
    checks = run(attack, parent)
    return checks, time.monotonic() - begun


def main() -> None:
    """Run what was asked for, print a line for each and a table for each kind."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="attacks with this in the name")
    parser.add_argument("--jobs", type=int, default=2, metavar="COUNT", help="attacks at once")
    parser.add_argument("--folder", type=Path, help="where they run; by default that of the system")
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    wanted = parser.parse_args()
    chosen = [attack for name, attack in attacks().items() if wanted.only in name]
    if wanted.list:
        print("\n".join(attack.name for attack in chosen))
        return
    counts: dict[str, Counter[str]] = {}
    with ThreadPoolExecutor(wanted.jobs) as pool:
        ends = pool.map(lambda attack: timed(attack, wanted.folder), chosen)
        for attack, (checks, seconds) in zip(chosen, ends, strict=True):
            failed = [check for check in checks if not check.held]
            state = "held" if checks and not failed else "skipped" if not checks else "NOT HELD"
            print(f"{state:8} {len(checks):3} checks {seconds:5.1f} s  {attack.name}", flush=True)
            for check in failed:
                print(f"         {check.what}", flush=True)
            count = counts.setdefault(attack.name.partition(".")[0], Counter())
            count.update({state: 1, "attacks": 1, "checks": len(checks), "failed": len(failed)})
    total = sum(counts.values(), Counter())
    print("\n| kind | attacks | skipped | checks | held | not held |\n|---|---|---|---|---|---|")
    for kind, one in (*counts.items(), ("all", total)):
        held = one["checks"] - one["failed"]
        numbers = (one["attacks"], one["skipped"], one["checks"], held, one["failed"])
        print(f"| {kind} | {' | '.join(f'{number:,}' for number in numbers)} |")
    print(f"\n{platform.platform()}, Python {platform.python_version()}, {usable_cores()} cores")
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
