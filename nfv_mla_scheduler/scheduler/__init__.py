# SPDX-License-Identifier: Apache-2.0
"""What Nova loads: the only place that imports nova."""
