# SPDX-License-Identifier: Apache-2.0
"""Attestation results: their signed document, the view, and the judge."""
