# SPDX-License-Identifier: Apache-2.0
"""Tests against a real Nova in this process.

Importing the cloud first lets it choose how Nova runs threads, whichever
module a test imports next.
"""

import tests.cloud  # noqa: F401
