# SPDX-License-Identifier: Apache-2.0
"""Tests of the simulated cloud, on loopback."""
