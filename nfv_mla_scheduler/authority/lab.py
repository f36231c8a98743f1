# SPDX-License-Identifier: Apache-2.0
"""The authority for development (``nfv-mla-lab``), asked as any other is."""

from __future__ import annotations

from typing import ClassVar

from nfv_mla_scheduler.authority.ear import EarAuthority


class LabAuthority(EarAuthority):
    """The lab: its tokens are really signed, and attest nothing."""

    NOTICE: ClassVar[str] = (
        "its results are of the lab, which is for development: it attests "
        "nothing, and says of hosts what a file says"
    )
