# SPDX-License-Identifier: Apache-2.0
"""Make the messages between Nova's services prompt and complete.

Touches oslo.messaging's in-memory driver while a cloud runs.
"""

from __future__ import annotations

import logging
import threading
import time
import types
import typing as ty

import fixtures
from oslo_messaging._drivers import impl_fake
from oslo_messaging.rpc import client

LOG = logging.getLogger(__name__)


class CastsComplete(fixtures.Fixture):
    """Let each RPC cast return when its receiver is done.

    Nova's own fixture for this, CastAsCallFixture, patches anew for each
    message, so that a cloud that runs for long slows down, and lets the
    receiver's exceptions reach the sender, which no real cast does: the API
    would answer 500 where it answers 202.
    """

    def __init__(
        self,
        listens: ty.Callable[[str], bool],
        swallows: ty.Callable[[str, str], bool],
    ) -> None:
        """Patch oslo.messaging while this fixture is in use.

        :param listens: whether a server of that name runs; what is cast to
            another stays in its queue, as it would
        :param swallows: whether a server of that name takes a message of that
            method, and does nothing
        """
        super().__init__()
        self._listens = listens
        self._swallows = swallows

    def _setUp(self) -> None:  # noqa: N802
        original = client._CallContext.cast

        def cast(
            context: ty.Any,
            ctxt: ty.Any,
            method: str,
            **kwargs: ty.Any,
        ) -> None:
            target = context.target
            if target.server and self._swallows(target.server, method):
                return
            if target.fanout or (
                target.server and not self._listens(target.server)
            ):
                original(context, ctxt, method, **kwargs)
                return
            try:
                context.call(ctxt, method, **kwargs)
            except Exception:
                LOG.debug("%s failed at its receiver", method, exc_info=True)

        self.useFixture(
            fixtures.MonkeyPatch(
                "oslo_messaging.rpc.client._CallContext.cast", cast
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                "oslo_messaging.RPCClient.cast",
                lambda rpc_client, ctxt, method, **kwargs: cast(
                    rpc_client.prepare(), ctxt, method, **kwargs
                ),
            )
        )


class PromptDelivery(fixtures.Fixture):
    """Wake listeners up for a message; they would look every 50 ms."""

    def _setUp(self) -> None:  # noqa: N802
        arrival = threading.Condition()
        deliver = impl_fake.FakeExchange.deliver_message

        def deliver_message(*args: ty.Any, **kwargs: ty.Any) -> None:
            deliver(*args, **kwargs)
            with arrival:
                arrival.notify_all()

        def sleep(seconds: float) -> None:
            with arrival:
                arrival.wait(seconds)

        self.useFixture(
            fixtures.MonkeyPatch(
                "oslo_messaging._drivers.impl_fake.FakeExchange.deliver_message",
                deliver_message,
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                "oslo_messaging._drivers.impl_fake.time",
                types.SimpleNamespace(time=time.time, sleep=sleep),
            )
        )
