# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla doctor``: look whether a site is as it has to be."""

from __future__ import annotations

import argparse
import pathlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nfv_mla_scheduler.doctor.examination import examine
from nfv_mla_scheduler.doctor.examination import exit_status
from nfv_mla_scheduler.doctor.files import default_files
from nfv_mla_scheduler.doctor.registry import CHECKS
from nfv_mla_scheduler.doctor.registry import HEADINGS
from nfv_mla_scheduler.doctor.registry import NAMES
from nfv_mla_scheduler.doctor.report import as_json
from nfv_mla_scheduler.doctor.report import as_text
from nfv_mla_scheduler.doctor.report import listed
from nfv_mla_scheduler.doctor.services import COLLECTOR
from nfv_mla_scheduler.doctor.services import NOVA
from nfv_mla_scheduler.doctor.side import Paths
from nfv_mla_scheduler.doctor.site import Inputs
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


class NothingToLookAt(NfvMlaError):
    """There is no configuration."""

    code = "nothing-to-look-at"


def register(subparsers: Subparsers) -> None:
    """Add ``doctor`` to the command line."""
    command = subparsers.add_parser(
        "doctor",
        help="look whether configuration, keys, policy and results are right",
        description="Look at everything on which placement rests, and say "
        "in one line each what was found, and what to do about it.  Changes "
        "nothing.  Run it on a controller, on the collector's machine, or on "
        "both, as root or as the account of the service.",
        epilog="Exit status: 0 all is well, 1 a check failed, 2 wrong usage, "
        "3 there are warnings and nothing worse.",
    )
    _sources(command)
    command.add_argument(
        "--only",
        nargs="+",
        action="extend",
        type=_names,
        metavar="CHECK",
        help="make only these; a name or a heading (policy.signed, policy)",
    )
    command.add_argument(
        "--skip",
        nargs="+",
        action="extend",
        type=_names,
        metavar="CHECK",
        help="leave these out",
    )
    command.add_argument(
        "--list", action="store_true", help="name all checks, and end"
    )
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="(default: %(default)s)",
    )
    command.set_defaults(run=run)


def _sources(command: argparse.ArgumentParser) -> None:
    """Add the options that say where to look."""
    for option, whose, default in (
        (
            "--config-file",
            "nova-scheduler",
            "where it looks itself, if nothing else is named either",
        ),
        ("--conductor-config-file", "nova-conductor", "the scheduler's"),
        ("--api-config-file", "nova-api", "the scheduler's"),
        (
            "--collector-config-file",
            "nfv-mla-collector",
            "where it looks itself, if nothing else is named either",
        ),
    ):
        command.add_argument(
            option,
            action="append",
            type=pathlib.Path,
            default=[],
            metavar="FILE",
            help=f"as {whose} reads it; a file, or a directory of *.conf; "
            f"may be given several times (default: {default})",
        )
    command.add_argument(
        "--nova-hosts",
        type=pathlib.Path,
        metavar="FILE",
        help="Nova's hosts: what 'openstack hypervisor list -f json' or "
        "'openstack compute service list -f json' prints, or a list of names",
    )
    command.add_argument(
        "--status-file",
        type=pathlib.Path,
        metavar="FILE",
        help="what the collector says of itself (default: as the "
        "configuration has it)",
    )


def _names(text: str) -> tuple[str, ...]:
    """Return the checks that a word on the command line means."""
    if text in NAMES:
        return (text,)
    found = tuple(check.name for check in CHECKS if check.heading == text)
    if not found:
        raise argparse.ArgumentTypeError(
            f"there is no check {bounded(text)!r}; there are the headings "
            f"{', '.join(HEADINGS)}, and --list names all"
        )
    return found


def run(args: argparse.Namespace) -> int:
    """Look, and say what was found."""
    if args.list:
        for line in listed():
            print(line)
        return 0
    now = time.time()
    findings = examine(_inputs(args, now), _chosen(args.only, args.skip))
    status = exit_status(findings)
    if args.format == "json":
        print(as_json(findings, now, status))
        return status
    for line in as_text(findings):
        print(line)
    return status


def _chosen(
    only: Sequence[tuple[str, ...]] | None,
    skip: Sequence[tuple[str, ...]] | None,
) -> frozenset[str]:
    wanted = {name for names in only or () for name in names} or set(NAMES)
    return frozenset(wanted.difference(*(skip or ())))


def _inputs(args: argparse.Namespace, now: float) -> Inputs:
    scheduler = _paths(args.config_file)
    conductor = _paths(args.conductor_config_file)
    collector = _paths(args.collector_config_file)
    if not scheduler and not collector:
        scheduler = default_files(NOVA, "nova-scheduler")
        conductor = conductor or default_files(NOVA, "nova-conductor")
        collector = default_files(COLLECTOR, "nfv-mla-collector")
    if not scheduler and not collector:
        raise NothingToLookAt(
            "there is no configuration where nova-scheduler and "
            "nfv-mla-collector look for theirs; name it with --config-file "
            "or --collector-config-file"
        )
    return Inputs(
        now=now,
        scheduler=scheduler,
        conductor=conductor or scheduler,
        api=_paths(args.api_config_file) or scheduler,
        collector=collector,
        nova_hosts=args.nova_hosts,
        status_file=args.status_file,
    )


def _paths(named: Sequence[pathlib.Path]) -> Paths:
    """Return the files that were named, all of which have to be there."""
    for path in named:
        if not path.exists():
            raise NothingToLookAt(f"{bounded(path, 160)}: no such file")
    return tuple(path.absolute() for path in named)
