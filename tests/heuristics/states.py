"""Files of a state as kills, restored copies and older versions leave them."""

import json
from pathlib import Path

from heuristics.scheduler.journal import journal_path
from heuristics.scheduler.sealed_records import RECORD
from heuristics.scheduler.snapshot import BEFORE_TOLD, SEALED, SnapshotFile


def told(snapshot: bytes, journal: bytes, events: int) -> bytes:
    """Return a snapshot as it is when so many events of its journal have been told."""
    found = SEALED.match(snapshot)
    mark = found[2] if events == 0 else RECORD.match(journal.splitlines(keepends=True)[events])[1]
    return BEFORE_TOLD + mark + snapshot[found.end(1) :]


def without_seals(state: Path) -> None:
    """Write a state anew as it was written before there were digests."""
    file = SnapshotFile.model_validate_json(state.read_bytes())
    state.write_text(file.snapshot.model_dump_json() + "\n")
    if journal_path(state).exists():
        _, *lines = journal_path(state).read_text().splitlines()
        contents = [json.dumps(json.loads(line)["record"]) + "\n" for line in lines]
        journal_path(state).write_text("".join(contents))


def snapshot_in(state: Path) -> dict:
    """Return what a snapshot says."""
    return json.loads(state.read_bytes())["snapshot"]
