# SPDX-License-Identifier: Apache-2.0
"""Tests of the monitor, without any socket but on loopback.

futurist imports eventlet where there is one, and Nova with native threads
refuses to start after that: it has to choose before.
"""

import tests.unit.scheduler  # noqa: F401
