# SPDX-License-Identifier: Apache-2.0
"""What the tests of results documents are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from securesystemslib.signer import CryptoSigner

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results.document import FORMAT
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue

NOW = 1_700_000_000.0


def capability(name, values=(), keys=()):
    return Capability(
        name,
        "6.1",
        name,
        ("host",),
        True,
        False,
        Grade.BOOT,
        tuple(values),
        tuple(keys),
        {},
    )


CATALOGUE = Catalogue(
    {
        c.name: c
        for c in (
            capability("tpm", ("hardware", "virtual")),
            capability("secured-boot"),
            capability("secure-clean-up", ("overwrite",), ("ram", "storage")),
            capability("location", (), [axis.value for axis in Axis]),
        )
    },
    {},
    {},
    {},
    {},
    {},
    (),
    (),
    {},
)
REGIONS = {
    Axis.JURISDICTION: Regions({"EU": None, "DE": "EU"}),
    Axis.GEOGRAPHIC: Regions({"DE-BE": None}),
}


def signer_and_collector(name="collector", key=None, authorities=None):
    """Make a signer, and the collector that the policy knows it as."""
    key = key or ed25519.Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    collector = Collector(
        name, pem.decode(), frozenset(authorities or ("ear", "keylime"))
    )
    return CryptoSigner(key), collector


SIGNER, COLLECTOR = signer_and_collector()
COLLECTORS = {COLLECTOR.name: COLLECTOR}
AUTHORITIES = {
    name: Authority(name, "us", frozenset({"tpm"}), 30, 60, True)
    for name in ("ear", "keylime", "other")
}

TPM = {
    "tpm": Claim(
        "tpm",
        Status.AFFIRMING,
        Grade.BOOT,
        {"": frozenset({"hardware", "virtual"})},
    ),
    "location": Claim(
        "location",
        Status.WARNING,
        Grade.RUN_TIME,
        {
            "jurisdiction": frozenset({"DE", "EU"}),
            "geographic": frozenset({"DE-BE"}),
        },
    ),
}
BOOTED = {"secured-boot": Claim("secured-boot", Status.NONE, Grade.BOOT, {})}


def draft(at=NOW, *, issued_at=NOW, collector="collector", **changed):
    """Two authorities, two hosts; ``changed`` are results by attester."""
    results = {
        authority: {
            host: Result(authority, host, claims, f"boot-{host}", NOW - 100)
            for host, claims in (("h1", TPM), ("h2", BOOTED))
        }
        for authority in ("ear", "keylime")
    }
    results["ear"].update(changed)
    freshness = {
        authority: {
            host: Freshness(at, "b" if authority == "ear" else None)
            for host in hosts
        }
        for authority, hosts in results.items()
    }
    return ResultsDraft(collector, issued_at, results, freshness)


def document(**kwargs: Any) -> bytes:
    return write(draft(**kwargs), SIGNER)


def read(data: bytes, loader: Loader | None = None, **kw) -> ResultsDocument:
    kw = {
        "collectors": COLLECTORS,
        "authorities": AUTHORITIES,
        "now": NOW,
        "max_skew_s": 30.0,
        "regions": REGIONS,
    } | kw
    collectors, authorities = kw.pop("collectors"), kw.pop("authorities")
    regions = kw.pop("regions")
    return (loader or Loader()).read(
        data, collectors, authorities, CATALOGUE, regions, **kw
    )


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def by_hand(
    body: Any,
    columns: Mapping[str, Any] | None = None,
    head: Mapping[str, Any] | None = None,
    signer=SIGNER,
) -> bytes:
    """Sign what no writer of ours would write.

    :param body: bytes, or what is dumped to them
    :param columns: of the head; one time for each attester when ``None``
    :param head: fields that replace those of the head; ``...`` removes one
    """
    raw = body if isinstance(body, bytes) else dumped(body)
    if columns is None:
        columns = {
            name: {"at": [NOW] * len(rows)}
            for name, rows in body["authorities"].items()
        }
    fields = {
        "format": FORMAT,
        "collector": COLLECTOR.name,
        "issued_at": NOW,
        "body": {
            "sha256": hashlib.sha256(raw).hexdigest(),
            "length": len(raw),
        },
        "authorities": columns,
        **(head or {}),
    }
    kept = {k: v for k, v in fields.items() if v is not ...}
    return signature.seal(dumped(kept), signer) + b"\n" + raw + b"\n"


def claims(**by_name: Any) -> dict[str, Any]:
    """A body of one claim set, of which ``ear`` says it of ``h1``."""
    named = {k.replace("_", "-"): v for k, v in by_name.items()}
    return one_set(named)


def one_set(raw: Any) -> dict[str, Any]:
    return {
        "claim_sets": [raw, {}],
        "authorities": {"ear": [["h1", 0, None, 1], ["h2", 1, None, 1]]},
    }
