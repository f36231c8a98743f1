# SPDX-License-Identifier: Apache-2.0
"""``python -m demo``: see attested placement at work, in a real Nova.

Exit status: 0 all scenes went as expected, 1 some did not, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import argparse
import socket
import sys
import typing as ty
import warnings
from collections.abc import Sequence

from demo.interrupts import INTERRUPTS
from demo.terminal import FAILED
from demo.terminal import new_screen
from demo.terminal import status_of

if ty.TYPE_CHECKING:
    from demo.scenes import Scene


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit status."""
    # Nova and its fixtures warn of what is theirs alone.
    warnings.simplefilter("ignore")
    return status_of(lambda: _run(_parsed(argv)))


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.port and not _is_free(args.port):
        parser.error(f"port {args.port} is in use")
    if not args.filtered:
        _check_alone(parser, args.only)
    return args


def _run(args: argparse.Namespace) -> int:
    from demo import play
    from demo import serve
    from demo.centre import DataCentre

    screen = new_screen(plain=args.no_color)
    scenes = _chosen(args)
    play.introduce(screen, filtered=args.filtered)
    screen.event("Nova starts, which takes some seconds")
    INTERRUPTS.catch()
    with DataCentre(port=args.port, filtered=args.filtered) as centre:
        failures = play.play(scenes, centre, screen)
        if scenes:
            play.conclude(screen, scenes, failures, filtered=args.filtered)
        if args.serve:
            serve.serve(centre, screen)
    return FAILED if failures else 0


def _chosen(args: argparse.Namespace) -> tuple[Scene, ...]:
    """Return the scenes to play, in their order."""
    from demo.scenes import SCENES

    if args.serve and not args.only:
        return ()
    return tuple(
        scene
        for scene in SCENES
        if (not args.only or scene.name in args.only)
        and (args.filtered or not scene.ours)
    )


def _check_alone(parser: argparse.ArgumentParser, only: list[str]) -> None:
    """Refuse scenes that Nova alone cannot play."""
    from demo.scenes import SCENES

    needy = [s.name for s in SCENES if s.ours and s.name in only]
    if needy:
        parser.error(
            "--without-filter leaves monitor and ledger out, which "
            f"{' and '.join(needy)} cannot do without"
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Attested placement, seen by an operator: a real Nova "
        "with our filter, a signed policy, signed results that change.",
        epilog="Exit status: 0 every scene went as expected, 1 some did not.",
    )
    parser.add_argument(
        "--serve",
        action="store_true",
        help="play no scenes (unless --only names some), and stay up for the "
        "openstack client until interrupted",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        help="of all APIs, on loopback (default: any that is free)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="SCENE",
        default=[],
        choices=_names(),
        help="play these scenes: %(choices)s",
    )
    parser.add_argument(
        "--without-filter",
        dest="filtered",
        action="store_false",
        help="leave our filter and weighers out, and monitor and ledger with "
        "their scenes: what Nova alone would do",
    )
    parser.add_argument(
        "--no-color", action="store_true", help="plain text on a terminal"
    )
    return parser


def _names() -> list[str]:
    from demo.scenes import SCENES

    return [scene.name for scene in SCENES]


if __name__ == "__main__":
    sys.exit(main())
