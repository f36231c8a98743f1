# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla standard``: what this scheduler takes from GR NFV-SEC 009."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING
from typing import Any

from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.document import document
from nfv_mla_scheduler.standard.sections import MAKERS
from nfv_mla_scheduler.standard.show import as_text

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_KEYS = {  # --table -> the keys of the JSON document
    "9": ("table9",),
    "10": ("table10",),
    "11": ("table11", "pooled_restricted_types"),
    "types": ("pooled_restricted_types",),
    "12": ("table12",),
    "failures": ("axes_of_failure",),
    "terms": ("application_terms", "self_terms"),
}


def register(subparsers: Subparsers) -> None:
    """Add ``standard`` and its sub-commands to the command line."""
    standard = subparsers.add_parser(
        "standard",
        help="what ETSI GR NFV-SEC 009 says, as this scheduler takes it",
        description="ETSI GR NFV-SEC 009 V1.3.1, as this scheduler takes it.",
    )
    commands = standard.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    show = commands.add_parser(
        "show",
        help="print its tables, our mapping and the profiles",
        description="Print Tables 9 to 12, the capabilities that meet each "
        "requirement, the host classes, the profiles, and the slips of the "
        "text with what is taken instead.",
    )
    show.add_argument(
        "--table",
        choices=tuple(MAKERS),
        metavar="NAME",
        help=f"only this one, of: {', '.join(MAKERS)}",
    )
    show.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="tables to read, or one JSON document (default: %(default)s)",
    )
    show.set_defaults(run=run_show)


def run_show(args: argparse.Namespace) -> int:
    """Print the catalogue, or the one table that is asked for."""
    if args.format == "json":
        text = json.dumps(_chosen(args.table), indent=2) + "\n"
    else:
        names = [args.table] if args.table else list(MAKERS)
        text = as_text(MAKERS[name](load()) for name in names)
    sys.stdout.write(text)
    return 0


def _chosen(table: str | None) -> dict[str, Any]:
    everything = document(load())
    if table is None:
        return everything
    return {key: everything[key] for key in _KEYS.get(table, (table,))}
