# SPDX-License-Identifier: Apache-2.0
"""Ask Nova and Placement how things are."""
