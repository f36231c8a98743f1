# SPDX-License-Identifier: Apache-2.0
"""Checks of the results: are they there, do they count, are they fresh."""

from __future__ import annotations

from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.model import Instant

_NEXT = {
    ResultsCode.WRONG_KEY: "see that the policy has the public key of the "
    "collector that signs",
    ResultsCode.AHEAD: "synchronise the clocks of collector and scheduler",
    ResultsCode.TOO_LARGE: "raise results_max_bytes",
}


def source(site: Site) -> Verdict:
    """There is a results document where the options say."""
    data = site.results_bytes
    return ok(f"{site.results_place}, {count(len(data), 'byte')}")


def verified(site: Site) -> Verdict:
    """The results document counts under the policy."""
    try:
        document = site.document
    except ResultsRefused as exc:
        return failed(
            f"refused: {exc}",
            _NEXT.get(
                exc.reason, "see the collector, and nfv-mla results show"
            ),
        )
    said = sum(len(results) for results in document.results.values())
    how = f"signed by collector {document.collector}"
    if site.results_from is ResultsFrom.EMBEDDED:
        how = "collected"
    return ok(
        f"{how}: {count(said, 'result')} of "
        f"{count(len(document.results), 'authority', 'authorities')}"
    )


def age(site: Site) -> Verdict:
    """The document is younger than any authority's results may be."""
    document, policy = site.results, site.policy
    seconds = max(site.now - document.issued_at, 0.0)
    ages = [
        policy.authorities[name].max_age_s
        for name in document.results
        if name in policy.authorities
    ]
    said = f"issued {span(seconds)} ago"
    advice = "see whether the collector runs, and the document gets here"
    if ages and seconds > max(ages):
        return failed(f"{said}: nothing in it is fresh any more", advice)
    if ages and seconds > min(ages):
        return warning(f"{said}: some of it is not fresh any more", advice)
    return ok(said)


def fresh(site: Site) -> Verdict:
    """Each authority has fresh results about the hosts bound to it."""
    document, policy = site.results, site.policy
    found, well = [], []
    for name, authority in sorted(policy.authorities.items()):
        attesters = {
            binding.attesters[name]
            for binding in policy.hosts.values()
            if name in binding.attesters
        }
        if not attesters:
            continue
        times = document.freshness.get(name, {})
        oldest = site.now - authority.max_age_s
        stale = [
            attester
            for attester in sorted(attesters)
            if attester not in times
            or not _is_fresh(
                times[attester].at, times[attester].until, oldest, site.now
            )
        ]
        said = f"{name} {len(attesters) - len(stale)} of {len(attesters)}"
        if not stale:
            well.append(said)
            continue
        verdict = failed if len(stale) == len(attesters) else warning
        found.append(
            verdict(
                f"{said} fresh",
                f"see how {name} stands with the collector, and the agents on "
                "its hosts",
                [f"{name}/{attester}" for attester in stale],
            )
        )
    if not well and not found:
        return warning(
            "no host is bound to any authority",
            "add attesters to the hosts of the policy",
        )
    return worst(found, f"fresh: {', '.join(well)}")


def _is_fresh(
    at: Instant, until: Instant, oldest: Instant, now: Instant
) -> bool:
    return at > oldest and until > now


def problems(site: Site) -> Verdict:
    """Nothing in the document is left out."""
    found = site.results.problems
    if not found:
        return ok("nothing in the document is left out")
    return warning(
        f"{len(found)} left out, the first: {found[0]}",
        "see nfv-mla results show, and what writes the document",
        [str(problem) for problem in found],
    )


def faulty(site: Site) -> Verdict:
    """No result has a fault for which it carries nothing."""
    found = [
        f"{name}/{attester}"
        for name, results in sorted(site.results.results.items())
        for attester, result in sorted(results.items())
        if result.faulty
    ]
    if not found:
        return ok("no result is faulty")
    return warning(
        f"{count(len(found), 'faulty result')}: {some(found)}",
        "see results.problems: a faulty result carries nothing",
        found,
    )


def unbound(site: Site) -> Verdict:
    """Every attester in the results is bound to a host."""
    found = [f"{name}/{who}" for name, who in _unbound(site)]
    if not found:
        return ok("every attester is bound to a host")
    return warning(
        f"{count(len(found), 'attester')} bound to no host: {some(found)}",
        "bind them in the policy, or have the authority forget them",
        found,
    )


def _unbound(site: Site) -> tuple[tuple[str, str], ...]:
    assert site.results  # says why it is skipped, if there are none
    return site.snapshot.unbound


def missing(site: Site) -> Verdict:
    """There is a result about every host of the policy."""
    document, hosts = site.results, site.policy.hosts
    found = [
        host
        for host, binding in sorted(hosts.items())
        if not any(
            attester in document.results.get(name, {})
            for name, attester in binding.attesters.items()
        )
    ]
    if not found:
        return ok(f"there are results about all {count(len(hosts), 'host')}")
    verdict = failed if len(found) == len(hosts) else warning
    return verdict(
        f"{len(found)} of {count(len(hosts), 'host')} without any result: "
        f"{some(found)}",
        "compare attesters in the policy with nfv-mla results show",
        found,
    )


def span(seconds: float) -> str:
    """Return a length of time in the largest unit that says it."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
