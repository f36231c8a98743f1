# SPDX-License-Identifier: Apache-2.0
"""Make the checks, one after the other, and lose none.

A check that fails to look is a finding itself; the others go on.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Iterator

from nfv_mla_scheduler.doctor.findings import Finding
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.findings import State
from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import skipped
from nfv_mla_scheduler.doctor.registry import CHECKS
from nfv_mla_scheduler.doctor.registry import NAMES
from nfv_mla_scheduler.doctor.registry import Check
from nfv_mla_scheduler.doctor.site import Inputs
from nfv_mla_scheduler.doctor.site import Site
from nfv_mla_scheduler.errors import NfvMlaError

ALL_WELL = 0
SOME_FAILED = 1
ONLY_WARNINGS = 3


def examine(
    inputs: Inputs, names: Container[str] = NAMES
) -> tuple[Finding, ...]:
    """Return what the checks of these names find, in the registry's order.

    Writes nothing, and raises nothing.
    """
    site = Site(inputs)
    chosen = [check for check in CHECKS if check.name in names]
    with _quiet():
        return tuple(Finding(c.name, look(c, site)) for c in chosen)


def look(check: Check, site: Site) -> Verdict:
    """Make one check."""
    try:
        return check.look(site)
    except Skipped as exc:
        return skipped(str(exc))
    except NfvMlaError as exc:
        return _could_not(str(exc))
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        return _could_not(f"{where}{exc.strerror or 'cannot be read'}")
    except Exception as exc:
        return _could_not(f"a fault of this check: {exc}")


def _could_not(why: str) -> Verdict:
    return failed(
        f"could not look: {why}",
        "look as the account that runs the service, or as root; otherwise "
        "correct what is named",
    )


def exit_status(findings: Iterable[Finding]) -> int:
    """Return the status that says how it stands: 0, 1 or 3."""
    states = {finding.verdict.state for finding in findings}
    if State.FAILED in states:
        return SOME_FAILED
    return ONLY_WARNINGS if State.WARNING in states else ALL_WELL


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep libraries from saying on standard error what we say in words."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
