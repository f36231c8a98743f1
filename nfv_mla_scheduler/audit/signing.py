# SPDX-License-Identifier: Apache-2.0
"""The key that signs checkpoints: read when it is needed, and until it works.

Touches the log, and whatever the source of the key does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.model import Instant

LOG = logging.getLogger(__name__)


class Signing:
    """Signs checkpoints, and says once that it cannot, once that it can.

    :param source: returns the key; None: there is none
    :ivar works: whether the last checkpoint could be signed
    """

    def __init__(self, source: Callable[[], Signer] | None) -> None:
        self.works = False
        self._source = source
        self._signer: Signer | None = None
        self._told = False

    @property
    def may_come(self) -> bool:
        """Whether it is worth trying again."""
        return self._source is not None

    def sign(
        self, origin: str, seq: int, hash_: str, at: Instant
    ) -> dict[str, Any] | None:
        """Return a signed checkpoint; None: nobody can sign it now."""
        try:
            if self._signer is None and self._source is not None:
                self._signer = self._source()
            if self._signer is None:
                self._fail("there is no key")
                return None
            signed = checkpoint.sign(origin, seq, hash_, at, self._signer)
        except NfvMlaError as exc:
            self._fail(str(exc))
            return None
        except BaseException:  # whatever a signer does whose device is gone
            self._fail("the key cannot be used")
            return None
        if self._told:
            LOG.info("nfv-mla audit: the ledger is signed again")
        self.works, self._told = True, False
        return signed

    def _fail(self, reason: str) -> None:
        if not self._told:
            LOG.warning("nfv-mla audit: the ledger is not signed: %s", reason)
        self.works, self._told = False, True
        self._signer = None
