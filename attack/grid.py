"""Measure the cells of a table on workers; keep each at once, so that a killed run goes on."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from distributed import Client, as_completed

from attack.cell_attack import AttackScene, CellKey, measure_cell
from attack.received_maps import find_layer, map_layers, row_of
from instances.measured import (
    CellName,
    MeasuredCell,
    MeasuredCells,
    MeasuredSettings,
    MeasuredTable,
    sealed,
)
from instances.ssim import table_i_values
from optmodel.ground.finished_runs import RunStore
from optmodel.ground.json_files import read_model, write_model
from optmodel.ground.rule_errors import InputError, OptionError
from optmodel.problem import Network

T = TypeVar("T")
UNFINISHED = "unfinished measured SSIM table"
"""Kind of the file that keeps finished cells."""


def default_rows(network: Network) -> list[str]:
    """Return the rows of a network's layers: finished maps, and the sums of convs."""
    return list(dict.fromkeys(row_of(layer) for layer in map_layers(network)))


def default_counts(network: Network, row: str) -> list[int]:
    """Return the numbers of maps that Table I gives for a row, else 1, 2, 4, ... and all."""
    maps = find_layer(network, row).output_maps
    known = table_i_values(find_layer(network, row).ssim_row)
    if known:
        return [count for count in known if count <= maps]
    powers = [2**k for k in range(maps.bit_length()) if 2**k < maps]
    return [*powers, maps]


def grid(
    network: Network, rows: Sequence[str], counts: Sequence[int], subsets: int
) -> list[CellKey]:
    """Return the cells of a table, most maps first within a row.

    No rows stand for all, no counts for those of Table I; counts beyond a layer's maps are left
    out. Of each row and count there are so many random subsets, beside the worst.

    Raises
    ------
    InputError
        If a row or layer is unknown, or no count fits it.
    """
    keys = []
    for row in rows or default_rows(network):
        maps = find_layer(network, row).output_maps
        fitting = [n for n in counts or default_counts(network, row) if n <= maps]
        if not fitting:
            got = ", ".join(map(str, counts))
            raise OptionError(
                "counts",
                f"expected some up to {maps}, the maps of '{row}', got {got}; name smaller ones",
            )
        for n in sorted(set(fitting), reverse=True):
            keys += [CellKey(row, n, name) for name in _subset_names(n == maps, subsets)]
    return keys


def cell_names(network: Network, keys: Sequence[CellKey]) -> list[CellName]:
    """Return layer, maps and subset of each cell, by which finished cells are known."""
    return [(find_layer(network, key.row).name, key.maps, key.subset) for key in keys]


def _subset_names(all_maps: bool, subsets: int) -> list[str]:
    if all_maps:
        return ["all"]
    return [*(f"random {k}" for k in range(1, subsets + 1)), "worst"]


def default_workers() -> int | None:
    """Return how many worker processes a machine gets: one per GPU, None (per core) without."""
    return torch.cuda.device_count() or None


def on_workers(
    client: Client,
    work: Callable[[AttackScene, CellKey], T],
    scene: AttackScene,
    keys: Sequence[CellKey],
) -> Iterator[tuple[CellKey, T]]:
    """Do a piece of work for every cell; give each as soon as it is done, the first begun first.

    The scene is sent once.
    """
    sent = client.scatter(scene, broadcast=True)
    futures = {
        client.submit(work, sent, key, pure=False, priority=-rank): key
        for rank, key in enumerate(keys)
    }
    for future in as_completed(futures):
        yield futures[future], future.result()


class FinishedCells(RunStore[MeasuredCell]):
    """The finished cells of a table, in a file beside the one that is to be written.

    Parameters
    ----------
    out : Path
        The table to be written.
    settings : MeasuredSettings
        Of the scene; cells measured under others are refused.
    command : str
        That writes the table.

    Raises
    ------
    InputError
        If one of the two files holds cells of other settings.
    """

    def __init__(self, out: Path, settings: MeasuredSettings, command: str) -> None:
        self.out, self.settings, self.command = out, settings, command
        self.unfinished = out.with_name(out.name + ".unfinished")
        super().__init__(self.unfinished, MeasuredCell)

    def _read(self) -> Iterator[MeasuredCell]:
        for file, kind in ((self.out, MeasuredTable), (self.unfinished, MeasuredCells)):
            if file.exists():
                kept = read_model(file, kind)
                if kept.settings.sha256 != self.settings.sha256:
                    raise InputError(
                        f"{file}: settings: expected those of this command, got those of "
                        f"'{kept.command}'; name another --out or delete the file"
                    )
                yield from kept.cells

    def missing(self, network: Network, keys: Sequence[CellKey]) -> list[CellKey]:
        """Return the cells that are not finished."""
        names = cell_names(network, keys)
        return [key for key, name in zip(keys, names, strict=True) if self.get(name) is None]

    def _whole(self, cells: Sequence[MeasuredCell]) -> dict[str, Any]:
        return {
            "schema_version": 2,
            "command": self.command,
            "settings": self.settings,
            "cells": tuple(cells),
        }

    def _write(self, path: Path, _added: MeasuredCell) -> None:
        write_model(path, sealed(MeasuredCells, kind=UNFINISHED, **self._whole(self.records)))

    def finish(self, names: Sequence[CellName]) -> MeasuredTable:
        """Write the table: these cells in this order, then what else had been measured."""
        rank = {name: number for number, name in enumerate(names)}
        ordered = sorted(self.records, key=lambda cell: rank.get(cell.key, len(rank)))
        table: MeasuredTable = sealed(
            MeasuredTable, kind="measured SSIM table", **self._whole(ordered)
        )
        write_model(self.out, table)
        self.unfinished.unlink(missing_ok=True)
        return table


def measure_grid(
    client: Client,
    scene: AttackScene,
    keys: Sequence[CellKey],
    ledger: FinishedCells,
    finished: Callable[[MeasuredCell], None],
) -> MeasuredTable:
    """Measure what the ledger lacks of a grid and write the table; every cell is told at once."""
    names = cell_names(scene.victim.network, keys)
    missing = ledger.missing(scene.victim.network, keys)
    if missing:
        for _, cell in on_workers(client, measure_cell, scene, missing):
            ledger.add(cell)
            finished(cell)
    return ledger.finish(names)
