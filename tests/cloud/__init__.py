# SPDX-License-Identifier: Apache-2.0
"""A real Nova with Placement in one process, for functional tests and demo."""

import os

# Nova chooses native threads when this is set before its first import, and
# refuses to when anything has imported eventlet by then.
os.environ['OS_NOVA_DISABLE_EVENTLET_PATCHING'] = '1'

from nova import monkey_patch  # noqa: E402

monkey_patch.patch(backend='threading')
