# SPDX-License-Identifier: Apache-2.0
"""Run Nova's own functional tests without and with our filter, and compare.

The last line says how many ended as they do without: ``N passed, N failed``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import typing as ty

from tests.nova_own import expectation
from tests.nova_own import pool

MODULES = tuple(
    f"nova.tests.functional.{name}"
    for name in (
        "test_server_group",
        "test_cold_migrate",
        "compute.test_live_migration",
        "test_servers",
    )
)
Expectations = dict[str, expectation.Expected]


def main() -> int:
    options = _options()
    started = time.monotonic()
    if options.both or options.record:
        expected = _without(options)
        if options.record:
            expectation.write(expected)
            print(f"wrote {expectation.FILE}")
            return 0
    else:
        expected = expectation.read()
    expected = _selected(expected, options)
    _list_skipped(expected)
    passed, failed = _compare(expected, options)
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.nova_own", description=__doc__
    )
    parser.add_argument(
        "--both",
        action="store_true",
        help="run the arm without too, rather than trust expected.json",
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="run the arm without only, and write expected.json",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="also tests in which no scheduler filters",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="a test that several classes inherit in one of them only",
    )
    parser.add_argument(
        "--match", default="", help="tests whose id contains this only"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--injection",
        default="tests.nova_own.injections:nfv_mla_filter_with_policy",
        help="module:function that configures the arm with",
    )
    parser.add_argument(
        "--filter",
        default="NfvMlaFilter",
        help="the filter that must have been the first wherever one ran",
    )
    return parser.parse_args()


def _without(options: argparse.Namespace) -> Expectations:
    print("without our filter")
    tests = [t for t in pool.tests_of(MODULES) if options.match in t]
    outcomes = _run(tests, None, options.workers)
    return expectation.of_outcomes(outcomes.values())


def _selected(
    expected: Expectations, options: argparse.Namespace
) -> Expectations:
    """Return the expectations that the arm with is to meet."""
    found: Expectations = {}
    functions = set()
    for test, known in expected.items():
        if options.match not in test:
            continue
        if not (known.schedules or options.all):
            continue
        if options.once and known.function in functions:
            continue
        functions.add(known.function)
        found[test] = known
    return found


def _compare(
    expected: Expectations, options: argparse.Namespace
) -> tuple[int, int]:
    print(f"with {options.filter} first: {len(expected)} tests")
    outcomes = _run(expected, options.injection, options.workers)
    wrong = _wrong(expected, outcomes, options.filter)
    if wrong:
        # Nova's own gate repeats, since its tests depend on time: what ends
        # the wrong way twice in a row is ours.
        print(f"once more: {len(wrong)} tests")
        again = _run(wrong, options.injection, 1)
        repeated = {test: expected[test] for test in wrong}
        second = _wrong(repeated, again, options.filter)
        for test in sorted(wrong.keys() - second.keys()):
            print(f"unstable: {test}: {wrong[test]}")
        wrong = second
    for test, why in sorted(wrong.items()):
        print(f"differs: {test}: {why}")
    return len(expected) - len(wrong), len(wrong)


def _wrong(
    expected: Expectations,
    outcomes: ty.Mapping[str, pool.Outcome],
    first: str,
) -> dict[str, str]:
    """Return each test that did not end as expected, and how it did."""
    wrong = {}
    for test, known in expected.items():
        outcome = outcomes[test]
        if outcome.outcome != known.outcome:
            wrong[test] = (
                f"{outcome.outcome}, not {known.outcome}\n{outcome.detail}"
            )
        elif set(outcome.filter_runs) - {first}:
            wrong[test] = f"filtered by {sorted(outcome.filter_runs)} first"
        elif known.schedules and not outcome.filter_runs:
            wrong[test] = "no filter ran"
    return wrong


def _list_skipped(expected: Expectations) -> None:
    for test, known in expected.items():
        if known.outcome == "skipped":
            print(f"skipped by Nova itself: {test}")
        elif known.outcome != "passed":
            print(f"{known.outcome} without us already: {test}")


def _run(
    tests: ty.Collection[str], injection: str | None, workers: int
) -> dict[str, pool.Outcome]:
    arm = pool.Arm(injection, workers)
    done = 0

    def report(outcome: pool.Outcome) -> None:
        nonlocal done
        done += 1
        if outcome.outcome == "failed" or done % 50 == 0 or done == len(tests):
            print(
                f"{done}/{len(tests)} {outcome.outcome} {outcome.test}",
                flush=True,
            )

    arm.run(tests, report)
    return arm.outcomes


if __name__ == "__main__":
    sys.exit(main())
