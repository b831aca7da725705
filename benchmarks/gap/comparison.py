"""One instance by every policy, beside the best that can be done: gaps, counts, contradictions."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from benchmarks.common.records import Options, Record, RecordBook
from heuristics.improvement import improve_solution
from heuristics.policies import POLICIES, place
from optmodel.placement import Solution, SolutionStatus, Termination, relative_gap
from optmodel.problem import Instance
from optmodel.search import BOUND_TOLERANCE, SolverOptions
from optmodel.solving import solve


@dataclass(frozen=True)
class Contender:
    """A policy, alone or with improvement of what it places."""

    policy: str
    """Its name, or dotted name."""
    improve_s: float | None = None
    """Seconds of improvement; None for none."""

    @property
    def name(self) -> str:
        """Name in records and tables."""
        return self.policy if self.improve_s is None else f"{self.policy} +{self.improve_s:g} s"

    def options(self, seed: int) -> Options:
        """Return what identifies its run with a seed."""
        return {"seed": seed} | ({} if self.improve_s is None else {"improve_s": self.improve_s})

    def place(self, instance: Instance, seed: int) -> Solution:
        """Place an instance.

        Raises
        ------
        ResultError
            If a placement fails the checker.
        KeyboardInterrupt
            If improvement was interrupted: less of it is not what was asked for.
        """
        solution = place(instance, self.policy, seed, with_bound=False)
        if self.improve_s is not None:
            solution = improve_solution(instance, solution, self.improve_s, seed=seed)
        if solution.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        return solution.model_copy(update={"method": self.name})


@dataclass(frozen=True)
class Comparison:
    """The records of one instance."""

    exact: Record
    """Optimum, or incumbent and bound, of serving every request."""
    policies: tuple[Record, ...]
    """One per contender, their gaps against the bound of the reference."""
    most: Record | None = None
    """The same as `exact` for as many requests as can be served, where not all can."""

    @property
    def reference(self) -> Record:
        """What the policies are compared with."""
        return self.exact if self.most is None else self.most

    def contradictions(self) -> Iterator[str]:
        """Yield how a policy refutes what the exact method claims to have proven."""
        most, bound = most_served(self.reference), self.reference.bound_s
        for record in self.policies:
            name = f"{record.instance}: {record.method}"
            if record.served > most:
                yield f"{name} serves {record.served} requests, of which {most} are proven the most"
            elif record.served < most or bound is None or record.objective_s is None:
                continue
            elif record.objective_s < bound * (1 - BOUND_TOLERANCE):
                yield f"{name} takes {record.objective_s!r} s, below the proven bound {bound!r} s"


def most_served(reference: Record) -> int:
    """Return how many requests can be served at most, as far as a reference knows."""
    return reference.requests if reference.most_served is None else reference.most_served


@dataclass(frozen=True)
class Comparer:
    """Compares policies with the best that can be done, unless a book has the records."""

    method: str
    """A key of `optmodel.solving.METHODS`."""
    options: SolverOptions
    """Limits of each optimum; its seed is that of the policies too."""
    contenders: tuple[Contender, ...]
    book: RecordBook[Record]
    """What is known already, and where results are kept."""

    @property
    def seed(self) -> int:
        """Seed of the policies."""
        return self.options.seed or 0

    def compare(self, instance: Instance) -> Comparison:
        """Solve an instance exactly, and place it by every policy.

        Raises
        ------
        ResultError
            If a placement fails the checker.
        KeyboardInterrupt
            If the solver or an improvement was interrupted; that is not recorded then.
        """
        exact, most = self._solved(instance, self.options), None
        if exact.solution_status is SolutionStatus.INFEASIBLE:
            most = self._solved(instance, replace(self.options, admission="most"))
        reference = exact if most is None else most
        policies = tuple(self._placed(instance, one, reference) for one in self.contenders)
        return Comparison(exact, policies, most)

    def _solved(self, instance: Instance, options: SolverOptions) -> Record:
        def solved() -> Record:
            return Record.of(solve(instance, self.method, options), len(instance.requests))

        return self.book.recorded(instance, self.method, asdict(options), solved)

    def _placed(self, instance: Instance, contender: Contender, reference: Record) -> Record:
        """Return a contender's record, its gap measured against the bound of the reference.

        A policy of the user's own is asked again each time: its code may have changed.
        """
        shipped, options = contender.policy in POLICIES, contender.options(self.seed)
        known = self.book.find(instance, contender.name, options) if shipped else None
        record = known or Record.of(contender.place(instance, self.seed), len(instance.requests))
        comparable = record.served == most_served(reference)
        gap = relative_gap(record.objective_s, reference.bound_s) if comparable else None
        measured = record.model_copy(update={"bound_s": reference.bound_s, "gap": gap})
        if measured != known:
            self.book.add(measured)
        return measured
