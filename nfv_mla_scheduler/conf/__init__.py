# SPDX-License-Identifier: Apache-2.0
"""The options of ``[nfv_mla]``, and the frozen settings made from them.

Standard library and oslo.config only.  No module below this one sees a
configuration object: it gets the value it needs, with the unit in its name.
"""

from nfv_mla_scheduler.conf.policy import WithoutPolicy
from nfv_mla_scheduler.conf.results import ResultsFrom
from nfv_mla_scheduler.conf.settings import GROUP
from nfv_mla_scheduler.conf.settings import Settings
from nfv_mla_scheduler.conf.settings import list_opts
from nfv_mla_scheduler.conf.settings import register
from nfv_mla_scheduler.conf.settings import settings

__all__ = [
    "GROUP",
    "ResultsFrom",
    "Settings",
    "WithoutPolicy",
    "list_opts",
    "register",
    "settings",
]
