# SPDX-License-Identifier: Apache-2.0
"""Migrations and instance actions as Nova lists them -> values.  Pure."""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import identifier
from nfv_mla_scheduler.monitor.cloud.fields import instant
from nfv_mla_scheduler.monitor.cloud.fields import mapping
from nfv_mla_scheduler.monitor.cloud.fields import number
from nfv_mla_scheduler.monitor.cloud.fields import optional
from nfv_mla_scheduler.monitor.cloud.fields import word
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.port import Deed

MESSAGE_MAX = 120

# Words of nova.compute.manager and nova.conductor.  One that is not here
# counts as under way, hence against the guard's budgets: Nova has no list.
_COURSES = {
    # a resize or cold migration that waits for somebody to confirm it
    "finished": Course.ARRIVED,
    "confirming": Course.ARRIVED,
    "confirmed": Course.ARRIVED,
    "completed": Course.ARRIVED,
    # an evacuation whose source has not been back since
    "done": Course.ARRIVED,
    "error": Course.FAILED,
    "failed": Course.FAILED,
    "cancelled": Course.FAILED,
    "reverted": Course.FAILED,
}


def read_migration(raw: object) -> Migration:
    """Return one move.

    :raises Unreadable: naming what is wrong
    """
    raw = mapping(raw, "migration")
    created = instant(raw, "created_at")
    status = word(raw, "status")
    return Migration(
        uuid=identifier(raw, "uuid"),
        number=number(raw, "id"),
        server=identifier(raw, "instance_uuid"),
        source=optional(raw, "source_compute"),
        dest=optional(raw, "dest_compute"),
        kind=word(raw, "migration_type"),
        status=status,
        course=_COURSES.get(status, Course.UNDER_WAY),
        user_id=optional(raw, "user_id"),
        project_id=optional(raw, "project_id"),
        created=created,
        updated=(
            created
            if raw.get("updated_at") is None
            else instant(raw, "updated_at")
        ),
    )


def read_deeds(listed: list[Any]) -> tuple[Deed, ...]:
    """Return a server's instance actions, in their order.

    Whatever writes one that cannot be read must not hide the others.

    :raises Unreadable: when there are some, and none can be read
    """
    found = []
    fault: Unreadable | None = None
    for raw in listed:
        try:
            found.append(read_deed(raw))
        except Unreadable as exc:
            fault = exc
    if fault is not None and not found:
        raise fault
    return tuple(found)


def read_deed(raw: object) -> Deed:
    """Return one entry of a server's instance actions.

    What a periodic task of Nova did has neither user nor project.

    :raises Unreadable: naming what is wrong
    """
    raw = mapping(raw, "instance action")
    return Deed(
        action=word(raw, "action"),
        request_id=optional(raw, "request_id"),
        user_id=optional(raw, "user_id"),
        project_id=optional(raw, "project_id"),
        at=instant(raw, "start_time"),
        message=bounded(optional(raw, "message"), MESSAGE_MAX),
    )
