# SPDX-License-Identifier: Apache-2.0
"""How sphinx builds the documentation.  Needs no network."""

from __future__ import annotations

import importlib.metadata

project = "nfv-mla-scheduler"
author = "The nfv-mla-scheduler authors"
project_copyright = author

try:
    release = importlib.metadata.version(project)
except importlib.metadata.PackageNotFoundError:
    release = "(not installed)"
version = release

root_doc = "index"
exclude_patterns: list[str] = []
extensions: list[str] = []
highlight_language = "none"
smartquotes = False

html_theme = "alabaster"
html_theme_options = {
    "description": "Attested workload placement for OpenStack Nova",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "sidebar_width": "260px",
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_show_sourcelink = False
html_copy_source = False
