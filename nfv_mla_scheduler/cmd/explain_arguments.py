# SPDX-License-Identifier: Apache-2.0
"""Arguments that commands which judge have in common."""

from __future__ import annotations

import argparse

from nfv_mla_scheduler.errors import bounded


def pair(text: str) -> tuple[str, str]:
    """Return the two sides of KEY=VALUE, for argparse."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is not of the form KEY=VALUE"
        )
    return key, value


def config_arguments(command: argparse.ArgumentParser) -> None:
    """Add the option that names configuration files."""
    command.add_argument(
        "--config-file",
        dest="config_files",
        action="append",
        default=[],
        metavar="FILE",
        help="as nova-scheduler is started with; may be given several times "
        "(default: where nova-scheduler looks for nova.conf)",
    )


def format_argument(command: argparse._ActionsContainer) -> None:
    """Add the option that chooses between text and JSON."""
    command.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="text to read, or one JSON document (default: %(default)s)",
    )
