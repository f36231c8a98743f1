# SPDX-License-Identifier: Apache-2.0
"""Attestation results after the IETF: EAR tokens, fetched over HTTPS.

RFC 9711 (EAT), draft-ietf-rats-ear.  This puts options, exchanges and the
reader of tokens together; what a token means is said in ``ear_token.py``.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from oslo_config import cfg

from nfv_mla_scheduler.authority import contact
from nfv_mla_scheduler.authority import ear_keys
from nfv_mla_scheduler.authority import ear_mapping
from nfv_mla_scheduler.authority import ear_table
from nfv_mla_scheduler.authority.ear_reader import EarReader
from nfv_mla_scheduler.authority.fetch_each import PLACEHOLDER
from nfv_mla_scheduler.authority.fetch_each import Each
from nfv_mla_scheduler.authority.fetch_each import filled
from nfv_mla_scheduler.authority.fetch_pages import Pages
from nfv_mla_scheduler.authority.fetched import Fetched
from nfv_mla_scheduler.authority.followed import Followed
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.authority.values import Trust
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https import read_url
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result

TOKEN_MAX_BYTES = 2**20

_OPTIONS = (
    cfg.StrOpt(
        "keys_file",
        default="",
        help="""
The public keys with which the authority signs its results.

No key is ever fetched from the authority, and none that a token brings with
it counts. The file is read again when it changes; one that cannot be taken
does not replace the keys that are known.

Possible values:

* An absolute path of a JWK set (RFC 7517). Each key has a ``kid``. It must be
  set.
""",
    ),
    cfg.StrOpt(
        "issuer",
        default="",
        help="""
Who has to have issued the results (the claim ``iss``).

Possible values:

* The exact value. Empty (the default): whoever has the key.

Related options:

* ``keys_file``
""",
    ),
    cfg.StrOpt(
        "audience",
        default="",
        help="""
For whom the results have to be meant (the claim ``aud``).

Possible values:

* The exact value, or one of those that a token names. Empty (the default):
  results that are meant for somebody by name are not taken.
""",
    ),
    cfg.StrOpt(
        "identity",
        default="sub",
        help="""
The claim of a token that names the attester.

It is a claim at the top of the token, and has to be what the policy gives as
the id of a host at this authority.

Possible values:

* The name of a claim.
""",
    ),
    cfg.StrOpt(
        "mapping_file",
        default="",
        help="""
A table of which of the authority's own statements count as which capability.

For an authority whose tokens name no capabilities of ours, but have
trustworthiness vectors and locations. The file is
read again when it changes; one that cannot be taken does not replace what is
known.

Possible values:

* An absolute path of a YAML file. Empty (the default): only capabilities that
  tokens name count.
""",
    ),
    cfg.IntOpt(
        "connections",
        default=4,
        min=1,
        max=64,
        help="""
How many results are asked for at the same time.

Only where ``url`` has ``{attester}`` in it, so that each result is asked for
by itself.

Related options:

* ``url``
""",
    ),
    cfg.FloatOpt(
        "collection_timeout_s",
        default=300.0,
        min=0.1,
        max=3600.0,
        help="""
How long it may take to collect all results once, in seconds.

When the time is over, attesters that have not been asked for are asked for
first the next time, and pages that are not complete are not taken.

Possible values:

* Not less than ``timeout_s``, and better less than the cadence that the
  policy gives for the authority.

Related options:

