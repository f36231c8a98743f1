# SPDX-License-Identifier: Apache-2.0
"""Notice what stops complying, and move or halt it (5.3.2): the monitor."""
