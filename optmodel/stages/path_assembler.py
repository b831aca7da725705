"""From a path over stages to a placement: who, of each group of equal nodes, takes which share."""

import numpy as np

from optmodel.placement import Flows, RequestPlacement
from optmodel.problem import Fleet, FloatArray, IntArray, NodeGroup, RequestTask
from optmodel.stages.arcs.arc_numbers import MapMoves
from optmodel.stages.stage_graph import PathStep, StagePath


class PathAssembler:
    """Deals shares to equal nodes so that loads stay even, over all requests it is asked for."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.load = np.zeros((3, len(fleet.problem.node_ids)))

    def place(self, task: RequestTask, path: StagePath) -> RequestPlacement:
        """Return the placement that a path describes."""
        nodes = len(self.fleet.problem.node_ids)
        counts = np.zeros((len(task.layers), nodes), dtype=np.int64)
        moves: list[tuple[int, IntArray, IntArray, IntArray]] = []
        alone: int | None = None
        for step in path.steps:
            members, alone = self._members(task, step, alone)
            placement = step.solution.placement
            assert placement is not None
            for k, share in enumerate(placement.counts, start=step.stage.first):
                counts[k, members] = share
            # Stage by stage: the next one takes the nodes that this one has left idle.
            self._charge(task, step.stage.first, counts, None)
            for k, flows in enumerate(placement.flows, start=step.stage.first):
                moves.append((k, *flows.on(members)))
                self._charge(task, k + 1, counts, flows.on(members))
        return RequestPlacement(counts, Flows.from_moves(moves))

    def _members(
        self, task: RequestTask, step: PathStep, alone: int | None
    ) -> tuple[IntArray, int | None]:
        """Return the node behind each node of the arc, and the one singled out behind it.

        `alone` is the node that the signature before the stage singles out.
        """
        free = [[i for i in self._nodes(task, group) if i != alone] for group in self.fleet.groups]
        behind = step.behind.alone
        following = None
        if behind is not None:
            shared = any(part.sends and part.ends for part in step.choice.parts)
            # Taken out first, so that no other part of its group gets it.
            following = alone if shared else free[behind].pop(0)
        members: list[list[int]] = []
        for part in step.choice.parts:
            if part.sends and alone is not None:
                members.append([alone])
            elif part.ends and following is not None:
                members.append([following])
            else:
                members.append([free[part.group].pop(0) for _ in range(part.size)])
        return self._largest_first(step, members), following

    def _largest_first(self, step: PathStep, members: list[list[int]]) -> IntArray:
        """Give the largest share of each group to its least loaded node."""
        placement = step.solution.placement
        assert placement is not None
        ordered = np.zeros(step.choice.arc.nodes, dtype=np.int64)
        start = 0
        for nodes in members:
            # Acts and pools take neither memory nor computing, so the last layer decides.
            shares = placement.counts[-1][start : start + len(nodes)]
            ordered[start + np.argsort(-shares, kind="stable")] = nodes
            start += len(nodes)
        return ordered

    def _nodes(self, task: RequestTask, group: NodeGroup) -> list[int]:
        """Return equal nodes, the least loaded first.

        Requests of equal cameras share a path, so the group of a source stands for any of them.
        """
        if group.nodes[0] >= self.fleet.problem.helpers:
            return [task.source]
        nodes = np.array(group.nodes)
        busiest = self.load[:, nodes].max(axis=0)
        ordered: list[int] = nodes[np.argsort(busiest, kind="stable")].tolist()
        return ordered

    def _charge(self, task: RequestTask, k: int, counts: IntArray, moved: MapMoves | None) -> None:
        """Add to the loads what layer `k` takes of 8b and 8c, and of 8d what is sent to it.

        All layers before it are placed; `moved` is what moves after the last of these, which counts
        if that is an act or pool.
        """
        layer, nodes = task.layers[k], counts.shape[1]
        taken = np.zeros((3, nodes), dtype=np.int64)
        taken[:2] = np.outer((layer.weight_bytes, layer.multiplications), counts[k])
        if k:
            before = task.layers[k - 1]
            if moved is not None and before.transfer == "mapwise":
                units = moved.sent(nodes)
            else:
                units = np.where(counts[k - 1] > 0, layer.segments - counts[k], 0)
            taken[2] = units * before.output_bits
        self.load += _share_of(taken, self.fleet.problem.budgets)


def _share_of(load: IntArray, budget: FloatArray) -> FloatArray:
    """Return loads as shares of budgets; all of it where there is a load and no budget."""
    return np.divide(load, budget, out=np.ones(load.shape), where=budget > 0) * (load > 0)
