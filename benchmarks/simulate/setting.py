"""What is simulated: fleet, requests, policy, budgets, seed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from heuristics.policies import make_policy
from heuristics.policy import PlacementPolicy
from instances.cnns import NETWORKS
from instances.devices import MAX_COUNT, BudgetScales
from instances.generate import Recipe, generate
from optmodel.ground.command_line import require_choice
from optmodel.ground.json_files import StrictModel
from optmodel.ground.rule_errors import RuleError
from optmodel.online import BITS_PER_MEGABIT, Algorithm1, KnownPaths, LookaheadPolicy, NrmWeights
from optmodel.problem import FleetDocument

PAPER_NETWORKS = ("lenet", "cifar_cnn", "vgg16", "vgg19")

MOST_CHANGES = 1_000_000
"""Changes of devices in a run, on average; with more no run ends."""

Positive = Annotated[float, Field(gt=0, le=1e12)]


class Setting(StrictModel):
    """One run; equal settings give equal runs.

    The paper gives arrivals, families, networks, tolerances, alpha and beta. It gives no number of
    cameras, period, or unit of the bandwidth in nrm: the defaults are choices.
    """

    networks: Annotated[tuple[str, ...], Field(min_length=1)] = PAPER_NETWORKS
    """Networks that requests ask for, each as often as the others on average."""
    fleet: str = "mixed"
    """Families of the devices, as `--fleet` of `instances.generate` takes them."""
    devices: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 50
    """Number of devices."""
    cameras: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 16
    """Number of cameras; a request comes from each as often as from the others on average."""
    tolerated_ssim: Annotated[float, Field(ge=-1, le=1)] = 0.8
    """Tolerance of every request."""
    unattainable: Literal["reject", "source"] = "source"
    """What to do with maps of which no share is safe (VGG19 at 0.4): refuse the request, or keep
    the layers that receive them on the camera."""
    policy: str = "lookahead"
    """Who places requests."""
    requests: Annotated[int, Field(ge=0, le=10_000_000)] = 320
    """How many requests come."""
    arrivals_per_s: Positive = 3.0
    """Rate lambda of the Poisson process, in requests per second."""
    period_s: Positive = 30.0
    """Scheduling period tau in seconds: budgets are e·tau multiplications and rho·tau bits."""
    memory_scale: Positive = 1.0
    """Factor on the memory of every node."""
    alpha: Annotated[float, Field(ge=0, le=1e12)] = 0.7
    """Weight of time in nrm of Algorithm 1."""
    beta: Annotated[float, Field(ge=0, le=1e12)] = 0.3
    """Weight of scarce bandwidth in nrm of Algorithm 1."""
    bandwidth_unit_bits: Positive = BITS_PER_MEGABIT
    """Unit of the bandwidth in nrm of Algorithm 1, in bits."""
    changes_per_s: Annotated[float, Field(ge=0, le=1e12)] = 0.0
    """Rate at which devices go, in devices per second: every other one, on average, leaves and
    the others fail."""
    away_s: Positive = 60.0
    """Mean seconds after which a device that went joins again."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Draws arrivals and changes; the same seed gives every fleet and policy the same requests."""

    @model_validator(mode="after")
    def _changes_few_enough(self) -> Self:
        most = MOST_CHANGES * self.arrivals_per_s / max(1, self.requests)
        if self.changes_per_s > most:
            raise RuleError(
                "changes_per_s",
                f"at most {most:g}: {MOST_CHANGES:,} changes while the requests come",
                f"{self.changes_per_s:g}",
                "lower it",
            )
        return self

    def make_fleet(self) -> FleetDocument:
        """Return devices, cameras, networks and leakage.

        Raises
        ------
        InputError
            If a network or the fleet is not understood.
        """
        for name in self.networks:
            require_choice("networks", name, NETWORKS)
        recipe = Recipe(
            self.networks,
            self.fleet,
            self.devices,
            self.tolerated_ssim,
            cameras=self.cameras,
            period_s=self.period_s,
            scales=BudgetScales(memory=self.memory_scale),
            seed=self.seed,
            unattainable=self.unattainable,
        )
        return generate(recipe, "simulated").without_requests()

    def make_policy(self, paths: KnownPaths | None = None) -> PlacementPolicy:
        """Return a new policy; alpha, beta and the unit are those of Algorithm 1.

        `paths` are solved ones to share with others.

        Raises
        ------
        InputError
            If there is no such policy.
        """
        if self.policy == "algorithm1":
            beta = self.beta * self.bandwidth_unit_bits / BITS_PER_MEGABIT
            return Algorithm1(weights=NrmWeights(self.alpha, beta))
        if self.policy == "lookahead":
            return LookaheadPolicy(paths=paths)
        return make_policy(self.policy, self.seed)
