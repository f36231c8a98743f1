# SPDX-License-Identifier: Apache-2.0
"""Drivers: each turns one attestation authority's answers into results."""
