"""Sphinx's settings: pages in Markdown, reference pages written from the code first."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from docs.code.reference import write_reference  # noqa: E402 - the path comes first

project = "memspice"
author = "The memspice authors"
project_copyright = author
release = version = metadata.version("memspice")
language = "en"
default_role = "py:obj"  # in docstrings; a name that has no page is plain text
smartquotes = False  # two hyphens begin an option

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_copybutton"]
# Notebooks are Python files with cells; the other .py files here are code of these docs.
source_suffix = {".md": "myst-nb"}
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
exclude_patterns = ["conf.py", "code/**", "figures/**"]
suppress_warnings: list[str] = []

# Headings get anchors, so that links to a section are checked; no link leads to another site.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]

# A notebook that fails ends the build; one that has not changed is not run again.
nb_execution_mode = "cache"
nb_execution_cache_path = str(DOCS.parent / "build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_typehints = "none"  # numpydoc docstrings say types, shapes and units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
copybutton_prompt_text = "$ "  # and no output

html_theme = "furo"
html_title = f"memspice {release}"
html_static_path = ["_static"]
html_css_files = ["memspice.css"]
html_js_files = ["memspice.js"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # would fetch pages, which a browser does not do from a folder
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00588a", "color-brand-content": "#00588a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f0", "color-brand-content": "#7cc4f0"},
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def setup(app: object) -> None:
    """Write the reference pages before Sphinx looks for pages."""
    write_reference(DOCS / "reference" / "generated")
