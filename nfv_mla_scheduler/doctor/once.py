# SPDX-License-Identifier: Apache-2.0
"""Work something out once, whatever comes of it.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Generic
from typing import TypeVar

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  used as ``property`` is
    """A property that is worked out when it is first asked for.

    If that fails, it fails the same way each time, and is not tried again.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_once_{name}"

    def __get__(self, instance: Any, owner: type | None = None) -> T:
        known = instance.__dict__.get(self._name)
        if known is None:
            known = self._try(instance)
            instance.__dict__[self._name] = known
        value, error = known
        if error is not None:
            raise error
        found: T = value
        return found

    def _try(self, instance: Any) -> tuple[T | None, Exception | None]:
        try:
            return self._work_out(instance), None
        except Exception as exc:
            return None, exc
