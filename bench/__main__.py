# SPDX-License-Identifier: Apache-2.0
"""``python -m bench``: what our filter costs beside Nova's, and the monitor.

Exit status: 0 no figure exceeds its expectation by more than the factor of
``--check``, 1 some do or an answer is wrong, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import warnings
from collections.abc import Callable
from collections.abc import Sequence

from bench import estate
from bench import figures
from bench import fixture
from bench import meter
from bench import report
from bench.figures import Outcome
from bench.figures import Verdict
from bench.keylime import lacks_keylime
from bench.run import Run
from bench.run import Wrong
from bench.run import run

FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench and return its exit status."""
    # Nova warns of what is its own alone.
    warnings.simplefilter("ignore")
    args = _parser().parse_args(argv)
    if args.list:
        width = max(len(figure.name) for figure in figures.FIGURES)
        for figure in figures.FIGURES:
            print(f"{figure.name:{width}}  {figure.text}")
        return 0
    missing = frozenset[str]()
    if not (args.only or args.part) and (why := lacks_keylime()):
        missing = frozenset(("keylime",))
        print(f"bench: without part keylime: {why}", file=sys.stderr)
    wanted = figures.wanted(args.only, args.part, missing)
    measured = [figure.name for figure in wanted]
    words = fixture.words(args.hosts, args.rounds, measured)
    print(report.paragraphs(words))
    try:
        done = run(wanted, args.hosts, args.rounds, _tell)
    except Wrong as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return FAILED
    outcomes = figures.judge(wanted, done.samples, args.check)
    _report(outcomes, done)
    if args.json:
        facts = fixture.facts(args.hosts, args.rounds, done)
        form = report.machine_form(outcomes, facts, done.took_s, args.check)
        text = json.dumps(form, indent=1, sort_keys=True)
        args.json.write_text(text + "\n", encoding="utf-8")
    failed = [o.figure.name for o in outcomes if o.verdict is Verdict.FAILS]
    if failed:
        names = ", ".join(failed)
        said = f"above {args.check:g} times what is expected: {names}"
        print(f"bench: {said}", file=sys.stderr)
    return FAILED if failed else 0


def _report(outcomes: tuple[Outcome, ...], done: Run) -> None:
    print(f"\n{report.table(outcomes)}\n\n{report.legend(outcomes)}\n")
    took = ", ".join(f"{name} {s:.0f} s" for name, s in done.took_s.items())
    if done.agreed:
        print(f"Decisions that agree with brute force: {done.agreed}.")
    print(f"Took: {took}.")


def _tell(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure our filter, weighers and readers beside Nova's "
        "own filters, in one process, the monitor in one of its own, and the "
        "driver for Keylime against a real one, where that is installed.",
        epilog="Exit status: 0 no figure exceeds its expectation by more than "
        "the factor of --check, 1 some do or an answer is wrong.",
    )
    parser.add_argument(
        "--json",
        type=_file,
        metavar="FILE",
        help="write all samples there, with fixture and versions",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        default=[],
        choices=tuple(figures.BY_NAME),
        help="measure these figures, and what they are compared with",
    )
    parser.add_argument(
        "--part",
        nargs="+",
        metavar="PART",
        default=[],
        choices=tuple(figures.PARTS),
        help="measure all figures of these parts: %(choices)s",
    )
    parser.add_argument(
        "--list", action="store_true", help="name the figures, and stop"
    )
    parser.add_argument(
        "--check",
        type=_positive,
        metavar="FACTOR",
        default=figures.FACTOR,
        help="fail beyond so many times an expectation (default: %(default)s)",
    )
    parser.add_argument(
        "--hosts",
        type=_count(estate.LEAST),
        metavar="N",
        default=estate.COUNT,
        help="measure on so many hosts; expectations are for %(default)s",
    )
    parser.add_argument(
        "--rounds",
        type=_count(1),
        metavar="N",
        default=meter.ROUNDS,
        help="take so many samples of each figure (default: %(default)s)",
    )
    return parser


def _file(text: str) -> pathlib.Path:
    path = pathlib.Path(text)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError("cannot be written")
    return path


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return value


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    return count


if __name__ == "__main__":
    sys.exit(main())
