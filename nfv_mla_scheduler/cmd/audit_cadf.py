# SPDX-License-Identifier: Apache-2.0
"""Events of CADF as pycadf makes them, which also looks whether they are any.

Touches nothing; pycadf registers options of its own with oslo.config.
"""

from __future__ import annotations

from typing import Any

from pycadf import attachment
from pycadf import cadftype
from pycadf import event as events
from pycadf import measurement
from pycadf import metric
from pycadf import reason
from pycadf import resource

from nfv_mla_scheduler.audit import cadf


def event(record: cadf.Record) -> dict[str, Any]:
    """Return an event as JSON holds it.

    pycadf's own way cuts short what is nested deep.
    """
    found: dict[str, Any] = _members(made_event(record))
    return found


def made_event(record: cadf.Record) -> events.Event:
    """Return an event of pycadf's."""
    made = events.Event(
        eventType=record.type.value,
        id=record.id,
        eventTime=record.time,
        action=record.action,
        outcome=record.outcome,
        initiator=_resource(record.initiator),
        target=_resource(record.target),
        observer=_resource(record.observer),
        name=record.kind,
        reason=None
        if record.reason is None
        else reason.Reason(cadf.REASON, record.reason),
    )
    if record.measure is not None:
        value, unit, name = record.measure
        of = metric.Metric(cadf.id_of("metric", name), unit, name)
        made.add_measurement(measurement.Measurement(value, of))
    for name, content in record.attachments.items():
        attached = attachment.Attachment(cadf.ATTACHED, dict(content), name)
        made.add_attachment(attached)
    return made


def _resource(part: cadf.Resource) -> resource.Resource:
    return resource.Resource(part.id, part.type, part.name)


def _members(value: Any) -> Any:
    if isinstance(value, cadftype.CADFAbstractType):
        return {name: _members(each) for name, each in vars(value).items()}
    if isinstance(value, list):
        return [_members(each) for each in value]
    return value
