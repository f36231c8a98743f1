# SPDX-License-Identifier: Apache-2.0
"""Attestation results: their signed document, and the view."""
