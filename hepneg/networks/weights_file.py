"""Tensors in safetensors files: the parameters of a model's networks, and whatever checkpoints keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hepneg.errors import DataError
from hepneg.networks.architectures import AnyArchitecture, FoldNetwork, build

__all__ = ["read_networks", "save_tensors", "write_networks"]


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


def read_networks(path: Path, architectures: Sequence[AnyArchitecture]) -> list[FoldNetwork]:
    """Rebuild the networks.

    Raises:
        DataError: the file is damaged, or its tensors do not fit the architectures.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is no readable safetensors file: {error}") from None
    networks: list[FoldNetwork] = []
    for number, architecture in enumerate(architectures):
        network = build(architecture)
        prefix = f"fold_{number}/"
        own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        try:
            network.load_state_dict(own)
        except RuntimeError:
            raise DataError(f"{path} does not fit the architecture of fold {number} in model.json") from None
        networks.append(network.eval())
    return networks
