# SPDX-License-Identifier: Apache-2.0
"""Changes to a draft: what may be otherwise, by name.

Each is a function of a draft and a source of chance; a world is a good draft
and a few of them, so that a failing world shrinks to the changes that matter.
"""

from __future__ import annotations

from tests.unit import changes_policy
from tests.unit import changes_results
from tests.unit import changes_rules
from tests.unit.changing import CHANGES
from tests.unit.changing import OFTEN

__all__ = (
    "CHANGES",
    "OFTEN",
    "changes_policy",
    "changes_results",
    "changes_rules",
)
