"""Where a record comes from: versions, code, commit, host."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from instances.ssim import TABLE_I

PACKAGES = ("cbcbox", "distprivacy", "highspy", "numpy", "ortools", "pyomo", "pyscipopt")


DECIDING = ("optmodel", "heuristics", "instances", "benchmarks.simulate")
"""Packages that decide what is simulated or solved, and how it ends."""


@cache
def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python and of the installed packages that decide a result.

    Parameters
    ----------
    *more : str
        Packages besides those that decide any.
    """
    found = {"python": platform.python_version()}
    for name in (*PACKAGES, *more):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@cache
def source(policy: str = "") -> str:
    """Return a digest of the code and of Table I: any change of what decides makes another.

    Parameters
    ----------
    policy : str
        If a dotted name, the code of its package counts too.
    """
    own = (policy.partition(".")[0],) if "." in policy else ()
    digest = sha256()
    for name in (*DECIDING, *own):
        for file in sorted(_files(name)):
            digest.update(file.read_bytes())
    digest.update(TABLE_I.read_bytes())
    return digest.hexdigest()


def source_and_versions() -> str:
    """Return one digest of the code and of the packages."""
    told = [source(), *(f"{name} {number}" for name, number in sorted(versions().items()))]
    return sha256("\n".join(told).encode()).hexdigest()


def _files(package: str) -> Iterator[Path]:
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
