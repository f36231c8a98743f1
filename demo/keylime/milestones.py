# SPDX-License-Identifier: Apache-2.0
"""The stages of the story: what each is, and how long it may take.

The times are bounds, far above what is measured on an idle machine.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping

from demo.keylime.stopwatch import Json
from demo.keylime.stopwatch import Milestone
from demo.keylime.stopwatch import Sight
from demo.watching import server_words
from keylime_box.tenant import fails
from keylime_box.tenant import passes
from nfv_mla_scheduler.model import Status


def of_tampering(host: str, servers: Collection[str]) -> tuple[Milestone, ...]:
    """Return what follows when a host is tampered with.

    :param servers: those that have to be halted, or gone
    """

    def halted(sight: Sight) -> str:
        return _all(
            sight.servers,
            servers,
            lambda s: s["status"] == "SHUTOFF" or not is_on(s, host),
        )

    def done(sight: Sight) -> str:
        if not halted(sight) or any(map(_task, sight.servers.values())):
            return ""
        runs = [
            name
            for name, shown in sorted(sight.servers.items())
            if is_on(shown, host) and shown["status"] != "SHUTOFF"
        ]
        return f"what still runs on {host}: {_listed(runs)}"

    return (
        Milestone(
            "Keylime says FAIL", f"Keylime says FAIL of {host}", 10, _failed
        ),
        Milestone(
            "published",
            "the collector signs and publishes that",
            15,
            _contraindicated,
        ),
        Milestone(
            "host fenced",
            f"monitor: fence {host}",
            20,
            lambda sight: _is_service(sight, "disabled"),
        ),
        Milestone(
            "servers locked",
            f"monitor: lock {_listed(servers)}",
            25,
            lambda sight: _all(sight.servers, servers, _locked),
        ),
        Milestone(
            "servers halted", f"monitor: stop {_listed(servers)}", 40, halted
        ),
        Milestone("all done", "nothing is under way any more", 45, done),
    )


def of_mending(host: str) -> tuple[Milestone, ...]:
    """Return what follows when a host is as it should be again."""
    return (
        Milestone(
            "Keylime says PASS", f"Keylime says PASS of {host}", 15, _passed
        ),
        Milestone(
            "published",
            "the collector signs and publishes that",
            20,
            _affirmed,
        ),
    )


def of_release(host: str, servers: Collection[str]) -> tuple[Milestone, ...]:
    """Return what follows when the monitor takes back what it did."""
    return (
        Milestone(
            "host released",
            f"monitor: take the fence of {host} back",
            40,
            lambda sight: _is_service(sight, "enabled"),
        ),
        Milestone(
            "servers started",
            f"monitor: start and unlock {_listed(servers)}",
            40,
            lambda sight: _all(
                sight.servers,
                servers,
                lambda s: s["status"] == "ACTIVE" and not _locked(s),
            ),
        ),
    )


def of_silence() -> tuple[Milestone, ...]:
    """Return what follows when a host's agent has died."""

    def silent(sight: Sight) -> str:
        if sight.published:
            return ""
        status = sight.record["attestation_status"]
        return f"Keylime still says {status}; its last success is too old"

    return (
        Milestone("result too old", "its last result is too old", 20, silent),
    )


def _failed(sight: Sight) -> str:
    record = sight.record
    if not fails(record):
        return ""
    return f"{record['last_event_id']} (state {record['operational_state']})"


def _passed(sight: Sight) -> str:
    record = sight.record
    if not passes(record):
        return ""
    return f"PASS, attested {record['attestation_count']} times"


def _contraindicated(sight: Sight) -> str:
    bad = [
        capability
        for capability, status in sorted(sight.published.items())
        if status is Status.CONTRAINDICATED
    ]
    if not bad or len(bad) < len(sight.published):
        return ""
    return f"all {len(bad)} claims about it contraindicated"


def _affirmed(sight: Sight) -> str:
    if set(sight.published.values()) != {Status.AFFIRMING}:
        return ""
    return f"all {len(sight.published)} claims about it affirming"


def _is_service(sight: Sight, status: str) -> str:
    if sight.service["status"] != status:
        return ""
    return f"nova-compute {status}"


def _all(
    servers: Mapping[str, Json],
    names: Collection[str],
    so: Callable[[Json], bool],
) -> str:
    """Return how these servers are once all of them are so, each way once."""
    if not all(so(servers[name]) for name in names):
        return ""
    words = dict.fromkeys(server_words(servers[name]) for name in names)
    return "; ".join(words)


def is_on(shown: Json, host: str) -> bool:
    """Whether a server is on a host, by Nova's word."""
    return bool(shown["OS-EXT-SRV-ATTR:host"] == host)


def _locked(shown: Json) -> bool:
    return bool(shown["locked"])


def _task(shown: Json) -> bool:
    return shown["OS-EXT-STS:task_state"] is not None


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
