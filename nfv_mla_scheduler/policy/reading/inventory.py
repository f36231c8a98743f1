# SPDX-License-Identifier: Apache-2.0
"""Read the parts of a policy that name things: domains, authorities, hosts.

Pure.  Two hosts never share an identity: whoever could be either of two
hosts could answer for the better one.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.reading.facts import HOST
from nfv_mla_scheduler.policy.reading.facts import read_facts
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.vocabulary import Names
from nfv_mla_scheduler.policy.reading.vocabulary import check_known
from nfv_mla_scheduler.policy.reading.vocabulary import known_words
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.policy.root import read_public_key
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.standard.values import Catalogue

SEAL_KINDS = "X25519, or P-256 or P-384"


def read_trust_domains(part: Part) -> dict[str, str | None]:
    """Return the trust domains, each with the key that seals for it."""
    domains: dict[str, str | None] = {}
    for name, entry in part.entries():
        seal = entry.at("seal_key")
        if seal.text() and not _seals(seal.text()):
            seal.wrong(f"is no public key in PEM for sealing: {SEAL_KINDS}")
        domains[name] = seal.text() or None
    return domains


def _seals(pem: str) -> bool:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    return isinstance(key, x25519.X25519PublicKey)


def read_authorities(
    part: Part, catalogue: Catalogue, names: Names
) -> dict[str, Authority]:
    """Return the authorities; capabilities of ours alone are not theirs."""
    authorities = {}
    for name, entry in part.entries():
        domain = entry.at("trust_domain")
        if domain.text():
            check_known(
                domain, domain.text(), names.trust_domains, "trust domain"
            )
        cadence = entry.at("cadence_s").number(1)
        max_age = entry.at("max_age_s")
        if max_age.number(2 * cadence) < 2 * cadence:
            max_age.wrong(
                f"has to be at least twice the cadence of {cadence} s, or "
                "one missed round makes every host stale",
                max_age.value,
            )
        authorities[name] = Authority(
            name=name,
            trust_domain=domain.text(),
            vouches=_vouches(entry.at("vouches"), catalogue),
            cadence_s=cadence,
            max_age_s=max_age.number(2 * cadence),
            may_evict=entry.at("may_evict").flag(False),
        )
    return authorities


def _vouches(part: Part, catalogue: Catalogue) -> frozenset[str]:
    found = known_words(part, catalogue.capabilities, "capability")
    for word, item in part.words():
        capability = catalogue.capabilities.get(word)
        if capability and HOST.isdisjoint(capability.subjects):
            item.wrong(
                "is no capability of a host, so nobody attests it", word
            )
    return found


def read_collectors(part: Part, names: Names) -> dict[str, Collector]:
    """Return the collectors; one key speaks for one collector."""
    collectors = {}
    owners: dict[str, str] = {}
    for name, entry in part.entries():
        pem = entry.at("public_key")
        if pem.text():
            _check_collector_key(pem, name, owners)
        authorities = known_words(
            entry.at("authorities"), names.authorities, "authority"
        )
        collectors[name] = Collector(name, pem.text(), authorities)
    return collectors


def _check_collector_key(
    part: Part, name: str, owners: dict[str, str]
) -> None:
    try:
        key = read_public_key(part.text().encode(), "the key")
    except KeyFileError as exc:
        part.wrong(str(exc))
        return
    owner = owners.setdefault(key.keyid, name)
    if owner != name:
        part.wrong(f"is the key of the collector {owner} already")


def read_regions(part: Part) -> dict[Axis, Regions]:
    """Return the tree of each axis, free of cycles, every parent present."""
    trees = {}
    for axis in Axis:
        tree = part.at(axis.value)
        inside = {
            name: entry.at("in").text() or None
            for name, entry in tree.entries()
        }
        groups = frozenset(
            name
            for name, entry in tree.entries()
            if entry.at("group").flag(False)
        )
        broken = _broken_regions(tree, inside)
        sound = {k: None if k in broken else v for k, v in inside.items()}
        trees[axis] = Regions(sound, groups)
    return trees


def _broken_regions(tree: Part, inside: Mapping[str, str | None]) -> set[str]:
    """Report parents that are missing, and circles, each once."""
    broken: set[str] = set()
    cleared: set[str] = set()
    for start in inside:
        chain: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in cleared and at not in chain:
            chain[at] = None
            parent = inside[at]
            if parent is not None and parent not in inside:
                place = tree.at(at).at("in")
                check_known(place, parent, inside, "region on this axis")
                broken.add(at)
                break
            at = parent
        if at is not None and at in chain and at not in broken:
            circle = list(chain)[list(chain).index(at) :]
            text = " in ".join((*circle[:8], at))
            tree.at(at).at("in").wrong("lies inside itself", text)
            broken.add(at)
        cleared.update(chain)
    return broken


def read_hosts(
    part: Part, catalogue: Catalogue, names: Names, end: Instant
) -> dict[str, Binding]:
    """Return the bindings of the hosts to their identities."""
    hosts = {}
    owners: dict[tuple[str, str], str] = {}
    for host, entry in part.entries():
        uuid = entry.at("node_uuid")
        _claim(owners, uuid, "UUID", uuid.text(), host)
        attesters = {}
        for authority, attester in entry.at("attesters").entries():
            check_known(attester, authority, names.authorities, "authority")
            attesters[authority] = attester.text()
            what = f"attester at {authority}"
            _claim(owners, attester, what, attester.text(), host)
        keys = entry.at("pinned_keys")
        for key, item in keys.words():
            _claim(owners, item, "pinned key", key, host)
        hosts[host] = Binding(
            host=host,
            node_uuid=uuid.text(),
            attesters=attesters,
            pinned_keys=tuple(key for key, _ in keys.words()),
            declared=read_facts(
                entry.at("declared"), catalogue, names, HOST, end
            ),
        )
    return hosts


def _claim(
    owners: dict[tuple[str, str], str],
    part: Part,
    kind: str,
    value: str,
    host: str,
) -> None:
    """Report an identity that another host has already."""
    if not value:
        return
    owner = owners.setdefault((kind, value), host)
    if owner != host:
        part.wrong(f"is the {kind} of the host {owner} already", value)
