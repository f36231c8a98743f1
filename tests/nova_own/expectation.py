# SPDX-License-Identifier: Apache-2.0
"""What became of Nova's own tests without our filter, kept in a file.

Nova's tests of one version end alike each time, so that this arm need not run
again for each change of ours.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import json
import pathlib
import typing as ty

from tests.nova_own import pool

FILE = pathlib.Path(__file__).with_name("expected.json")


class Outdated(Exception):
    """The file is about another version of Nova."""


@dataclasses.dataclass(frozen=True, slots=True)
class Expected:
    """What is known of one test."""

    outcome: str
    #: Whether a scheduler filtered hosts in it.  Where none did, none of our
    #: code but the loading of it can make a difference.
    schedules: bool
    #: The test function.  Nova's classes inherit tests from one another, to
    #: repeat them at other microversions and with other computes.
    function: str


def of_outcomes(
    outcomes: ty.Iterable[pool.Outcome],
) -> dict[str, Expected]:
    """Return what outcomes of the arm without us let expect."""
    return {
        outcome.test: Expected(
            outcome.outcome, bool(outcome.filter_runs), outcome.function
        )
        for outcome in sorted(outcomes, key=lambda outcome: outcome.test)
    }


def write(expected: ty.Mapping[str, Expected]) -> None:
    """Write the file anew."""
    content = {
        "nova": importlib.metadata.version("nova"),
        "tests": {
            test: dataclasses.asdict(known) for test, known in expected.items()
        },
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n")


def read() -> dict[str, Expected]:
    """Return what the file holds.

    :raises Outdated: when another version of Nova is installed
    """
    content = json.loads(FILE.read_text())
    installed = importlib.metadata.version("nova")
    if content["nova"] != installed:
        raise Outdated(
            f"{FILE.name} is about nova {content['nova']}, and {installed} is "
            "installed: record it anew"
        )
    return {
        test: Expected(**known) for test, known in content["tests"].items()
    }
