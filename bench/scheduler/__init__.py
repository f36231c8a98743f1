# SPDX-License-Identifier: Apache-2.0
"""What of the bench needs Nova, which chooses native threads when this is set
before its first import."""

import os

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"

from nova import monkey_patch

monkey_patch.patch(backend="threading")
