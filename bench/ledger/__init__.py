# SPDX-License-Identifier: Apache-2.0
"""What the audit ledger costs: to append to, to seal, to sync, to verify.

Beside each stands what nobody could do without: the same lines made, hashed
and signed, the same block encrypted, the same bytes synced.
"""
