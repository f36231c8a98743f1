# SPDX-License-Identifier: Apache-2.0
"""The monitor's way to Nova and Placement, where the real ones do not go."""
