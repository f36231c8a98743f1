# SPDX-License-Identifier: Apache-2.0
"""Let Nova's test databases keep connections and compiled statements.

Nova's fixtures put each database into a file, and oslo.db opens such a file
anew for each transaction, whereupon SQLite reads the whole schema.  Each
database has an engine of its own, which compiles all statements anew.  Touches
SQLAlchemy while a cloud runs.
"""

from __future__ import annotations

import functools
import typing as ty

import fixtures
import sqlalchemy
from sqlalchemy import event
from sqlalchemy import pool
from sqlalchemy import util

#: More than Nova, its cells and Placement have together.
_STATEMENTS = util.LRUCache(4000)
_DIALECT = "sqlalchemy.dialects.sqlite.pysqlite.SQLiteDialect_pysqlite"


class Economy(fixtures.Fixture):
    """Keep connections to files of SQLite, for one thread at a time each.

    What was compiled for one of them is good for all others.
    """

    def _setUp(self) -> None:  # noqa: N802
        self.useFixture(
            fixtures.MonkeyPatch(
                "sqlalchemy.create_engine", _keeping(sqlalchemy.create_engine)
            )
        )
        # Statements are kept by the dialect that they are for.
        for name, of_all in (
            ("__eq__", lambda one, other: type(one) is type(other)),
            ("__hash__", lambda one: hash(type(one))),
        ):
            self.useFixture(fixtures.MonkeyPatch(f"{_DIALECT}.{name}", of_all))


def _keeping(create: ty.Callable[..., ty.Any]) -> ty.Callable[..., ty.Any]:
    @functools.wraps(create)
    def create_engine(url: ty.Any, **how: ty.Any) -> ty.Any:
        if how.get("poolclass") is not pool.NullPool:
            return create(url, **how)
        kept = {
            "poolclass": pool.QueuePool,
            "pool_use_lifo": True,
            "pool_size": 10,
            "max_overflow": -1,
            "pool_pre_ping": False,
            "execution_options": {"compiled_cache": _STATEMENTS},
        }
        engine = create(url, **{**how, **kept})
        event.listen(engine, "reset", _forget_transaction)
        return engine

    return create_engine


def _forget_transaction(
    _connection: ty.Any, record: ty.Any, _state: ty.Any
) -> None:
    """Let oslo.db begin a transaction, whatever became of the last."""
    record.info.pop("in_transaction", None)
