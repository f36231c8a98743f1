# SPDX-License-Identifier: Apache-2.0
"""Keep account of hosts that have to be clean before others may come."""
