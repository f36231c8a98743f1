# SPDX-License-Identifier: Apache-2.0
"""Keylime as an authority: its verifiers' word, believed by a strict rule."""
