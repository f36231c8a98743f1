# SPDX-License-Identifier: Apache-2.0
"""``python -m demo.keylime``: a TPM is tampered with, and servers leave.

Exit status: 0 each stage came about in its time, 1 one did not or something
is missing on this machine, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence

from demo.interrupts import INTERRUPTS
from demo.terminal import FAILED
from demo.terminal import new_screen
from demo.terminal import status_of
from keylime_box import installation
from keylime_box.errors import BoxError
from keylime_box.errors import NotInstalled


def main(argv: Sequence[str] | None = None) -> int:
    """Run the story and return its exit status."""
    # Nova and its fixtures warn of what is theirs alone.
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        prog="python -m demo.keylime",
        description="A real Nova whose hosts are attested by a real Keylime: "
        "a PCR of one host is extended, and its servers are halted or gone.",
        epilog="Exit status: 0 each stage came about in its time.",
    )
    parser.add_argument(
        "--no-color", action="store_true", help="plain text on a terminal"
    )
    args = parser.parse_args(argv)
    try:
        installation.check()
        return status_of(lambda: _run(plain=args.no_color))
    except NotInstalled as exc:
        print(f"demo-keylime: {exc}", file=sys.stderr)
    except BoxError as exc:
        print(f"demo-keylime: Keylime does not start: {exc}", file=sys.stderr)
    return FAILED


def _run(*, plain: bool) -> int:
    from demo.keylime import play
    from demo.keylime.centre import BoxedCentre

    screen, began = new_screen(plain=plain), time.monotonic()
    play.introduce(screen)
    screen.event("Keylime and Nova start, which takes some seconds")
    INTERRUPTS.catch()
    with BoxedCentre() as centre:
        return 0 if play.play(centre, screen, began) else FAILED


if __name__ == "__main__":
    sys.exit(main())
