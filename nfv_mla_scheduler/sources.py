# SPDX-License-Identifier: Apache-2.0
"""Where policy, waivers and results come from, by the options.

Imports no Nova, so that commands which judge as the scheduler does can use it
as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.feed.feed import Heed
from nfv_mla_scheduler.feed.feed import OwnState
from nfv_mla_scheduler.feed.feed import ResultsSource
from nfv_mla_scheduler.feed.feed import Sources
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.published import Origin
from nfv_mla_scheduler.feed.published import PublishedResults
from nfv_mla_scheduler.feed.results_client import ResultsClient
from nfv_mla_scheduler.feed.results_file import ResultsFile
from nfv_mla_scheduler.feed.results_url import WatchedUrl
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.officers import read_root
from nfv_mla_scheduler.standard import catalogue as catalogues
from nfv_mla_scheduler.standard.values import Catalogue

DEADLINE_S = 30.0
_LOOK_S = 0.02


def new_feed(
    settings: Settings,
    conf: cfg.ConfigOpts,
    own_state: OwnState,
    tell: Callable[[News], None],
    wake: threading.Event | None = None,
    heed: Heed = lambda _: None,
) -> Feed:
    """Return a feed on what the options name; to be closed.

    :param conf: for authorities that are asked by this process itself
    :param wake: is set when results have come that are to be looked at
    :param heed: called with each policy before anything is judged by it
    :raises NfvMlaError: when settings or the officers' keys are at fault
    """
    places = sources(settings)
    catalogue = catalogues.load()
    teller = Teller(tell)
    results = results_source(settings, conf, catalogue, teller, wake)
    try:
        return Feed(places, results, catalogue, own_state, teller, heed)
    except BaseException:
        if results is not None:
            results.close()
        raise


def sources(settings: Settings) -> Sources:
    """Return where policy and waivers are, and whose signatures count.

    :raises NfvMlaError: when the officers' keys are at fault
    """
    root = None
    if settings.officer_keys:
        root = read_root(settings.officer_keys, settings.officer_threshold)
    return Sources(
        root,
        settings.state_dir,
        settings.policy_file,
        settings.break_glass_dir,
    )


def results_source(
    settings: Settings,
    conf: cfg.ConfigOpts,
    catalogue: Catalogue,
    teller: Teller,
    wake: threading.Event | None = None,
) -> ResultsSource | None:
    """Return where results come from, to be closed; None: from nowhere.

    :param conf: for authorities that are asked by this process itself
    :raises NfvMlaError: when options of those are at fault
    """
    if settings.results is ResultsFrom.EMBEDDED:
        from nfv_mla_scheduler.collector import embedded

        source: ResultsSource = embedded.start(
            conf, settings.max_skew_s, catalogue, teller
        )
        return source
    origin = _origin(settings, wake or threading.Event())
    if origin is None:
        return None
    return PublishedResults(
        origin,
        settings.results_max_bytes,
        settings.max_skew_s,
        catalogue,
        teller,
    )


def configuration_digest(settings: Settings, conf: cfg.ConfigOpts) -> str:
    """Return which values the options have by which this process judges.

    :param conf: with which :func:`new_feed` was called
    """
    groups: list[tuple[str, list[cfg.Opt]]] = [
        (group.name, members) for group, members in options.list_opts()
    ]
    if settings.results is ResultsFrom.EMBEDDED:
        from nfv_mla_scheduler.collector import embedded

        groups += embedded.option_groups(conf)
    return identity.digest(conf, groups)


def load(feed: Feed, timeout_s: float) -> Instant:
    """Refresh until there are results, or it is known why there are none.

    For whoever needs one snapshot, and then no more.

    :param timeout_s: for which results are waited for at most
    :returns: the time of the last refresh
    """
    end = time.monotonic() + timeout_s
    while True:
        now = time.time()
        feed.refresh(now)
        if feed.settled or time.monotonic() >= end:
            return now
        time.sleep(_LOOK_S)


def _origin(settings: Settings, wake: threading.Event) -> Origin | None:
    """Return where signed documents come from."""
    max_bytes = settings.results_max_bytes
    if settings.results is ResultsFrom.FILE:
        path = settings.results_file
        return None if path is None else ResultsFile(path, max_bytes)
    url, ca_file = settings.results_url, settings.results_ca_file
    assert url is not None and ca_file is not None
    tls = Tls(ca_file, settings.results_cert_file, settings.results_key_file)
    client = ResultsClient(
        lambda: Client(url, tls, deadline_s=DEADLINE_S, max_bytes=max_bytes),
        max_bytes,
    )
    return WatchedUrl(client, wake.set)
