# SPDX-License-Identifier: Apache-2.0
"""What is written on servers and hosts, and whose it is."""
