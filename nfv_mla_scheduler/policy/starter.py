# SPDX-License-Identifier: Apache-2.0
"""The policy that a new cloud starts with: small, sound, and explained.

Pure.  It admits nobody who asks: no host is bound yet.
"""

from __future__ import annotations

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant

LIFE_DAYS = 90

_TEXT = """\
# The policy of one cloud.  Change it, raise 'version', check it with
# "nfv-mla policy lint", and have the officers sign it with
# "nfv-mla policy sign".
format: nfv-mla-policy/1
version: 1
issued: {issued}
expires: {expires}

# The trust domain of whoever runs this cloud, and all the others.
operator: {operator}
trust_domains:
  {operator}: {{}}

# Who attests hosts, and what their word is worth here.  "lab" stands for an
# authority of the operator's own; where it is and how it is asked is
# configuration.
authorities:
  lab:
    trust_domain: {operator}
    vouches:
    - attestation
    - measured-boot
    - secured-boot
    - software-integrity
    - tpm
    cadence_s: 10
    max_age_s: 60
    may_evict: false

# Who signs the results that the scheduler reads.
collectors:
  {collector}:
    public_key: |
{public_key}
    authorities: [lab]

# Hosts, under the names that Nova and the authorities have for them:
#  compute-1:
#    node_uuid: 11111111-1111-4111-8111-111111111111
#    attesters: {{lab: compute-1}}
#    declared:
#    - capability: personnel-controls
#      values: [host-admin]
#      reference: HR-1
#      until: 2099-01-01
hosts: {{}}

# Where regions lie in one another:
#  jurisdiction:
#    EU: {{group: true}}
#    DE: {{in: EU}}
regions: {{}}

# Hosts of one class (GR NFV-SEC 009, clause 7.2):
#  enclaves:
#    host_class: secure-execution
#    members: [compute-1]
pools: {{}}
"""


def starter_policy(
    operator: str, collector: str, public_key: str, now: Instant
) -> str:
    """Return the text of a policy that lints without problems.

    :param operator: name of the operator's trust domain
    :param collector: name of the collector that may sign results
    :param public_key: of that collector, PEM
    """
    issued = now - now % 1
    pem = "\n".join(f"      {line}" for line in public_key.splitlines())
    return _TEXT.format(
        issued=write_instant(issued),
        expires=write_instant(issued + LIFE_DAYS * DAY_S),
        operator=operator,
        collector=collector,
        public_key=pem,
    )
