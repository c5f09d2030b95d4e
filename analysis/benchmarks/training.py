"""Batches and epochs against the two loops that people write: DataLoader(TensorDataset), and plain tensor indexing.

    python analysis/benchmarks/training.py            10^6 events, 20 features
    python analysis/benchmarks/training.py 100000     fewer events

Everything runs on one thread, as each fold does in hepneg. The contenders take turns, so that a change of the
machine's speed hits all of them; the ratios are those of the medians.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from hepneg.config import Training
from hepneg.learning.adamw import AdamW
from hepneg.learning.batches import ShuffledBatches, StratifiedBatches
from hepneg.learning.loop import train_epoch
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives.label_loss import LabelLoss

FEATURES, ROUNDS = 20, 3
BATCH = Training().batch_size


def median_seconds(contenders: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Let the contenders take turns and return the median time of each."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, action in contenders.items():
            start = time.perf_counter()
            action()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def print_table(title: str, seconds: dict[str, float], ours: str) -> None:
    print(f"\n{title}\n")
    print("| | seconds | time / hepneg |")
    print("|---|---|---|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.3f} | {value / seconds[ours]:.2f} |")


def main(events: int) -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    features = rng.normal(size=(events, FEATURES)).astype(np.float32)
    target = (np.arange(events) % 2).astype(np.float32)
    weight = np.where(rng.random(events) < 0.25, -1.0, 1.0)
    table = torch.from_numpy(np.column_stack([features, target, weight]).astype(np.float32))
    columns = (table[:, :FEATURES].contiguous(), table[:, FEATURES].contiguous(), table[:, -1].contiguous())
    shuffled = ShuffledBatches(weight, BATCH)
    stratified = StratifiedBatches(weight, target.astype(np.int8), BATCH)

    def loader() -> DataLoader[tuple[torch.Tensor, ...]]:
        return DataLoader(TensorDataset(*columns), batch_size=BATCH, shuffle=True)

    def deliver_loader() -> None:
        for _ in loader():
            pass

    def deliver(batches: ShuffledBatches | StratifiedBatches) -> None:
        for index in batches.epoch(rng):
            table.index_select(0, torch.from_numpy(index))

    seconds = median_seconds(
        {
            "DataLoader(TensorDataset)": deliver_loader,
            "hepneg, shuffled": lambda: deliver(shuffled),
            "hepneg, stratified": lambda: deliver(stratified),
        }
    )
    print_table(f"Batches of {BATCH} delivered: {events} events, {FEATURES} features", seconds, "hepneg, shuffled")

    settings = Training()
    template = ResponseNetwork(settings.network.make(), FEATURES)
    template.initialise(torch.Generator().manual_seed(1), features)

    def new_network() -> tuple[ResponseNetwork, torch.optim.Optimizer]:
        network = copy.deepcopy(template)
        return network, torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)

    def step(network: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[torch.Tensor, ...]) -> None:
        x, y, w = batch
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(x), y, weight=w).backward()
        optimizer.step()

    def epoch_loader() -> None:
        network, optimizer = new_network()
        for batch in loader():
            step(network, optimizer, batch)

    def epoch_plain() -> None:
        network, optimizer = new_network()
        for index in torch.randperm(events).split(BATCH):
            step(network, optimizer, tuple(column[index] for column in columns))

    def epoch_hepneg() -> None:
        network, _ = new_network()
        optimizer = AdamW(network.parameters(), settings.learning_rate)
        average = [parameter.detach().clone() for parameter in network.parameters()]
        batches = [torch.from_numpy(index) for index in shuffled.epoch(rng)]
        train_epoch(network, optimizer, average, table, batches, loss=LabelLoss())

    seconds = median_seconds(
        {"DataLoader loop": epoch_loader, "plain tensor-index loop": epoch_plain, "hepneg": epoch_hepneg}
    )
    print_table(f"One training epoch, network {settings.network.make().hidden}", seconds, "hepneg")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
