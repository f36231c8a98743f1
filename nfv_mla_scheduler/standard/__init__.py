# SPDX-License-Identifier: Apache-2.0
"""GR NFV-SEC 009 as data: the one source of words and rules."""
