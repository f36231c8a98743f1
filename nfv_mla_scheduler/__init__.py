# SPDX-License-Identifier: Apache-2.0
"""Attested workload placement for OpenStack Nova (ETSI GR NFV-SEC 009)."""
