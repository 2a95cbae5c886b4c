"""Makes data sets with every method and recipe and hashes what comes out, to compare versions.

A version that is to give the same bytes as another one gives the same hashes:

    python benchmarks/same_bytes.py --checkout ../before --out before.json
    python benchmarks/same_bytes.py --out now.json --compare before.json

``run.json`` and the heat-map cache hold versions and times, so they are not hashed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
METHODS = (
    "cutout",
    "erasing",
    "gridmask",
    "dropblock",
    "dropout",
    "spatial-dropout",
    "cutmix",
    "mixup",
    "resizemix",
)
VARIANTS: dict[str, list[str]] = {
    "cutout-attended": ["cutout", "--at", "attended", "--holes", "3", "--patch", "0.2"],
    "cutout-background": ["cutout", "--at", "background", "--fill", "noise", "--inside"],
    "erasing-paper": ["erasing", "--law", "paper", "--area", "0.1,0.3", "--fill", "image-mean"],
    "gridmask-turned": ["gridmask", "--unit", "20,60", "--rotate", "360", "--ratio", "0.4"],
    "dropblock-linear": ["dropblock", "--schedule", "linear", "--copies", "3"],
    "dropout-values": ["dropout", "--per-channel", "--rescale"],
    "cutmix-box": ["cutmix", "--region", "box", "--pair", "same", "--copies", "2"],
    "cutmix-peak": ["cutmix", "--region", "peak", "--pair", "different"],
    "cutmix-cells": ["cutmix", "--region", "cells", "--top-n", "3..9", "--grid", "5"],
    "cutmix-range": ["cutmix", "--top-n", "3..9", "--copies", "2"],
    "cutmix-beta": ["cutmix", "--top-n", "beta:1,2", "--label-mode", "attention"],
    "mixup-attention": ["mixup", "--label-mode", "attention", "--originals", "encode"],
    "resizemix-scope": ["resizemix", "--scope", "0.3,0.5", "--label-mode", "attention"],
    "half": ["cutmix", "--prob", "0.5", "--originals", "copy"],
    "sized": ["cutmix", "--size", "96x64", "--copies", "2"],
}
"""Beside the defaults of every method."""
RECIPES = {
    "moves": """
[[step]]
use = "random-resized-crop"
size = "96x96"
[[step]]
use = "flip"
prob = 0.5
name = "mirror"
[[step]]
one_of = [
  { use = "cutmix", weight = 2, top_n = "3..9" },
  { use = "mixup" },
  { use = "resizemix", scope = "0.2,0.6" },
]
[[step]]
use = "rotate"
degrees = 20
border = "fill"
[[step]]
use = "colour"
[[step]]
use = "blur"
prob = 0.3
""",
    "two-cutmix": """
[run]
copies = 2
[stochastic_depth]
survival = 0.8
[[step]]
one_of = [{ use = "cutmix", region = "box" }, { use = "cutmix", top_n = 3 }]
[[step]]
use = "resize"
size = "80x60"
""",
}
NOT_HASHED = {"run.json", "parts.jsonl.gz"}


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a data set, by its name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in NOT_HASHED and ".augcli" not in path.parts
    }


def commands(work: Path) -> dict[str, list[str]]:
    """Return the words of each command by the name of its data set, without INPUT and --out."""
    found = {name: [name] for name in METHODS} | VARIANTS
    shipped = {path.stem: path.read_text() for path in (HERE / "augcli/recipes").rglob("*.toml")}
    for name, text in (shipped | RECIPES).items():
        recipe = work / f"{name}.toml"
        recipe.write_text(text)
        found[f"recipe-{name}"] = ["run", str(recipe)]
    return found


def make(checkout: Path, sources: dict[str, tuple[Path, list[str]]], work: Path) -> dict[str, str]:
    """Make every data set with the augcli of a checkout; return the hash of every file."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    made: dict[str, str] = {}

    def run(*words: str) -> None:
        subprocess.run(
            [sys.executable, "-P", "-m", "augcli", *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=work,
        )

    for kind, (folder, more) in sources.items():
        for name, words in commands(work).items():
            for file_format in ("png", "same") if name in METHODS else ("png",):
                out = work / f"{kind}-{name}-{file_format}"
                run(
                    *words,
                    str(folder),
                    *("--out", str(out), "--seed", "3", "--format", file_format),
                    *more,
                )
                found = hashes(out)
                if not found:
                    raise SystemExit(f"{out.name}: nothing was made")
                made |= {f"{out.name}/{file}": value for file, value in found.items()}
        maps = work / f"{kind}.npz"
        run("heatmaps", str(folder), "--out", str(maps))
        made[maps.name] = hashlib.sha256(maps.read_bytes()).hexdigest()
    return made


def main() -> None:
    """Make the sets, write their hashes, and compare these with those of another version."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path, default=HERE, help="where augcli lies")
    parser.add_argument("--photos", type=Path, help="a tar file of photos in class folders")
    parser.add_argument("--out", type=Path, required=True, help="JSON file for the hashes")
    parser.add_argument("--compare", type=Path, help="JSON file of another version")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        work = Path(name)
        sources: dict[str, tuple[Path, list[str]]] = {"sample": (HERE / "sample_images", [])}
        if chosen.photos:
            with tarfile.open(chosen.photos) as archive:
                archive.extractall(work / "photos", filter="data")
            inside = work / "photos"
            while len(list(inside.iterdir())) == 1:
                inside = next(inside.iterdir())
            sources["photos"] = (inside, ["--limit", "100"])
        made = make(chosen.checkout.resolve(), sources, work)
    chosen.out.write_text(json.dumps(made, indent=0))
    print(f"{len(made):,} files hashed")
    if chosen.compare:
        before = json.loads(chosen.compare.read_text())
        differs = [one for one in sorted(before | made) if before.get(one) != made.get(one)]
        for one in differs:
            print(f"differs: {one}")
        print(f"{len(differs):,} of {len(before | made):,} files differ")
        sys.exit(bool(differs))


if __name__ == "__main__":
    main()
