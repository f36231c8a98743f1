# SPDX-License-Identifier: Apache-2.0
"""How the claims of an EAR are called: one vocabulary for readers and issuers.

Pure.  EAT is RFC 9711; EAR is draft-ietf-rats-ear.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

# The claim that carries capabilities, in the form of the results document.
PRIVATE_CLAIM = "nfv_mla"
SUBMODS = "submods"
LOCATION_CLAIM = "location"

# The entries of a trustworthiness vector: draft-ietf-rats-ar4si, section 3.1.
ENTRIES = (
    "instance-identity",
    "configuration",
    "executables",
    "file-system",
    "hardware",
    "runtime-opaque",
    "storage-opaque",
    "sourced-data",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """How the tokens of one profile spell the claims of an EAR.

    :ivar foreign: how the other spelling's claims begin: the two never mix
    """

    status: str
    vector: str
    verifier: str
    foreign: str


DOTTED = Spelling(
    "ear.status", "ear.trustworthiness-vector", "ear.verifier-id", "ear_"
)
UNDERSCORED = Spelling(
    "ear_status", "ear_trustworthiness_vector", "ear_verifier_id", "ear."
)

PROFILES: Mapping[str, Spelling] = {
    # draft-fv-rats-ear-00 to draft-ietf-rats-ear-00; what Veraison emits
    "tag:github.com,2023:veraison/ear": DOTTED,
    # the same by another name, which Veraison takes as well
    "tag:github.com,2024:confidential-containers/Trustee": DOTTED,
    # draft-ietf-rats-ear-03 and -04
    "tag:ietf.org,2026:rats/ear#03": UNDERSCORED,
    "tag:ietf.org,2026:rats/ear#04": UNDERSCORED,
}
