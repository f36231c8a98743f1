# SPDX-License-Identifier: Apache-2.0
"""The audit ledger: what writes it behind one port, and what reads it."""
