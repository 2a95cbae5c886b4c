"""Loaders and mixing for training loops.

:class:`ManifestDataset` reads an output folder, :class:`BatchMixer` mixes batches while a network
trains. Both use PyTorch where tensors are wanted; ``pip install "augcli[torch]"`` installs it.
"""

from typing import TYPE_CHECKING

from augcli.lazy import names_from

if TYPE_CHECKING:
    from augcli.torch.batch_mixer import BatchMixer as BatchMixer
    from augcli.torch.manifest_dataset import ManifestDataset as ManifestDataset
    from augcli.torch.named_dataset import NamedDataset as NamedDataset

__all__ = ["BatchMixer", "ManifestDataset", "NamedDataset"]

__getattr__ = names_from(
    {
        "BatchMixer": "augcli.torch.batch_mixer",
        "ManifestDataset": "augcli.torch.manifest_dataset",
        "NamedDataset": "augcli.torch.named_dataset",
    },
    globals(),
)
