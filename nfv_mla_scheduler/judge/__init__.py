# SPDX-License-Identifier: Apache-2.0
"""Decide where a server may be: what filter, explain and monitor all call."""
