# SPDX-License-Identifier: Apache-2.0
"""Prepare a process in which Nova's own functional tests run from the wheel.

Patches Nova's test fixtures and nothing of Nova itself, but for two counters
in the scheduler that say which filters really ran.  Import it before nova.
"""

from __future__ import annotations

import collections
import functools
import importlib
import importlib.metadata
import logging
import os
import pathlib
import sys
import typing as ty

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"

#: Names a callable, ``module:function``, that takes the oslo.config object.
#: It is called after the fixture of each test has set Nova's test defaults,
#: and again whenever a test itself sets options of ``[filter_scheduler]``,
#: so that it has the last word; hence it must be idempotent.
INJECTION = "NOVA_OWN_INJECTION"

Injection = ty.Callable[[ty.Any], None]


#: How often filters ran in this process, by the name of the first of them.
FilterRuns = collections.Counter[str]


def api_paste_config() -> str:
    """Return the path of the api-paste.ini that nova's wheel installed."""
    files = importlib.metadata.distribution("nova").files or []
    for file in files:
        if file.name == "api-paste.ini":
            return str(pathlib.Path(file.locate()).resolve())
    raise FileNotFoundError("the nova distribution has no api-paste.ini")


def named_injection() -> Injection | None:
    """Return the callable that the environment names, if it names one."""
    name = os.environ.get(INJECTION)
    if not name:
        return None
    module, _, attribute = name.partition(":")
    return ty.cast(
        Injection, getattr(importlib.import_module(module), attribute)
    )


def install() -> FilterRuns:
    """Patch Nova's fixtures for this process; to be called once.

    :returns: a count that goes up as schedulers of this process filter
    """
    if "nova.test" in sys.modules:
        raise RuntimeError("nova.test is imported already")
    # Before any other part of Nova: it chooses native threads.
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    injection = named_injection()
    _economise()
    _patch_conf_fixture(injection)
    if injection is not None:
        _patch_flags(injection)
    return _count_filter_runs()


def _economise() -> None:
    """Spare what Nova's fixtures spend on other ends than a test's own.

    Together about two fifths of the processor time of a test.
    """
    from futurist import _thread
    from nova import test

    from tests.cloud import databases
    from tests.cloud import rpc

    # For as long as this process runs.
    databases.Economy().setUp()
    rpc.PromptDelivery().setUp()

    # Each idle thread would look for the end of its pool every 10 ms.
    original = test.TestCase.setUp

    @functools.wraps(original)
    def set_up(self: ty.Any) -> None:
        original(self)
        _thread.ThreadWorker.MAX_IDLE_FOR = 0.1

    test.TestCase.setUp = set_up

    # Every DEBUG record would be formatted, to see that it can be: of
    # interest for Nova's developers, and for us in our own records.
    handler = importlib.import_module("nova.tests.fixtures.nova").NullHandler
    format_record = handler.handle

    @functools.wraps(format_record)
    def handle(self: ty.Any, record: logging.LogRecord) -> None:
        if record.name.startswith("nfv_mla_scheduler"):
            format_record(self, record)

    handler.handle = handle


def _patch_conf_fixture(injection: Injection | None) -> None:
    from nova.tests.fixtures import conf as conf_fixture

    original = conf_fixture.ConfFixture.setUp
    paste = api_paste_config()

    @functools.wraps(original)
    def set_up(self: ty.Any) -> None:
        original(self)
        self.conf.set_default("api_paste_config", paste, group="wsgi")
        if injection is not None:
            injection(self.conf)

    conf_fixture.ConfFixture.setUp = set_up


def _patch_flags(injection: Injection) -> None:
    from nova import test

    original = test.TestCase.flags

    @functools.wraps(original)
    def flags(self: ty.Any, **kwargs: ty.Any) -> None:
        original(self, **kwargs)
        if kwargs.get("group") == "filter_scheduler":
            injection(test.CONF)

    test.TestCase.flags = flags


def _count_filter_runs() -> FilterRuns:
    from nova import filters

    runs: FilterRuns = collections.Counter()
    original = filters.BaseFilterHandler.get_filtered_objects

    @functools.wraps(original)
    def get_filtered_objects(
        self: ty.Any,
        chain: ty.Any,
        *args: ty.Any,
        **kwargs: ty.Any,
    ) -> ty.Any:
        chain = list(chain)
        first = type(chain[0]).__name__ if chain else ""
        runs[first] += 1
        return original(self, chain, *args, **kwargs)

    filters.BaseFilterHandler.get_filtered_objects = get_filtered_objects
    return runs
