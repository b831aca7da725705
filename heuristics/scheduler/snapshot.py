"""The state as a JSON file: written wholly or not at all, verified before it is believed."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from heuristics.scheduler.decision import EventCounts
from heuristics.scheduler.events import EventExchange
from heuristics.scheduler.fleet_books import BookEntry, FleetBooks, RunningRequest
from heuristics.scheduler.present_fleet import PresentFleet
from heuristics.scheduler.sealed_records import NOTHING, digest_of
from heuristics.scheduler.waiting_line import WaitingRequest
from optmodel.checker import check
from optmodel.ground.json_files import SchemaVersion, StrictModel, parse_model
from optmodel.ground.rule_errors import InputError, RuleError, refuse_repeated
from optmodel.ground.whole_files import read_bytes, write_bytes
from optmodel.placement import CostedPlacement, PlacementDocument, read_request
from optmodel.problem import FleetDocument, Node

REPAIR = "restore a snapshot that was not edited"
MOST_BYTES = 4_000_000_000
"""Largest snapshot that is read: a thousand running requests of VGG16 take some hundred MB."""
LATENCY_TOLERANCE = 1e-9
"""Relative difference allowed between a stored latency and the one worked out again."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal digits."""
BEFORE_TOLD = b'{"schema_version":2,"told":"'
SEALED = re.compile(BEFORE_TOLD + rb'([0-9a-f]{64})","sha256":"([0-9a-f]{64})",')
"""How a file begins; the digest is that of all that comes after this."""
UNSEALED = re.compile(rb'\s*\{\s*"schema_version"\s*:\s*1\s*,')
"""How a file begins that was written before there were digests."""


@dataclass(frozen=True)
class JournalSeal:
    """What ties a snapshot to its journal."""

    digest: str
    """Of the snapshot; the first record of its journal follows on it."""
    told: str
    """Of the record of the last event whose answer may have been told; that of the snapshot if none
    has been since."""
    follows: str
    """Of the last line of the journal whose place this snapshot took."""


