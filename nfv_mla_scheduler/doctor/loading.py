# SPDX-License-Identifier: Apache-2.0
"""Checks of the environment: would Nova find and load what is ours.

Nova is not imported here: whether it can load us is tried in a process of
its own, which ends after it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys

from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import ok
from nfv_mla_scheduler.doctor.findings import some
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import bounded

GROUP = "nova.api.extra_spec_validators"
VALIDATORS = "nfv_mla_scheduler.scheduler.extra_specs"
TIMEOUT_S = 60
_LOAD = """
from nfv_mla_scheduler.scheduler import extra_specs, filters, weighers
print(len(extra_specs.register()))
print(len(filters.all_filters()), len(weighers.all_weighers()))
"""


def nova_version() -> str:
    """Return which Nova is installed beside us.

    :raises Skipped: when none is
    """
    try:
        version = importlib.metadata.version("nova")
    except importlib.metadata.PackageNotFoundError:
        raise Skipped(
            "Nova is not installed in this environment; run the command of "
            "Nova's own"
        ) from None
    return bounded(version)


def nova_major() -> int | None:
    """Return Nova's major version; None: it is not installed here."""
    try:
        major = nova_version().partition(".")[0]
    except Skipped:
        return None
    return int(major) if major.isdecimal() else None


def validators(site: Site) -> Verdict:
    """nova-api finds the validators of our extra specs."""
    version = nova_version()
    found = {
        point.value
        for point in importlib.metadata.entry_points(group=GROUP)
        if point.value.startswith("nfv_mla_scheduler.")
    }
    if found == {VALIDATORS}:
        return ok(f"Nova {version} finds the validators of nfv_mla: keys")
    said = some(sorted(found)) if found else "nothing"
    return failed(
        f"the entry points {GROUP} name {said} of ours: nova-api accepts any "
        "nfv_mla: key",
        "install the package (not only its files) into this environment, and "
        "restart nova-api",
    )


def modules(site: Site) -> Verdict:
    """Nova can load filter, weighers and validators here."""
    version = nova_version()
    missing = [
        name
        for name in ("filters", "weighers", "extra_specs")
        if importlib.util.find_spec(f"nfv_mla_scheduler.scheduler.{name}")
        is None
    ]
    if missing:
        return failed(
            f"the package lacks {some(missing)}", "install it again", missing
        )
    said = load()
    if said:
        return failed(
            f"Nova {version} cannot load us: {said}",
            "install the package with its requirements into Nova's "
            "environment",
        )
    return ok(f"Nova {version} loads filter, weighers and validators")


def load() -> str:
    """Load what Nova loads of us; return what went wrong, or nothing."""
    environment = {**os.environ, "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"}
    words = [sys.executable, "-B", "-P", "-W", "ignore", "-c", _LOAD]
    try:
        ended = subprocess.run(  # noqa: S603  our own words alone
            words,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {TIMEOUT_S} s"
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        return bounded(lines[-1] if lines else "it ended at once", 160)
    counts = ended.stdout.decode(errors="replace").split()
    if "0" in counts:
        return "no validators, filters or weighers come of it"
    return ""
