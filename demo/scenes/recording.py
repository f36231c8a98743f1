# SPDX-License-Identifier: Apache-2.0
"""The scene about the ledger, in which all of the others are."""

from __future__ import annotations

from collections.abc import Sequence

from demo import tampering
from demo import world
from demo.stage import Stage
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.model import RefusalCode as Code

_LAB, _SHOP = (u.project_id.encode() for u in (world.LAB, world.WEB))


def ledger(stage: Stage) -> None:
    """What happened cannot be made not to have happened."""
    auditor = stage.auditor
    stage.create(world.CORE, "hss", "subscribers").lands_on("fra-1", "fra-2")
    for user, name in ((world.WEB, "mall"), (world.LAB, "trial")):
        stage.create(user, name, "huge").refused(Code.POOL_EXCLUSIVE)
    auditor.is_signed("trial")
    auditor.shows(3, EventKind.WAIVER_USED, EventKind.REQUEST_REFUSED)
    auditor.verifies()
    stage.happens("its newest checkpoints are kept elsewhere")
    auditor.keeps_checkpoints()
    for tampers, what, found in (
        (other_project, "names another project", AnomalyKind.CHANGED),
        (tampering.removed, "is missing", AnomalyKind.REMOVED),
        (
            removed_and_chained,
            "is missing, and what follows is numbered and hashed anew",
            AnomalyKind.REWRITTEN,
        ),
    ):
        copy = auditor.copy_of("trial", tampers)
        stage.happens(f"in {copy} the refusal of trial {what}")
        auditor.finds(found, copy)
    copy = auditor.copy_of("trial", tampering.cut_off)
    stage.happens(
        f"{copy} ends with the checkpoint before that refusal: by itself it "
        "looks whole"
    )
    auditor.finds(None, copy)
    stage.happens("beside what is kept elsewhere it does not")
    auditor.finds(AnomalyKind.TRUNCATED, copy, kept=True)


def other_project(lines: Sequence[bytes], index: int) -> list[bytes]:
    """Return lines of which one is about the shop, and not about the lab."""
    return tampering.changed(lines, index, _LAB, _SHOP)


def removed_and_chained(lines: Sequence[bytes], index: int) -> list[bytes]:
    """Return lines of which one is missing, and the others hang together."""
    return tampering.chained_anew(tampering.removed(lines, index), index)
