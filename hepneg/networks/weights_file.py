"""Tensors in safetensors files: the parameters of a model's networks, and whatever checkpoints keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hepneg.errors import DataError
from hepneg.networks.fold_network import FoldNetwork

__all__ = ["read_tensors", "save_tensors", "write_networks"]


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors to a safetensors file.

    Raises:
        OSError: they cannot be written. The library has an error of its own for that, even for a full disk.
    """
    path.touch()  # for the mode that the umask gives: the library's own is 0600, which no one else can read
    mode = path.stat().st_mode
    try:
        save_file(dict(tensors), path, metadata=None if metadata is None else dict(metadata))
    except SafetensorError as error:
        raise OSError(str(error)) from error
    path.chmod(mode)


def write_networks(path: Path, networks: Sequence[FoldNetwork]) -> None:
    """Write the parameters and scalings of all networks, named ``fold_<i>/<parameter>``."""
    tensors = {
        f"fold_{number}/{name}": tensor.contiguous()
        for number, network in enumerate(networks)
        for name, tensor in network.state_dict().items()
    }
    save_tensors(path, tensors)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a file: single precision, finite.

    Raises:
        DataError: the file is damaged, or has other numbers.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is no readable safetensors file: {error}") from None
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32:
            raise DataError(f"{path}: {name} holds {tensor.dtype}, not float32; train or copy the model again")
        if not torch.isfinite(tensor).all():
            raise DataError(f"{path}: {name} holds NaN or infinite numbers; train the model again")
    return tensors
