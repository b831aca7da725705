"""What a result comes from: code, installed packages, commit, host, time."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Origin:
    """What decides the results of some kind of run."""

    code: tuple[str, ...]
    """Importable packages and modules whose Python files decide."""
    files: tuple[Path, ...] = ()
    """Other files that decide."""
    installed: tuple[str, ...] = ()
    """Installed packages whose versions decide."""

    @property
    def source_sha256(self) -> str:
        """Digest of code and files: any change of what decides makes another."""
        return digest_of(self.code, self.files)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Python and of the packages, as far as they are installed."""
        return versions_of(self.installed)

    @property
    def sha256(self) -> str:
        """One digest of code, files and versions."""
        told = [f"{name} {number}" for name, number in sorted(self.versions.items())]
        return sha256("\n".join([self.source_sha256, *told]).encode()).hexdigest()

    def stamp(self) -> dict[str, Any]:
        """Return the fields of `FinishedRun` for a run that ends now, here."""
        return {
            "source_sha256": self.source_sha256,
            "versions": self.versions,
            "commit": commit(),
            "host": host(),
            "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


@cache
def digest_of(code: tuple[str, ...], files: tuple[Path, ...]) -> str:
    """Return the SHA-256 of the Python files of packages and modules, then of other files."""
    digest = sha256()
    for name in code:
        for file in sorted(_python_files(name)):
            digest.update(file.read_bytes())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def versions_of(installed: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in installed:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _python_files(package: str) -> Iterator[Path]:
    """Yield the Python files of a package, or that of a module."""
    spec = find_spec(package)
    assert spec is not None
    for folder in spec.submodule_search_locations or ():
        yield from Path(folder).rglob("*.py")
    if not spec.submodule_search_locations and spec.origin is not None:
        yield Path(spec.origin)


@cache
def commit() -> str | None:
    """Return the commit of the code, "-dirty" behind it if changed; None outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@cache
def host() -> str:
    """Return system, processor and number of cores; no name of the machine."""
    return f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
