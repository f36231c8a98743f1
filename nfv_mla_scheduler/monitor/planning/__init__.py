# SPDX-License-Identifier: Apache-2.0
"""Say what is to be done about what was found."""
