# SPDX-License-Identifier: Apache-2.0
"""Judge a request that is asked for on the command line, and print it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys

from nfv_mla_scheduler.cmd import explain_found
from nfv_mla_scheduler.cmd import explain_json
from nfv_mla_scheduler.cmd import explain_text
from nfv_mla_scheduler.cmd.explain_asked import read_request
from nfv_mla_scheduler.cmd.explain_conf import read_conf
from nfv_mla_scheduler.cmd.explain_found import Found
from nfv_mla_scheduler.cmd.explain_known import Known
from nfv_mla_scheduler.judge.judge import Request

NO_HOST = 1


def run(args: argparse.Namespace) -> int:
    """Print what would become of a request."""
    request = read_request(args)
    with contextlib.closing(Known(read_conf(args.config_files))) as known:
        found = _found(args, request, known)
    if args.format == "json":
        text = json.dumps(explain_json.document(found), indent=2)
        sys.stdout.write(f"{text}\n")
    else:
        whole = args.all_refusals or found.named
        limits = explain_text.WHOLE if whole else explain_text.SHORT
        for line in explain_text.lines(found, limits):
            sys.stdout.write(f"{line}\n")
    return 0 if found.admitted else NO_HOST


def _found(args: argparse.Namespace, request: Request, known: Known) -> Found:
    hosts = explain_found.candidates(known.snapshot, args.hosts)
    case = known.case(request, hosts, frozenset(args.full))
    return Found(
        explain_found.asked(request, known.snapshot),
        known.snapshot,
        known.settings.management_domain,
        known.news,
        tuple(sorted(set(args.full))),
        explain_found.decide(case, hosts, known.now),
        bool(args.hosts),
        known.now,
    )
