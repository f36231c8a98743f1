# SPDX-License-Identifier: Apache-2.0
"""A real Nova that places, moves and refuses by a signed policy.

Importing the cloud first lets it choose how Nova runs threads, whichever
module is imported next.
"""

import tests.cloud  # noqa: F401
