# SPDX-License-Identifier: Apache-2.0
"""The options of the monitor, as oslo.config knows them."""
