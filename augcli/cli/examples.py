"""Two examples for each command, at the end of its ``--help``."""

from __future__ import annotations

EXAMPLES = {
    "cutout": ("images --patch 16", "images --patch 0.25 --holes 2 --fill image-mean"),
    "erasing": ("images", "images --area 0.1..0.2 --fill white --copies 3"),
    "gridmask": ("images", "images --fill mean --prob 0.5"),
    "dropblock": ("images", "images --keep 0.8 --copies 3"),
    "dropout": ("images", "images --out dropped --format png"),
    "spatial-dropout": ("images", "images --dry-run"),
    "cutmix": ("images --top-n 6", "images --top-n 3..9 --pair different --copies 3"),
    "mixup": ("images", "images --pair different --size 224"),
    "resizemix": ("images", "images --copies 3 --seed 1 --out mixed"),
    "run": ("recipe.toml images", "recipe.toml images --copies 2 --print-recipe"),
    "heatmaps": ("images --out heatmaps.npz", "images --overlay pictures"),
    "export": ("images --to webdataset", "images --to parquet --size 224 --out table"),
    "inspect": ("images", "images --json"),
    "split": ("images --val 0.2 --test 0.1", "images --val 0.2 --link hard --out divided"),
    "scorer prepare": (
        "classifier.onnx --preset imagenet",
        "classifier.onnx --preset tf --map cam --out cam.onnx",
    ),
    "scorer show": ("", "scorer.onnx --json"),
    "recipe init": ("attentive", "family --out recipe.toml"),
    "recipe check": ("recipe.toml", "attentive.toml"),
    "recipe schema": ("", "> recipe.schema.json"),
    "prepare": ("cutout images --patch 16 --out shared", "export images --to webdataset"),
    "finish": ("shared", "shared --json"),
    "status": ("images-cutmix", "images-cutmix --json"),
    "verify": ("images-cutmix", "images-cutmix --against images"),
    "preview": ("images cutmix --vary top_n=3,6,9 -o sheet.png", "recipe.toml images -o sheet.png"),
    "sheet": ("images-cutmix -o sheet.png", "images-cutmix --against images -o sheet.png"),
    "report": ("images-cutmix --against images", "images-cutmix images-mixup -o both.html"),
    "doctor": ("", "images-cutmix"),
}
"""What follows the command, by command."""
OF_ANY_METHOD = ("images", "images --copies 3 --seed 1")
"""The same for a method that is not listed."""


def examples(command: str) -> str:
    """Return the end of a command's help.

    Example:
        >>> examples("status").splitlines()[1:]
        ['  augcli status images-cutmix', '  augcli status images-cutmix --json']
    """
    endings = EXAMPLES.get(command, OF_ANY_METHOD)
    lines = (f"  augcli {command} {ending}".rstrip() for ending in endings)
    return "\n".join(["Examples:", *lines])
