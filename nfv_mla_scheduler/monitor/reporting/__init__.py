# SPDX-License-Identifier: Apache-2.0
"""Say what was found and done."""
