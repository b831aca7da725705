"""Sphinx configuration."""

project = "DistPrivacy toolkit"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
html_theme = "alabaster"
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
