"""Faces of packages that load a room when it is first asked for: solvers and torch take seconds."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_face(package: str, module_of: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what a package is to have as `__getattr__`.

    Parameters
    ----------
    package : str
        Its name.
    module_of : mapping of str to str
        For each name that it offers, the module that holds it.
    """

    def find(name: str) -> Any:
        """Return what a name stands for."""
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of[name]), name)

    return find