* ``timeout_s``, ``connections``
""",
    ),
)


class EarAuthority(Authority):
    """An authority that gives EAR tokens, all at once or one by one."""

    OPTIONS: ClassVar[tuple[cfg.Opt, ...]] = (*contact.OPTIONS, *_OPTIONS)
    READS_ONLY: ClassVar[bool] = True

    def __init__(self, setting: Setting) -> None:
        """Make a driver; opens no connection.

        :raises SettingsError: naming the option at fault
        """
        super().__init__(setting)
        self._setting = setting
        options = setting.options
        group = f"nfv_mla_authority_{setting.name}"
        keys_file = contact.path(options, "keys_file")
        if keys_file is None:
            raise SettingsError("keys_file: must be set")
        if not options["identity"]:
            raise SettingsError("identity: must be set")
        self._keys = Followed(
            "keys_file", keys_file, ear_keys.read_keys, group
        )
        mapping_file = contact.path(options, "mapping_file")
        self._mapping: Followed[ear_table.Mapping] | None = None
        if mapping_file is not None:
            self._mapping = Followed(
                "mapping_file",
                mapping_file,
                lambda data: ear_mapping.read_mapping(data, setting.catalogue),
                group,
            )
        self._fetch = _fetch(options)
        self._read_with: tuple[object, object] = (None, None)
        self._trust = Trust(frozenset())
        self._reader = self._reader_now()

    def rules(self) -> str:
        """Return by which rules results are taken, since it was last asked."""
        return self._reader.rules

    def trust(self) -> Trust:
        """Return by which keys its results are known."""
        return self._trust

    def close(self) -> None:
        """Let go of connections; the next use opens new ones."""
        self._fetch.close()

    def _collect(self, inquiry: Inquiry, now: Instant) -> Collected:
        reader = self._reader_now()
        began = time.monotonic()
        fetched = self._fetch.fetch(inquiry)
        # What was issued while we asked is not of the future.
        now += time.monotonic() - began
        if isinstance(self._fetch, Each):
            read = _read_each(reader, fetched, inquiry, now)
        else:
            tokens = [token.data for token in fetched.tokens]
            read = reader.read(tokens, inquiry, now, fetched.complete)
        return dataclasses.replace(
            read,
            problems=(*fetched.problems, *read.problems),
            skew_s=fetched.skew_s,
            trust=self._trust,
        )

    def _reader_now(self) -> EarReader:
        """Return a reader with the keys and the table of now.

        It remembers what it has read, so that it is another one only when
        these are others.
        """
        keys = self._keys.now()
        mapping = self._mapping.now() if self._mapping else None
        if self._read_with != (keys, mapping):
            options = self._setting.options
            self._reader = EarReader(
                self.name,
                keys,
                self._setting.catalogue,
                issuer=options["issuer"] or None,
                identity=options["identity"],
                mapping=mapping,
                audience=options["audience"] or None,
            )
            self._read_with = (keys, mapping)
            self._trust = Trust(
                frozenset(key.fingerprint for key in keys.values()),
                options["issuer"],
            )
        return self._reader


def _read_each(
    reader: EarReader, fetched: Fetched, inquiry: Inquiry, now: Instant
) -> Collected:
    """Return what the tokens say that were asked for one by one."""
    results: dict[str, Result] = {}
    freshness: dict[str, Freshness] = {}
    refused = []
    for token in fetched.tokens:
        attester = token.attester or ""
        found = reader.read_one(token.data, attester, inquiry, now)
        if isinstance(found, Problem):
            refused.append(found)
        else:
            results[attester], freshness[attester] = found
    return Collected(
        results,
        freshness,
        fetched.complete and not refused,
        tuple(refused),
        rules=reader.rules,
        notes=reader.left_out(),
    )


def _fetch(options: Mapping[str, Any]) -> Pages | Each:
    """Return what the URL asks for: all at once, or one by one."""
    url = options["url"]
    bounds = {
        "timeout_s": options["timeout_s"],
        "total_s": options["collection_timeout_s"],
        "max_bytes": options["max_bytes"],
    }
    if bounds["total_s"] < bounds["timeout_s"]:
        raise SettingsError(
            "collection_timeout_s: must not be less than timeout_s"
        )
    if PLACEHOLDER not in url:
        client = contact.client(options, url)
        return Pages(read_url(url), client, **bounds)
    if url.count(PLACEHOLDER) > 1:
        raise SettingsError(f"url: has {PLACEHOLDER} more than once")
    one, other = filled(url, "a"), filled(url, "b")
    if read_url(one).peer != read_url(other).peer:
        raise SettingsError(f"url: {PLACEHOLDER} must be in the path or query")
    few = {**options, "max_bytes": min(TOKEN_MAX_BYTES, bounds["max_bytes"])}
    clients = [contact.client(few, one) for _ in range(options["connections"])]
    return Each(url, clients, **bounds)
