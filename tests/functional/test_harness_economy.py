# SPDX-License-Identifier: Apache-2.0
"""What a cloud spares, and what must be as it is without."""

from __future__ import annotations

import pathlib
import tempfile
import threading
import typing as ty

import sqlalchemy
import testtools
from oslo_config import cfg
from oslo_db.sqlalchemy import engines
from oslo_messaging import Target
from oslo_messaging._drivers import impl_fake

from tests.cloud import databases
from tests.cloud import rpc


class DatabasesTest(testtools.TestCase):
    """Connections and statements are kept, transactions are not."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(databases.Economy())
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def engine(self, name: str) -> ty.Any:
        """Return a database of its own, with a table."""
        engine = engines.create_engine(f"sqlite:///{self.directory / name}")
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE t (x INT)"))
        return engine

    def count(self, engine: ty.Any) -> object:
        with engine.connect() as connection:
            counted = sqlalchemy.text("SELECT count(*) FROM t")
            return connection.execute(counted).scalar()

    def test_connection_is_kept_for_the_next(self) -> None:
        engine = self.engine("one")
        kept = []
        for _ in range(2):
            with engine.connect() as connection:
                kept.append(connection.connection.dbapi_connection)
        self.assertIs(*kept)

    def test_two_at_a_time_have_one_each(self) -> None:
        engine = self.engine("one")
        with engine.connect() as one, engine.connect() as other:
            self.assertIsNot(
                one.connection.dbapi_connection,
                other.connection.dbapi_connection,
            )

    def test_what_was_not_committed_is_undone_and_a_new_one_begins(
        self,
    ) -> None:
        engine = self.engine("one")
        insert = sqlalchemy.text("INSERT INTO t VALUES (1)")
        left = engine.connect()
        left.execute(insert)
        # As if it had been forgotten: oslo.db is told of no end.
        left.connection.close()
        with engine.connect() as connection:
            connection.execute(insert)
            connection.rollback()
        self.assertEqual(0, self.count(engine))

    def test_databases_do_not_mix(self) -> None:
        one, other = self.engine("one"), self.engine("other")
        table = sqlalchemy.table("t", sqlalchemy.column("x"))
        with one.begin() as connection:
            connection.execute(table.insert().values(x=1))
        with other.begin() as connection:
            for number in (2, 3):
                connection.execute(table.insert().values(x=number))
        self.assertEqual((1, 2), (self.count(one), self.count(other)))


class DeliveryTest(testtools.TestCase):
    """A listener is woken up for its messages, and when it is stopped."""

    def setUp(self) -> None:
        super().setUp()
        # Whoever is not woken up looks too late for these tests.
        self.patch(rpc, "LOOK_AGAIN_S", 60.0)
        self.useFixture(rpc.PromptDelivery())
        self.addCleanup(impl_fake.FakeExchangeManager.cleanup)
        self.driver = impl_fake.FakeDriver(cfg.ConfigOpts(), None, "here")

    def listen(self, server: str) -> tuple[threading.Thread, list[object]]:
        """Wait for one message in another thread."""
        target = Target(topic="compute", server=server)
        listener = self.driver.listen(target, 1, None)._poll_style_listener
        got: list[object] = []
        waits = threading.Thread(
            target=lambda: got.extend(m.message for m in listener.poll()),
            daemon=True,
        )
        waits.start()
        self.addCleanup(waits.join, 10)
        self.addCleanup(listener.stop)
        self.stop = listener.stop
        return waits, got

    def send(self, server: str | None, fanout: bool = False) -> None:
        target = Target(topic="compute", server=server, fanout=fanout)
        self.driver.send(target, {}, {"to": server})

    def test_message_for_one_server(self) -> None:
        one, got = self.listen("one")
        other, others = self.listen("other")
        self.send("one")
        one.join(10)
        self.assertEqual([{"to": "one"}], got)
        self.assertTrue(other.is_alive())
        self.assertEqual([], others)

    def test_message_for_all_servers(self) -> None:
        listening = [self.listen(name) for name in ("one", "other")]
        self.send(None, fanout=True)
        for waits, got in listening:
            waits.join(10)
            self.assertEqual([{"to": None}], got)

    def test_message_for_any_server(self) -> None:
        waits, got = self.listen("one")
        self.send(None)
        waits.join(10)
        self.assertEqual([{"to": None}], got)

    def test_one_that_is_stopped(self) -> None:
        waits, got = self.listen("one")
        self.stop()
        waits.join(10)
        self.assertFalse(waits.is_alive())
        self.assertEqual([], got)
