# SPDX-License-Identifier: Apache-2.0
"""What the verifier is told to want of a node: the body of an enrolment."""

import base64
import json
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from keylime_box import golden

HEALTHY_BOOT = golden.reference(golden.boot())
HEALTHY_FILES: Mapping[str, Sequence[bytes]] = {
    name: (digest,) for name, digest in golden.runtime_list(golden.boot())
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is bound; without anything Keylime checks a signature alone.

    :ivar pcrs: PCR -> the values that it may have; ``golden.measured`` gives
        the one that some data leaves there
    :ivar files: run-time policy: path -> the digests that it may have, such
        as ``HEALTHY_FILES``; None binds none, an empty one allows nothing
    :ivar measured_boot: measured-boot policy, such as ``HEALTHY_BOOT``; None
        binds none, and ``{}`` is bound and checks nothing
    :ivar metadata: free, given back by the verifier
    :ivar quoted: the PCRs that are quoted; by default those that the policies
        speak of.  In pull mode Keylime passes over, without a word, the
        run-time policy if 10 is not among them, and the boot's if none of its
        own is
    """

    pcrs: Mapping[int, Sequence[bytes]] = field(default_factory=dict)
    files: Mapping[str, Sequence[bytes]] | None = None
    measured_boot: Mapping[str, object] | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    quoted: Collection[int] | None = None

    def tpm_policy(self) -> str:
        """Return the pinned PCRs and the mask, as Keylime takes them."""
        quoted = self.quoted
        if quoted is None:
            quoted = set(self.pcrs)
            if self.files is not None:
                quoted.add(golden.IMA_PCR)
            if self.measured_boot is not None:
                quoted.update(golden.BOOT_PCRS)
        pinned: dict[str, object] = {
            str(pcr): [value.hex() for value in values]
            for pcr, values in self.pcrs.items()
        }
        return json.dumps(
            pinned | {"mask": hex(sum(1 << pcr for pcr in set(quoted)))}
        )

    def runtime_policy(self) -> str:
        """Return the run-time policy, in base64; empty if there is none."""
        if self.files is None:
            return ""
        whole = {
            # Keylime counts it as bound from generator 2 upwards.
            "meta": {"version": 1, "generator": 3},
            "release": 0,
            "digests": {
                path: [digest.hex() for digest in digests]
                for path, digests in self.files.items()
            },
            "excludes": [],
            "keyrings": {},
            "ima": {
                "ignored_keyrings": [],
                "log_hash_alg": "sha1",
                "dm_policy": None,
            },
            "ima-buf": {},
            "verification-keys": "",
        }
        return base64.b64encode(json.dumps(whole).encode()).decode()

    def enrolment(self, registered: Mapping[str, Any]) -> dict[str, object]:
        """Return the body of an enrolment.

        :param registered: the registrar's entry of the node
        """
        bound = self.measured_boot
        return {
            "v": None,
            "cloudagent_ip": registered.get("ip"),
            "cloudagent_port": registered.get("port"),
            "ak_tpm": registered["aik_tpm"],
            "mtls_cert": registered.get("mtls_cert"),
            "tpm_policy": self.tpm_policy(),
            "runtime_policy": self.runtime_policy(),
            "runtime_policy_name": "",
            "runtime_policy_key": "",
            "mb_policy": None if bound is None else json.dumps(bound),
            "mb_policy_name": None,
            "ima_sign_verification_keys": "",
            "revocation_key": "",
            "metadata": json.dumps(dict(self.metadata)),
            "accept_tpm_hash_algs": ["sha256"],
            "accept_tpm_encryption_algs": ["rsa"],
            "accept_tpm_signing_algs": ["rsassa"],
            "supported_version": "2.4",
        }