class StateSnapshot(StrictModel):
    """All that a scheduler needs to go on."""

    schema_version: SchemaVersion = 1
    """Version of this format."""
    policy: str
    """How requests are placed."""
    seed: int
    """For policies that draw at random."""
    fleet: FleetDocument
    """The fleet as it was at first."""
    devices: tuple[Node, ...]
    """The devices present."""
    running: tuple[RunningRequest, ...]
    """Requests that have a place."""
    waiting: tuple[WaitingRequest, ...]
    """Rejected requests that are tried again."""
    counts: EventCounts
    """What has happened so far."""
    gone: tuple[str, ...] = ()
    """Ids of requests that went lately, and are not taken again."""
    last: EventExchange | None = None
    """The event answered last, so that it can be answered again."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse_repeated("devices", "id", (d.id for d in (*self.devices, *self.fleet.sources)))
        known: tuple[RunningRequest | WaitingRequest, ...] = (*self.running, *self.waiting)
        refuse_repeated("running", "request.id", (one.request.id for one in known))
        refuse_repeated("running", "arrival", (one.arrival for one in known))
        return self

    @model_validator(mode="after")
    def _references_resolve(self) -> Self:
        for where in ("running", "waiting"):
            for n, one in enumerate(getattr(self, where)):
                self.fleet.refuse_unknown(one.request, f"{where}[{n}].request")
        return self

    @model_validator(mode="after")
    def _every_request_is_accounted_for(self) -> Self:
        gone = self.counts.finished + self.counts.unserved
        total = len(self.running) + len(self.waiting) + gone
        if self.counts.submitted != total:
            raise RuleError(
                "counts.submitted",
                f"{total}, the requests that run, wait, are finished or unserved",
                str(self.counts.submitted),
                REPAIR,
            )
        return self

    def books(self) -> FleetBooks:
        """Return the books, every placement checked and every reservation worked out again.

        Raises
        ------
        RuleError
            If a placement breaks a limit, or a reservation is not what its placement takes.
        """
        present = PresentFleet(self.fleet.model_copy(update={"devices": self.devices}))
        self._check_placements(present)
        entries = [
            _checked_entry(present, one, f"running[{n}]") for n, one in enumerate(self.running)
        ]
        return FleetBooks(present, entries, self.waiting, self.counts, self.gone)

    def _check_placements(self, present: PresentFleet) -> None:
        for n, one in enumerate(self.running):
            if one.placement.request != one.request.id:
                raise RuleError(
                    f"running[{n}].placement.request",
                    repr(one.request.id),
                    repr(one.placement.request),
                    REPAIR,
                )
        # All at once, for they share the budgets.
        instance = present.fleet.with_requests(tuple(one.request for one in self.running))
        document = PlacementDocument(requests=tuple(one.placement for one in self.running))
        for violation in check(instance, document).violations[:1]:
            raise RuleError("running", "placements within all limits", str(violation), REPAIR)


def _checked_entry(present: PresentFleet, one: RunningRequest, name: str) -> BookEntry:
    """Return the entry of a request whose reservations and latency are those of its placement."""
    task = present.task(one.request)
    placed = read_request(task, one.placement, present.index)
    costed = CostedPlacement.of(present.problem, task, placed)
    entry = BookEntry.of(one.request, one.arrival, costed, one.bound_s)
    takes = present.by_name(entry.nodes, entry.load)
    # Of both: what is reserved too much is as wrong as what is missing.
    for node in sorted({*takes, *one.reserved}):
        if takes.get(node) != one.reserved.get(node):
            raise RuleError(
                f"{name}.reserved.{node}",
                f"{takes.get(node)}, which the placement takes",
                str(one.reserved.get(node)),
                REPAIR,
            )
    # Seconds are floats and may differ in the last digits; loads, above, are whole and may not.
    if not math.isclose(costed.latency_s, one.latency_s, rel_tol=LATENCY_TOLERANCE):
        raise RuleError(f"{name}.latency_s", str(costed.latency_s), str(one.latency_s), REPAIR)
    if one.bound_s > one.latency_s * (1 + LATENCY_TOLERANCE):
        raise RuleError(
            f"{name}.bound_s", f"at most {one.latency_s}, the latency", str(one.bound_s), REPAIR
        )
    return entry


class SnapshotFile(StrictModel):
    """A snapshot as it stands in its file."""

    schema_version: Annotated[int, Field(ge=2, le=2)]
    """Version of this format."""
    told: Digest
    """Of the journal's record of the last event whose answer may have been told, or of the
    snapshot itself; the one field that is written in place."""
    sha256: Digest
    """Of all that stands behind it."""
    follows: Digest
    """Of the last line of the journal whose place the snapshot took."""
    snapshot: StateSnapshot


def write_snapshot(path: Path, snapshot: StateSnapshot, follows: str = NOTHING) -> str:
    """Write a snapshot, wholly or not at all; return its digest.

    Parameters
    ----------
    follows : str
        Digest of the last line of the journal beside the file, all of which the snapshot knows.
    """
    written = snapshot.model_dump_json().encode()
    content = b'"follows":"%s","snapshot":%s}\n' % (follows.encode(), written)
    # Of what comes after `told`: that is written in place, and must not break the digest.
    digest = digest_of(content)
    told = digest.encode()
    write_bytes(path, BEFORE_TOLD + b'%s","sha256":"%s",%s' % (told, told, content))
    return digest


def read_snapshot(path: Path) -> tuple[StateSnapshot, JournalSeal | None]:
    """Read a snapshot; without a seal, it was written before there were any.

    Raises
    ------
    InputError
        If the file cannot be read, was changed, or breaks a rule of the format.
    """
    content = read_bytes(path, MOST_BYTES)
    if UNSEALED.match(content):
        return parse_model(content, StateSnapshot, str(path)), None
    found = SEALED.match(content)
    if found is None or digest_of(content[found.end() :]) != found[2].decode():
        raise InputError(
            f"{path}: expected a snapshot as it was written, got another file or one that was "
            "changed; name the right file, or restore snapshot and journal of one moment"
        )
    file = parse_model(content, SnapshotFile, str(path))
    return file.snapshot, JournalSeal(file.sha256, file.told, file.follows)
