# SPDX-License-Identifier: Apache-2.0
"""What people said to the monitor, and what is held until they do."""
