# SPDX-License-Identifier: Apache-2.0
"""Make the messages between Nova's services prompt and complete.

Touches oslo.messaging's in-memory driver while a cloud runs.
"""

from __future__ import annotations

import logging
import threading
import time
import typing as ty

import fixtures
from oslo_messaging._drivers import base
from oslo_messaging._drivers import impl_fake
from oslo_messaging.rpc import client

LOG = logging.getLogger(__name__)

#: How often a listener looks that nobody has woken up.
LOOK_AGAIN_S = 1.0


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
    """Wake a listener up for its messages; it would look every 50 ms."""

    def _setUp(self) -> None:  # noqa: N802
        self._waiting: dict[impl_fake.FakeListener, threading.Event] = {}
        deliver = impl_fake.FakeExchange.deliver_message
        stop = impl_fake.FakeListener.stop

        def deliver_message(
            exchange: ty.Any,
            topic: str,
            ctxt: ty.Any,
            message: ty.Any,
            server: str | None = None,
            **how: ty.Any,
        ) -> None:
            deliver(exchange, topic, ctxt, message, server=server, **how)
            for listener, event in list(self._waiting.items()):
                if _may_be_for(listener, topic, server):
                    event.set()

        def stop_listener(listener: ty.Any) -> None:
            stop(listener)
            if event := self._waiting.get(listener):
                event.set()

        patches: dict[str, ty.Any] = {
            "FakeExchange.deliver_message": deliver_message,
            "FakeListener.poll": base.batch_poll_helper(self._poll),
            "FakeListener.stop": stop_listener,
        }
        for name, patch in patches.items():
            self.useFixture(
                fixtures.MonkeyPatch(
                    f"oslo_messaging._drivers.impl_fake.{name}", patch
                )
            )

    def _poll(self, listener: ty.Any, timeout: float | None = None) -> ty.Any:
        """Return the next message, or None when there is none."""
        ends = None if timeout is None else time.monotonic() + timeout
        event = self._waiting[listener] = threading.Event()
        try:
            while not listener._stopped.is_set():
                event.clear()
                if (message := _next_message(listener)) is not None:
                    return message
                pause = LOOK_AGAIN_S
                if ends is not None:
                    pause = min(pause, ends - time.monotonic())
                if pause < 0:
                    break
                event.wait(pause)
            return None
        finally:
            del self._waiting[listener]


def _next_message(listener: ty.Any) -> ty.Any:
    for target in listener._targets:
        exchange = listener._exchange_manager.get_exchange(target.exchange)
        found = exchange.poll(target, listener._pool)
        if found[1] is not None:
            return impl_fake.FakeIncomingMessage(*found)
    return None


def _may_be_for(listener: ty.Any, topic: str, server: str | None) -> bool:
    return any(
        target.topic == topic
        and (not server or not target.server or target.server == server)
        for target in listener._targets
    )
