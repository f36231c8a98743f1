# SPDX-License-Identifier: Apache-2.0
"""What a worker says of itself: that it starts, and what it goes by.

Touches the log and the audit port.
"""

from __future__ import annotations

import logging
import time

from oslo_config import cfg

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.recording import event
from nfv_mla_scheduler.sources import configuration_digest

LOG = logging.getLogger(__name__)


def started(settings: Settings, conf: cfg.ConfigOpts, origin: str) -> Event:
    """Return what is recorded of a worker's start.

    :param conf: from which its feed was made
    """
    fields = {
        "version": identity.version(),
        "configuration_digest": configuration_digest(settings, conf),
    }
    return Event(EventKind.WORKER_STARTED, time.time(), origin, fields)


def tell(news: News, audit: AuditPort, origin: str) -> None:
    """Log one change of state, and record it."""
    level = logging.INFO if news.good else logging.WARNING
    LOG.log(level, "nfv-mla %s: %s (%s)", news.subject, news.text, news.code)
    recorded = event(news, time.time(), origin)
    if recorded is not None:
        audit.record(recorded)
