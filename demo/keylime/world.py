# SPDX-License-Identifier: Apache-2.0
"""The hosts of the story with Keylime: their TPMs, what is asked of them.

Values and text only.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

from demo import drafting
from demo import world
from demo.world import Flavor
from demo.world import Host
from keylime_box import golden
from keylime_box.policy import HEALTHY_FILES
from keylime_box.policy import Policy
from keylime_box.settings import Settings

AUTHORITY = world.OURS
MAX_AGE_S = 10
# What says where a host is: whoever provisions it has it measured at boot.
TAG_PCR = 15

# Seconds between two quotes here, so that nobody has to wait; Keylime's own
# default is 2.  A host that does not answer is asked again as Keylime does by
# default, but for longer than the story goes on.
SETTINGS = Settings(
    quote_interval_s=0.5,
    retry_interval_s=2,
    max_retries=60,
    measured_boot_evaluate="always",
)


@dataclasses.dataclass(frozen=True)
class BoxedHost(Host):
    """A host whose TPM Keylime attests; its id there is its node's UUID."""

    @property
    def tags(self) -> Mapping[int, bytes]:
        """What is measured into which PCR at each boot."""
        return {TAG_PCR: f"site-{self.city}".encode()}

    @property
    def tag_digest(self) -> str:
        """What its PCR holds then, in hexadecimal."""
        return golden.measured(self.tags[TAG_PCR]).hex()

    @property
    def wanted(self) -> Policy:
        """What the verifier is told to want of it."""
        return Policy(
            pcrs={TAG_PCR: [golden.measured(self.tags[TAG_PCR])]},
            files=HEALTHY_FILES,
            measured_boot=golden.reference(golden.boot(tags=self.tags)),
        )


HOSTS = (
    BoxedHost("fra-1", "DE-HE", "frankfurt", hsm=True),
    BoxedHost("fra-2", "DE-HE", "frankfurt", hsm=True),
    BoxedHost("ber-1", "DE-BE", "berlin", hsm=True),
    BoxedHost("ber-2", "DE-BE", "berlin", hsm=True),
)
NAMES = tuple(host.name for host in HOSTS)
# The roomiest is attested by nobody: Nova alone would choose it.
COMPUTES = (*(host.compute for host in HOSTS), world.PLAIN)

FLAVORS = {
    "plain": Flavor("nothing"),
    "subscribers": Flavor(
        "what the profile for subscriber data does: attestation, a TPM, "
        "measured boot, software integrity, ...",
        {"nfv_mla:profile": "sensitive-application-function.subscriber-data"},
    ),
    "german": Flavor(
        "to be in Germany", {"nfv_mla:location.jurisdiction": "DE"}
    ),
}

_MEASURED = """\
measured_boot:
- {capability: attestation, grade: run-time}
- {capability: measured-boot, grade: run-time}
- {capability: secured-boot, grade: run-time}
- {capability: tpm, grade: run-time, values: [hardware]}
runtime_policy:
- {capability: software-integrity, grade: run-time, values: [boot, run-time]}
pcrs:
"""


def mapping() -> str:
    """Return for the driver which policies of Keylime's vouch for what."""
    places = {host.tag_digest: host for host in HOSTS}
    return _MEASURED + "".join(
        f"- pcr: {TAG_PCR}\n"
        f"  digest: {digest}\n"
        "  claims:\n"
        "  - capability: location\n"
        "    grade: run-time\n"
        f"    values: {{jurisdiction: [{host.jurisdiction}], "
        f"geographic: [{host.city}]}}\n"
        for digest, host in places.items()
    )


def policy(now: float, keys: Mapping[str, str], *, version: int = 1) -> str:
    """Return the policy as YAML, its times relative to ``now``.

    :param keys: host -> the SHA-256 of its TPM's endorsement key
    """
    return drafting.filled(
        pathlib.Path(__file__).with_name("policy.yaml"),
        {
            "version: 1": f"version: {version}",
            "ISSUED": drafting.utc(now - 60),
            "EXPIRES": drafting.utc(now + 90 * 86400),
            "WAIVED": drafting.utc(now + 120 * 86400),
            "HOSTS\n": "".join(
                drafting.bound(
                    host,
                    now,
                    {AUTHORITY: host.compute.uuid},
                    [f"sha256:{keys[host.name]}"],
                )
                for host in HOSTS
            ),
            "PROJECT-CORE": world.CORE.project_id,
            "PROJECT-BILLING": world.BILLING.project_id,
        },
    )
