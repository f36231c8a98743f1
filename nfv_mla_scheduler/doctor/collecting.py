# SPDX-License-Identifier: Apache-2.0
"""Checks of a collector at work: what it says of itself, and how it serves."""

from __future__ import annotations

import pathlib

from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor.asking import Drivers
from nfv_mla_scheduler.doctor.asking import driver_options
from nfv_mla_scheduler.doctor.certificates import Named
from nfv_mla_scheduler.doctor.certificates import lives
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import count
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.findings import worst
from nfv_mla_scheduler.doctor.results import span
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.doctor.status import AuthorityStatus
from nfv_mla_scheduler.errors import SettingsError

# A collector writes its status every 10 seconds.
SILENT_AFTER_S = 60.0
_SEE = "see the collector's log, and nfv-mla collector status"


def running(site: Site) -> Verdict:
    """A collector holds the place where it publishes."""
    path = site.collector_settings.results_file
    lock = path.with_name(f".{path.name}.lock")
    advice = "start nfv-mla-collector"
    try:
        number = lock.stat().st_ino
    except FileNotFoundError:
        return warning(f"no collector has ever published to {path}", advice)
    holder = lock_holder(site.inputs.locks.read_text(), number)
    if holder is None:
        return warning(f"no collector holds {lock}", advice)
    return ok(f"process {holder} publishes to {path}")


def lock_holder(locks: str, number: int) -> str | None:
    """Return who holds a lock on a file; None: nobody does.

    :param locks: ``/proc/locks``, see proc(5)
    :param number: of the file's inode
    """
    for line in locks.splitlines():
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK":
            inode = words[5].rpartition(":")[2]
            if inode == str(number):
                return words[4]
    return None


def status(site: Site) -> Verdict:
    """The collector runs: it said something of itself within a minute."""
    said = site.contacts.status
    age_s = site.now - said.now
    if age_s > SILENT_AFTER_S:
        return failed(
            f"collector {said.collector} said something {span(age_s)} ago",
            "see whether it runs",
        )
    return ok(f"collector {said.collector} runs")


def authorities(site: Site) -> Verdict:
    """Every authority answers."""
    told = site.contacts.live_status
    if told is None:
        return _asked(site)
    found = [
        verdict
        for name, one in sorted(told.authorities.items())
        if (verdict := _standing(name, one, site.now)) is not None
    ]
    if not told.authorities:
        return warning("the collector asks nobody", _SEE)
    return worst(found, f"fresh: {some(sorted(told.authorities), 8)}")


def _standing(name: str, one: AuthorityStatus, now: float) -> Verdict | None:
    since = f" for {span(now - one.since)}" if one.since else ""
    why = f": {one.reason} ({one.code})" if one.code else ""
    said = f"{name} {one.state}{since}{why}"
    if one.state == "failing":
        return failed(said, _SEE)
    if one.state != "fresh":
        return warning(said, _SEE)
    if one.problems:
        return warning(
            f"{name}: {count(one.problems, 'result')} not taken", _SEE
        )
    return None


def _asked(site: Site) -> Verdict:
    """Ask ourselves, for want of a collector that tells."""
    answers = site.contacts.answers
    if not answers:
        raise Skipped("no authority can be asked: no host is bound to any")
    found = [
        failed(
            f"{name}: {one.failure}",
            "see the options of its group, and the authority",
        )
        for name, one in sorted(answers.items())
        if one.failure
    ]
    return worst(found, f"answered us: {some(sorted(answers), 8)}")


def publishing(site: Site) -> Verdict:
    """The collector publishes."""
    said = site.contacts.status.publish_error
    if said:
        return failed(said, _SEE)
    return ok("its newest document is where it should be")


def certificates(site: Site) -> Verdict:
    """No certificate ends within 30 days."""
    named = [*_readers(site), *_servers(site), *_clients(site)]
    if not named:
        raise Skipped("no option names a certificate")
    return worst(
        lives(named, site.now),
        f"{count(len(named), 'file')} of certificates, none of which expires "
        "within 30 days",
    )


def _readers(site: Site) -> list[Named]:
    """Return what the scheduler needs to read over HTTPS."""
    if not site.scheduler.paths:
        return []
    settings = site.scheduler.settings
    return [
        Named(name, path, bundle)
        for name, path, bundle in (
            ("results_ca_file", settings.results_ca_file, True),
            ("results_cert_file", settings.results_cert_file, False),
        )
        if path is not None
    ]


def _servers(site: Site) -> list[Named]:
    """Return what the collector needs to serve."""
    if not site.collector.paths:
        return []
    listen = site.collector_settings.listen
    if listen is None:
        return []
    found = [Named("tls_cert_file", listen.cert_file)]
    if listen.client_ca_file is not None:
        ca_file = listen.client_ca_file
        found.append(Named("tls_client_ca_file", ca_file, bundle=True))
    return found


def _clients(site: Site) -> list[Named]:
    """Return what is needed to ask authorities."""
    try:
        side = site.asker
    except Skipped:
        return []
    found = []
    for name in site.contacts.drivers:
        try:
            values = driver_options(side, name)
        except SettingsError:
            continue  # said where drivers are looked at
        for option in ("ca_file", "cert_file"):
            if values.get(option):
                path = pathlib.Path(values[option])
                bundle = option == "ca_file"
                found.append(Named(f"{name} {option}", path, bundle))
    return found


def embedded(site: Site) -> Verdict:
    """Drivers that a scheduler holds can only read."""
    settings = site.scheduler.settings
    if settings.results is not ResultsFrom.EMBEDDED:
        raise Skipped(f"results = {settings.results.value}")
    return judge_embedded(site.contacts.drivers)


def judge_embedded(drivers: Drivers) -> Verdict:
    """Say which drivers a scheduler must not hold."""
    found, unusable = [], []
    for name, driver in sorted(drivers.items()):
        if isinstance(driver, SettingsError):
            unusable.append(str(driver))
        elif not driver.READS_ONLY:
            found.append(name)
    said = []
    if found:
        said.append(
            failed(
                f"{some(found)}: the credential can do more than read; "
                "refused",
                "run nfv-mla-collector, and set results to file or https",
                found,
            )
        )
    if unusable:
        said.append(failed(some(unusable, 1), "correct the option", unusable))
    return worst(said, f"{some(sorted(drivers))} can only read")
