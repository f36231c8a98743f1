# SPDX-License-Identifier: Apache-2.0
"""What scheduler and monitor cost, beside Nova's own and by themselves."""
