# SPDX-License-Identifier: Apache-2.0
"""What the monitor costs, and how soon it acts, against a simulated cloud.

Each party is a process of its own: the cloud's API, the monitor, and where
results are to come from somewhere the collector; so neither the CPU nor the
memory of one counts as another's.
"""
