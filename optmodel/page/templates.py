"""Jinja templates that escape everything, in pages that allow only their own script and style."""

import base64
import hashlib
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

HERE = "optmodel.page"
"""The package whose templates every page builds on."""


def environment(*packages: str) -> Environment:
    """Return the templates of these packages, then those of every page."""
    loader = ChoiceLoader([PackageLoader(package) for package in (*packages, HERE)])
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(templates: Environment, name: str, script: str = "", **shown: object) -> str:
    """Return a page.

    `script` is JavaScript of ours; `name` is of a template that extends `page.html`.
    """
    style = static_text(HERE, "page.css")
    return templates.get_template(name).render(
        **shown, style=Markup(style), script=Markup(script), policy=_policy(style, script)
    )


def static_text(package: str, name: str) -> str:
    """Return a file of the folder `static` of a package."""
    return files(package).joinpath("static", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: our style and script by their hashes, images inline."""
    runs = f"script-src {_hash(script)}" if script else "script-src 'none'"
    rest = "img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; style-src {_hash(style)}; {runs}; {rest}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
