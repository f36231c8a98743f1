# SPDX-License-Identifier: Apache-2.0
"""Tests of the monitor, without any socket but on loopback."""
