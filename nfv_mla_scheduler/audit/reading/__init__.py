# SPDX-License-Identifier: Apache-2.0
"""Reading a ledger: its files, whether it is whole, and what it says."""
