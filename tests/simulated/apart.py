# SPDX-License-Identifier: Apache-2.0
"""A simulated cloud in a process of its own.

For a bench: neither its CPU nor its memory counts as ours, and it does not
wait for our interpreter's lock.
"""

from __future__ import annotations

import collections
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any
from typing import Self

from tests.simulated.cloud import SimulatedCloud


class CloudApart:
    """What :class:`SimulatedCloud` is, behind a pipe.

    Its arguments are the same; those that are functions must be such that
    another process can import them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, args, kwargs), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        self.url: str = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()

    @property
    def endpoints(self) -> dict[str, str]:
        found: dict[str, str] = self.get("endpoints")
        return found

    @property
    def calls(self) -> collections.Counter[str]:
        found: collections.Counter[str] = self.get("calls")
        return found

    def credentials(self) -> dict[str, str]:
        found: dict[str, str] = self.do("credentials")
        return found

    def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method there; what it returns is a copy."""
        self._pipe.send((method, args, kwargs))
        return self._answer()

    def get(self, name: str) -> Any:
        """Return a copy of an attribute."""
        return self.do("__getattribute__", name)

    def _answer(self) -> Any:
        value, error = self._pipe.recv()
        if error:
            raise RuntimeError(error)
        return value


def _serve(
    pipe: Connection, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    with SimulatedCloud(*args, **kwargs) as cloud:
        pipe.send((cloud.url, ""))
        while (asked := pipe.recv()) is not None:
            method, its_args, its_kwargs = asked
            try:
                value = getattr(cloud, method)(*its_args, **its_kwargs)
                pipe.send((value, ""))
            except Exception as exc:
                pipe.send((None, f"{type(exc).__name__}: {exc}"))
