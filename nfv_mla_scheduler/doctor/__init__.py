# SPDX-License-Identifier: Apache-2.0
"""Look whether a site is as it has to be, and change nothing."""
