# SPDX-License-Identifier: Apache-2.0
"""A real Nova that places, moves and refuses by a signed policy."""
