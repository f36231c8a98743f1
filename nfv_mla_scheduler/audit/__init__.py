# SPDX-License-Identifier: Apache-2.0
"""The one port through which decisions and steps are recorded."""
