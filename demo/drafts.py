# SPDX-License-Identifier: Apache-2.0
"""What the authorities say, as a file that may be edited while it is read.

It is a draft of results, as ``nfv-mla results sign`` takes it, with a claim
set for each host and authority, so that one can be changed by itself.
"""

from __future__ import annotations

import pathlib
import typing as ty

import yaml

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.results.draft import read_draft
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.writer import write
from nfv_mla_scheduler.standard import catalogue
from tests.cloud.site import COLLECTOR
from tests.cloud.site import Site

_HEAD = """\
# What the authorities say.  The collector reads and signs it each second: say
# "contraindicated" instead of "affirming" somewhere, and see what happens.
"""


def write_draft(site: Site) -> None:
    """Write down what the authorities of a site say."""
    sets = {
        f"{authority}-{host}": said.claims
        for authority, hosts in site.attested.items()
        for host, said in hosts.items()
    }
    lines = [_HEAD + f"collector: {COLLECTOR}", "claim_sets:"]
    for name, claims in sets.items():
        lines.append(f"  {name}:")
        lines += [f"    {c}: {_claim(claims[c])}" for c in sorted(claims)]
    lines.append("authorities:")
    for authority, hosts in site.attested.items():
        lines.append(f"  {authority}:")
        lines += [
            f"    {host}: {{claims: {authority}-{host}, boot: {said.boot}}}"
            for host, said in hosts.items()
        ]
    draft_file(site).write_text("\n".join((*lines, "")), encoding="utf-8")


def draft_file(site: Site) -> pathlib.Path:
    """Return where the draft of a site lies."""
    return site.directory / "authorities.yaml"


def publish_draft(site: Site, now: float) -> None:
    """Sign what the draft says now.

    :raises NfvMlaError: naming what is wrong with it
    """
    draft = read_draft(draft_file(site).read_bytes(), catalogue.load(), now)
    publish(site.results_file, write(draft, site.signers[COLLECTOR]))


def _claim(claim: Claim) -> str:
    said: dict[str, ty.Any] = {
        "status": claim.status.value,
        "grade": claim.grade.value,
    }
    values = {key: sorted(found) for key, found in claim.values.items()}
    if values:
        said["values"] = values.get("", values)
    flow: str = yaml.safe_dump(said, default_flow_style=True, width=1000)
    return flow.strip()
