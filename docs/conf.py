"""Sphinx configuration."""

from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import BaseModel
from sphinx.application import Sphinx

project = "DistPrivacy toolkit"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "alabaster"
numpydoc_show_class_members = False
autodoc_default_options = {"exclude-members": "model_config"}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"


def show_fields_plainly(
    _app: Sphinx, what: str, _name: str, shown: Any, _options: object, *_signature: object
) -> tuple[str, None] | None:
    """Show a pydantic model by its fields alone, and those without what validates them."""
    if what != "class" or not issubclass(shown, BaseModel):
        return None
    fields = {name: field.annotation for name, field in shown.model_fields.items()}
    # Without extras: neither the fields' limits nor those within `X | None`.
    shown.__annotations__ = get_type_hints(SimpleNamespace(__annotations__=fields))
    return "", None


def setup(app: Sphinx) -> None:
    """Connect the hook."""
    app.connect("autodoc-process-signature", show_fields_plainly)
