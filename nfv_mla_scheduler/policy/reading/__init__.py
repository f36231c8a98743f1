# SPDX-License-Identifier: Apache-2.0
"""Readers of the parts of a policy document; ``document.py`` calls them."""
