"""Is there a placement of an arc with each layer within a threshold? Decided in whole numbers.

A node that spends the time theta on receiving (its level) can compute a known number of segments
of the last layer and take a known number of maps from each sender. Once every node has a level,
what is left is a maximum flow: holders to computing nodes, with whole capacities. CP-SAT chooses
the levels, counting nodes of a group together; the flow then names the nodes.
"""

from dataclasses import dataclass
from functools import cached_property
from operator import mul

import numpy as np
from ortools.sat.python import cp_model

from optmodel.problem import IntArray
from optmodel.stages.arc import Arc, ArcPlacement
from optmodel.stages.layered_flow import LayeredFlow
from optmodel.stages.node_model import NodeModel, feasible
from optmodel.stages.relaxation import held_at_first, held_before_last, room


@dataclass(frozen=True)
class Level:
    """A time for receiving, on a node of a group.

    Attributes
    ----------
    group : int
        The group.
    theta : int
        Ticks spent on receiving.
    computes : int
        Segments that the node can compute in the time left.
    taken : tuple of int, shape (groups,)
        Maps that the node can take from one node of each group.
    reach : int
        What the node can compute if all others send what they may.
    """

    group: int
    theta: int
    computes: int
    taken: tuple[int, ...]
    reach: int


class Thresholds:
    """The layers of an arc under a threshold each.

    Parameters
    ----------
    arc : Arc
        With two or more layers.
    limits : tuple of int
        Largest latency of each layer, in ticks.
    """

    def __init__(self, arc: Arc, limits: tuple[int, ...]) -> None:
        self.arc, self.first, self.early, self.last = arc, limits[0], limits[1:-1], limits[-1]
        first = np.array([limits[0]])
        self.start = held_at_first(arc, first)[0]
        self.held = held_before_last(arc, first, self.early)[0]

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The levels worth having: more segments computed, or more maps taken.

        A level at which a node computes so little that all others together cannot make up for it
        is left out.
        """
        times = self._times()
        found = [self._levels_of(group, times) for group in range(len(self.arc.sizes))]
        best = [max((level.reach for level in levels), default=0) for levels in found]
        spare = sum(map(mul, best, self.arc.sizes)) - self.arc.maps
        return tuple(lv for levels in found for lv in levels if lv.reach + spare >= best[lv.group])

    def _times(self) -> IntArray:
        """Return the times that receiving can take."""
        most, times = int(self.held.max()), {0}
        for send in {b for b, held in zip(self.arc.send[-1], self.held, strict=True) if held}:
            if send:
                times.update(range(send, min(send * most, self.last) + 1, send))
        return np.array(sorted(times), dtype=np.int64)

    def _levels_of(self, group: int, times: IntArray) -> list[Level]:
        """Return the levels of a group, none of which another one dominates, times ascending."""
        left = self.last - times
        computes = room(left, np.array(self.arc.work[group]), np.array(self.arc.caps[-1][group]))
        # Of the times in which it computes as much, the longest; times are ascending.
        longest = (left >= 0) & (computes > 0) & np.append(computes[1:] < computes[:-1], True)
        theta, computes = times[longest], computes[longest]
        taken = room(theta[:, np.newaxis], np.array(self.arc.send[-1]), self.held)
        more = np.ones(len(theta), dtype=bool)
        more[1:] = (taken[1:] != taken[:-1]).any(axis=1)
        received = taken @ np.array(self.arc.sizes) - taken[:, group]
        reach = np.minimum(computes, self.held[group] + received)
        columns = (row[more].tolist() for row in (theta, computes, taken, reach))
        return [
            Level(group, time, number, tuple(maps), most)
            for time, number, maps, most in zip(*columns, strict=True)
        ]

    def moved_early(self, k: int) -> IntArray:
        """Return the maps that one node of each group can move to another after layer k."""
        return room(self.early[k], np.array(self.arc.send[k]), np.array(self.arc.caps[k]))

    def decide(self, time_limit_s: float) -> ArcPlacement | None:
        """Return a placement within the thresholds, None if there is none.

        Raises
        ------
        Undecided
            If the time limit came first.
        """
        placement = self.sketch()
        if placement is not None or len(self.levels) == len({lv.group for lv in self.levels}):
            return placement
        numbers = GroupChoice(self).solve(time_limit_s)
        if numbers is None:
            return None
        placement = self._flow(self._dealt(numbers))
        if placement is not None or max(self.arc.sizes) == 1:
            return placement
        return self._decide_node_by_node(time_limit_s)

    def sketch(self) -> ArcPlacement | None:
        """Return a placement at the obvious levels, None if they do not carry all maps."""
        return self._flow(self._obvious_levels())

    def _decide_node_by_node(self, time_limit_s: float) -> ArcPlacement | None:
        """Decide without pooling the nodes of a group: quickly, or exactly if rounding matters."""
        limits = (self.first, *self.early, self.last)
        placement = NodeModel(self.arc, limits).decide(time_limit_s)
        if placement is None or placement.ticks(self.arc) <= sum(limits):
            return placement
        return Thresholds(self.arc.node_by_node(), limits).decide(time_limit_s)

    def _obvious_levels(self) -> list[Level | None]:
        """Return for each node the level at which it could compute most, others permitting."""
        best: dict[int, Level] = {}
        for level in self.levels:
            known = best.get(level.group)
            if known is None or (level.reach, -level.theta) > (known.reach, -known.theta):
                best[level.group] = level
        return [best.get(g) for g in self.arc.group_of.tolist()]

    def _dealt(self, numbers: list[int]) -> list[Level | None]:
        """Deal levels to the nodes of each group."""
        dealt: list[Level | None] = []
        for g, size in enumerate(self.arc.sizes):
            here = [
                level
                for level, number in zip(self.levels, numbers, strict=True)
                if level.group == g
                for _ in range(number)
            ]
            dealt += [*here, *([None] * (size - len(here)))]
        return dealt

    def _flow(self, levels: list[Level | None]) -> ArcPlacement | None:
        """Return a placement at these levels of the nodes, None if they cannot carry all maps."""
        network = LayeredFlow(self.arc)
        group = self.arc.group_of
        network.supply(self.start[group])
        for k in range(len(self.early)):
            between = np.tile(self.moved_early(k)[group][:, np.newaxis], self.arc.nodes)
            network.layer(between, np.array(self.arc.caps[k + 1])[group])
        last = np.zeros((self.arc.nodes, self.arc.nodes), dtype=np.int64)
        for j, level in enumerate(levels):
            if level is not None:
                last[:, j] = np.array(level.taken)[group]
        network.layer(last, np.array([level.computes if level else 0 for level in levels]))
        return network.placement()


class GroupChoice:
    """How many nodes of each group take each level, nodes of a group counted together.

    A relaxation, for what the holders of one group have left is pooled; right nearly always, and
    its size does not grow with the number of nodes.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds, self.arc = thresholds, thresholds.arc
        self.levels, self.model = thresholds.levels, cp_model.CpModel()
        self.nodes = [self._number(self.arc.sizes[level.group]) for level in self.levels]
        for g, size in enumerate(self.arc.sizes):
            at = [n for n, level in zip(self.nodes, self.levels, strict=True) if level.group == g]
            self.model.add(sum(at) <= size)
        held: list[cp_model.LinearExprT] = [
            self._number(int(most) * size)
            for most, size in zip(thresholds.start, self.arc.sizes, strict=True)
        ]
        for k in range(len(thresholds.early)):
            held = self._pass_on(k, held)
        self._compute(held)

    def _number(self, most: int) -> cp_model.IntVar:
        return self.model.new_int_var(0, most, "")

    def _pass_on(self, k: int, held: list[cp_model.LinearExprT]) -> list[cp_model.LinearExprT]:
        """Move maps between groups after layer k; return what each then holds."""
        sizes, each = self.arc.sizes, self.thresholds.moved_early(k).tolist()
        arrived: list[cp_model.LinearExprT] = []
        left: list[list[cp_model.IntVar]] = [[] for _ in sizes]
        for g, size in enumerate(sizes):
            moved = [
                self._number(self.arc.maps if g == h else each[h] * sizes[h] * size)
                for h in range(len(sizes))
            ]
            for h, maps in enumerate(moved):
                left[h].append(maps)
            now = self._number(self.arc.caps[k + 1][g] * size)
            self.model.add(now == sum(moved))
            arrived.append(now)
        for h, moves in enumerate(left):
            self.model.add(sum(moves) == held[h])
        return arrived

    def _compute(self, held: list[cp_model.LinearExprT]) -> None:
        """Move maps to nodes by their level, and let these compute all of them."""
        leaving: list[list[cp_model.IntVar]] = [[] for _ in self.arc.sizes]
        computed: list[cp_model.IntVar] = []
        for n, level in enumerate(self.levels):
            size = self.arc.sizes[level.group]
            own = min(int(self.thresholds.held[level.group]), level.computes)
            arriving = [(level.group, own)]
            for h, each in enumerate(level.taken):
                arriving.append((h, each * (self.arc.sizes[h] - (h == level.group))))
            moved = []
            for h, most in arriving:
                if most:
                    maps = self._number(most * size)
                    self.model.add(maps <= most * self.nodes[n])
                    leaving[h].append(maps)
                    moved.append(maps)
            self.model.add(sum(moved) <= level.computes * self.nodes[n])
            computed += moved
        for h, left in enumerate(leaving):
            self.model.add(sum(left) <= held[h])
        self.model.add(sum(computed) >= self.arc.maps)

    def solve(self, time_limit_s: float) -> list[int] | None:
        """Return the number of nodes at each level, None if no choice can carry all maps."""
        solver = feasible(self.model, time_limit_s)
        return None if solver is None else [solver.value(number) for number in self.nodes]
