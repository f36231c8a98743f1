# SPDX-License-Identifier: Apache-2.0
"""What the scheduler's side costs, measured beside Nova's own filters."""
