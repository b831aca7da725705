"""Faces of packages that load a room when it is first asked for: solvers and torch take seconds."""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class _FacePackage(ModuleType):
    """A package whose face keeps its names, also where a module of it has the same one."""

    module_of: Mapping[str, str]

    def __getattr__(self, name: str) -> Any:
        if name not in self.module_of:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(self.module_of[name]), name)

    def __setattr__(self, name: str, value: object) -> None:
        # Python binds a module to its package when it has loaded it: `check` is a command, too.
        if not (isinstance(value, ModuleType) and name in self.module_of):
            super().__setattr__(name, value)


def offer(package: str, names_of: Mapping[str, str]) -> None:
    """Let a package offer names of its rooms, each loaded when it is asked for.

    Parameters
    ----------
    package : str
        Its name.
    names_of : mapping of str to str
        For each module, which of its names the package offers, with blanks between.
    """
    face = sys.modules[package]
    module_of = {name: module for module, names in names_of.items() for name in names.split()}
    face.module_of = module_of  # type: ignore[attr-defined]
    face.__class__ = _FacePackage
