# SPDX-License-Identifier: Apache-2.0
"""Vectors of tokens that give a result."""

from __future__ import annotations

from tests.vectors.ear_making import ATTESTER
from tests.vectors.ear_making import DRAFT_03
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import OTHER
from tests.vectors.ear_making import TRUSTEE
from tests.vectors.ear_making import VECTOR
from tests.vectors.ear_making import Case
from tests.vectors.ear_making import Json
from tests.vectors.ear_making import attested
from tests.vectors.ear_making import claim
from tests.vectors.ear_making import dotted
from tests.vectors.ear_making import key_set
from tests.vectors.ear_making import public
from tests.vectors.ear_making import replaced
from tests.vectors.ear_making import result
from tests.vectors.ear_making import submod
from tests.vectors.ear_making import token
from tests.vectors.ear_making import underscored

REGIONS = {
    "geographic": {"berlin": "germany", "germany": None, "paris": None},
    "jurisdiction": {"DE": "EU", "EU": None, "FR": "EU"},
}
BERLIN = {"latitude": 52.5163, "longitude": 13.3777, "accuracy": 50}
CIRCLES = {
    "grade": "boot",
    "regions": {
        "geographic": {
            "berlin": [
                {"latitude": 52.52, "longitude": 13.405, "radius_km": 25}
            ],
            "germany": [
                {"latitude": 51.0, "longitude": 10.0, "radius_km": 400}
            ],
            "paris": [{"latitude": 48.85, "longitude": 2.35, "radius_km": 25}],
        },
        "jurisdiction": {
            "DE": [{"latitude": 51.0, "longitude": 10.0, "radius_km": 400}]
        },
    },
}
IN_BERLIN = {"geographic": ["berlin"], "jurisdiction": ["DE"]}


def cases() -> dict[str, Case]:
    """Return name -> vector."""
    return {
        **_forms(),
        **_keys(),
        **_times(),
        **_statuses(),
        **_private(),
        **_mapped(),
        **_located(),
        **_boots(),
    }


def _forms() -> dict[str, Case]:
    ueid = "Aabcdefghijklmnopqrstuvwxyz"
    return {
        "good-dotted": Case(
            "A token in the older, dotted spelling.",
            token(dotted()),
            result(),
        ),
        "good-dotted-trustee": Case(
            "The older spelling under the other name of its profile.",
            token(dotted(eat_profile=TRUSTEE)),
            result(),
        ),
        "good-underscored-03": Case(
            "A token of draft-ietf-rats-ear-03.",
            token(underscored(DRAFT_03)),
            result(),
        ),
        "good-underscored-04": Case(
            "A token of draft-ietf-rats-ear-04.",
            token(underscored()),
            result(),
        ),
        "good-claims-not-known": Case(
            "Claims that nobody knows are passed over.",
            token(
                dotted(
                    jti="6f0c",
                    eat_nonce="bm9uY2Vub25jZQ",
                    **{"ear.raw-evidence": "AAECAw", "x": {"y": [1.5, None]}},
                )
            ),
            result(),
        ),
        "good-typ-eat": Case(
            "A header that says by its type that it is an EAT.",
            token(dotted(), header={"typ": "application/eat+jwt"}),
            result(),
        ),
        "good-issuer": Case(
            "The issuer that is asked for.",
            token(dotted(iss="https://verifier.example")),
            result(),
            {"issuer": "https://verifier.example"},
        ),
        "good-audience": Case(
            "An audience that is ours among others.",
            token(dotted(aud=["somebody", "collector-1"])),
            result(),
            {"audience": "collector-1"},
        ),
        "good-identity-ueid": Case(
            "An attester that is named by its ueid.",
            token(dotted(ueid=ueid, sub=OTHER)),
            result(attester=ueid),
            {"identity": "ueid"},
        ),
        "good-attester-asked-for": Case(
            "The attester that was asked for.",
            token(dotted()),
            result(),
            {"attester": ATTESTER},
        ),
    }


def _keys() -> dict[str, Case]:
    found = {}
    for name, key, algorithm in (
        ("es384", "p384", "ES384"),
        ("es512", "p521", "ES512"),
        ("eddsa", "ed", "EdDSA"),
        ("ps256", "rsa", "PS256"),
        ("ps384", "rsa", "PS384"),
        ("ps512", "rsa", "PS512"),
    ):
        found[f"good-{name}"] = Case(
            f"Signed by {algorithm}.",
            token(dotted(), key, algorithm),
            result(),
            keys={"keys": [public(key, algorithm)]},
        )
    return found | {
        "good-one-of-several-keys": Case(
            "The kid names one key of several.",
            token(dotted(), "ed"),
            result(),
            keys=key_set("p256", "ed", "rsa"),
        ),
        "good-key-in-header-ignored": Case(
            "The header also carries the key of a stranger, which nobody "
            "looks at.",
            token(dotted(), header={"jwk": public("stranger")}),
            result(),
        ),
    }


def _times() -> dict[str, Case]:
    return {
        "good-no-exp": Case(
            "A token that sets no end.",
            token(dotted(exp=...)),
            result(until=None),
        ),
        "good-iat-within-skew": Case(
            "Issued as far ahead of now as clocks may differ.",
            token(dotted(iat=NOW + 60)),
            result(at=NOW + 60),
            {"max_skew_s": 60},
        ),
        "good-nbf": Case(
            "A token that holds by now.",
            token(dotted(nbf=NOW - 5)),
            result(),
        ),
        "good-iat-with-exponent": Case(
            "Whole seconds, written with an exponent.",
            token(
                replaced(dotted(), f'"iat":{NOW - 10}', '"iat":1.78999999e9')
            ),
            result(),
        ),
        "good-last-second": Case(
            "One second before its end.",
            token(dotted(exp=NOW + 1)),
            result(until=NOW + 1),
        ),
    }


def _statuses() -> dict[str, Case]:
    warned = dict(VECTOR, executables=32)
    return {
        "good-status-as-number": Case(
            "A status may be the number of its tier.",
            token(dotted(submods={"host": submod(32, vector=warned)})),
            result(attested("warning")),
        ),
        "good-contraindicated": Case(
            "A token that speaks against its attester is a good one.",
            token(
                dotted(
                    submods={
                        "host": submod(
                            "contraindicated",
                            vector=dict(VECTOR, executables=-97),
                        )
                    }
                )
            ),
            result(attested("contraindicated")),
        ),
        "good-status-worse-than-vector": Case(
            "A status may be worse than everything in its vector.",
            token(dotted(submods={"host": submod("warning", vector=VECTOR)})),
            result(attested("warning")),
        ),
        "good-no-vector": Case(
            "A status without a vector.",
            token(dotted(submods={"host": submod()})),
            result(),
        ),
        "good-entries-of-tier-none": Case(
            "Entries that claim nothing do not lower a status.",
            token(
                dotted(
                    submods={
                        "host": submod(
                            vector={"hardware": 0, "executables": 1, "x": -1}
                        )
                    }
                )
            ),
            result(),
        ),
        "good-entry-not-known": Case(
            "An entry that nobody knows, of the tier affirming.",
            token(
                dotted(
                    submods={"host": submod(vector={"moon-phase": -32})},
                )
            ),
            result(),
        ),
        "good-submods-worst-counts": Case(
            "Of several submods the worst counts; none is worse than "
            "affirming.",
            token(
                dotted(submods={"cpu": submod("none"), "host": submod()}),
            ),
            result(attested("none")),
        ),
        "good-submods-warning-counts": Case(
            "A warning is worse than none.",
            token(
                dotted(
                    submods={
                        "cpu": submod("none"),
                        "host": submod(),
                        "nic": submod("warning"),
                    }
                ),
            ),
            result(attested("warning")),
        ),
        "good-overall-status": Case(
            "A status of the whole token that is worse than its submods.",
            token(underscored(ear_status="warning")),
            result(attested("warning")),
        ),
    }


def _private() -> dict[str, Case]:
    tpm = claim("affirming", "boot", ["hardware"])
    return {
        "good-private-claim": Case(
            "Capabilities in the form of the results document.",
            token(
                dotted(
                    nfv_mla={
                        "tpm": tpm,
                        "secure-clean-up": claim(
                            "affirming", "run-time", {"ram": ["overwrite"]}
                        ),
                        "hsm": claim("none"),
                    }
                )
            ),
            result(
                attested(
                    tpm=tpm,
                    secure_clean_up=claim(
                        "affirming", "run-time", {"ram": ["overwrite"]}
                    ),
                    hsm=claim("none"),
                )
            ),
        ),
        "good-private-claim-in-submod": Case(
            "The private claim inside a submod, in the newer spelling.",
            token(
                underscored(
                    submods={
                        "host": {"ear_status": 2, "nfv_mla": {"tpm": tpm}}
                    }
                )
            ),
            result(attested(tpm=tpm)),
        ),
        "good-private-claim-not-in-catalogue": Case(
            "A capability that nobody knows is left out, the others count.",
            token(dotted(nfv_mla={"tpm": tpm, "flux": {"any": "thing"}})),
            result(attested(tpm=tpm)),
        ),
        "good-private-claim-lowered": Case(
            "A private claim counts as no better than the status of what "
            "holds it; one that says nothing still says nothing.",
            token(
                dotted(
                    submods={
                        "cpu": submod(nfv_mla={"tpm": tpm}),
                        "host": submod(
                            "warning",
                            nfv_mla={
                                "secured-boot": claim("affirming", "boot"),
                                "hsm": claim("none"),
                                "memory-inspection": claim("contraindicated"),
                            },
                        ),
                    },
                    nfv_mla={"measured-boot": claim("affirming", "boot")},
                )
            ),
            result(
                attested(
                    "warning",
                    tpm=tpm,
                    secured_boot=claim("warning", "boot"),
                    hsm=claim("none"),
                    memory_inspection=claim("contraindicated"),
                    measured_boot=claim("warning", "boot"),
                )
            ),
        ),
        "good-private-claims-worse-counts": Case(
            "Of two claims of one capability the worse counts, with the "
            "weaker grade.",
            token(
                dotted(
                    submods={
                        "host": submod(nfv_mla={"hsm": claim("warning")})
                    },
                    nfv_mla={
                        "hsm": claim("affirming", "boot", ["physical"]),
                        "attestation": claim("none", "boot"),
                    },
                )
            ),
            result(
                {
                    "attestation": claim("none", "boot"),
                    "hsm": claim("warning", "boot", ["physical"]),
                }
            ),
        ),
        "good-private-claims-contradict": Case(
            "Claims that affirm different values contradict each other, "
            "which is a warning; of different keys they do not.",
            token(
                dotted(
                    submods={
                        "host": submod(
                            nfv_mla={
                                "tpm": tpm,
                                "secure-clean-up": claim(
                                    values={"ram": ["reboot"]}
                                ),
                            }
                        )
                    },
                    nfv_mla={
                        "tpm": claim("affirming", "boot", ["shared"]),
                        "secure-clean-up": claim(
                            values={"storage": ["overwrite"]}
                        ),
                    },
                )
            ),
            result(
                attested(
                    tpm=claim("warning", "boot", ["hardware", "shared"]),
                    secure_clean_up=claim(
                        values={"ram": ["reboot"], "storage": ["overwrite"]}
                    ),
                )
            ),
        ),
        "good-private-location": Case(
            "Regions in the private claim.",
            token(
                dotted(
                    nfv_mla={
                        "location": claim(
                            grade="boot", values={"jurisdiction": ["DE"]}
                        )
                    }
                )
            ),
            result(
                attested(
                    location=claim(
                        grade="boot", values={"jurisdiction": ["DE"]}
                    )
                )
            ),
            {"regions": REGIONS},
        ),
    }


def _rule(entry: str, capability: str, **more: Json) -> dict[str, Json]:
    return {
        "entry": entry,
        "capability": capability,
        "grade": "run-time",
        **more,
    }


def _mapped() -> dict[str, Case]:
    table = {
        "entries": [
            _rule(
                "hardware",
                "tpm",
                submod="host",
                grade="boot",
                values=["hardware"],
            ),
            _rule("executables", "software-integrity", values=["run-time"]),
            _rule(
                "instance-identity", "software-integrity", values=["run-time"]
            ),
            _rule("file-system", "read-only-partitions"),
        ]
    }
    host = submod(
        "warning",
        vector={
            "instance-identity": 2,
            "executables": 33,
            "hardware": 2,
            "file-system": 0,
        },
    )
    return {
        "good-mapping": Case(
            "Entries of the vector become capabilities: the worse of two for "
            "one; a value of 0 claims nothing, as one that is not there; none "
            "is better than the status of its submod.",
            token(dotted(submods={"host": host})),
            result(
                attested(
                    "warning",
                    tpm=claim("warning", "boot", ["hardware"]),
                    software_integrity=claim("warning", values=["run-time"]),
                )
            ),
            {"mapping": table},
        ),
        "good-mapping-under-a-whole-that-warns": Case(
            "What is said of the whole is said of all parts: of what the "
            "table makes, and of what a submod claims.",
            token(
                dotted(
                    **{"ear.status": "contraindicated"},
                    submods={
                        "host": submod(vector={"hardware": 2}),
                        "cpu": submod(
                            nfv_mla={
                                "hsm": {"status": "affirming", "grade": "boot"}
                            }
                        ),
                    },
                )
            ),
            result(
                attested(
                    "contraindicated",
                    tpm=claim("contraindicated", "boot", ["hardware"]),
                    hsm=claim("contraindicated", "boot"),
                )
            ),
            {"mapping": {"entries": [table["entries"][0]]}},
        ),
        "good-mapping-beside-a-submod-that-warns": Case(
            "Without a status of the whole, submods are apart: what one of "
            "them warns of lowers nothing in another.",
            token(
                dotted(
                    submods={
                        "host": submod(vector={"hardware": 2}),
                        "cpu": submod("warning", vector={"executables": 33}),
                    },
                )
            ),
            result(
                attested(
                    "warning",
                    tpm=claim("affirming", "boot", ["hardware"]),
                    software_integrity=claim("warning", values=["run-time"]),
                )
            ),
            {"mapping": table},
        ),
        "good-mapping-of-a-submod": Case(
            "A rule for a submod does not see the others; one for all takes "
            "the worst of those that say something.",
            token(
                dotted(
                    submods={
                        "host": submod(vector={"executables": 2}),
                        "cpu": submod(
                            "warning",
                            vector={"hardware": 32, "executables": -1},
                        ),
                    }
                )
            ),
            result(
                attested(
                    "warning",
                    software_integrity=claim("none", values=["run-time"]),
                )
            ),
            {
                "mapping": {
                    "entries": [table["entries"][0], table["entries"][1]]
                }
            },
        ),
        "good-mapping-executables-of-the-boot": Case(
            "Executables of value 3 were approved during the boot: that "
            "affirms nothing about run time.",
            token(dotted(submods={"host": submod(vector={"executables": 3})})),
            result(
                attested(
                    software_integrity=claim("none", values=["run-time"]),
                    measured_boot=claim("affirming", "boot"),
                )
            ),
            {
                "mapping": {
                    "entries": [
                        table["entries"][1],
                        _rule("executables", "measured-boot", grade="boot"),
                    ]
                }
            },
        ),
        "good-mapping-some-values-affirm": Case(
            "A rule may say which values of the tier affirm.",
            token(
                dotted(
                    submods={
                        "host": submod(
                            vector={"runtime-opaque": -7, "hardware": 2}
                        )
                    }
                )
            ),
            result(
                attested(
                    execution_enclave=claim("none", "boot", ["sev-snp"]),
                    tpm=claim("affirming", "boot"),
                )
            ),
            {
                "mapping": {
                    "entries": [
                        _rule(
                            "runtime-opaque",
                            "execution-enclave",
                            grade="boot",
                            values=["sev-snp"],
                            affirming=[2],
                        ),
                        _rule("hardware", "tpm", grade="boot", affirming=[2]),
                    ]
                }
            },
        ),
    }


def _located() -> dict[str, Case]:
    rules = {"mapping": {"location": CIRCLES}, "regions": REGIONS}
    there = attested(location=claim(grade="boot", values=IN_BERLIN))

    def case(
        about: str, location: Json, claims: Json, more: Json = ()
    ) -> Case:
        table = {"location": dict(CIRCLES, **dict(more))}
        return Case(
            about,
            token(dotted(location=location)),
            result(claims),
            dict(rules, mapping=table),
        )

    inexact = {k: v for k, v in BERLIN.items() if k != "accuracy"}
    return {
        "good-location": case(
            "A location becomes the inmost regions in whose circles it lies.",
            BERLIN,
            there,
        ),
        "good-location-in-submod": Case(
            "A location inside a submod.",
            token(dotted(submods={"host": submod(location=BERLIN)})),
            result(there),
            rules,
        ),
        "good-location-at-the-edge": case(
            "The circle of accuracy does not lie inside that of Berlin.",
            dict(BERLIN, accuracy=24_000),
            attested(
                location=claim(
                    grade="boot",
                    values={"geographic": ["germany"], "jurisdiction": ["DE"]},
                )
            ),
        ),
        "good-location-outside": case(
            "A location outside of all circles claims nothing.",
            {"latitude": 40.4, "longitude": -3.7, "accuracy": 50},
            attested(),
        ),
        "good-location-without-accuracy": case(
            "A location that does not say how exact it is claims nothing.",
            inexact,
            attested(),
        ),
        "good-location-accuracy-assumed": case(
            "The table may say which accuracy to assume.",
            inexact,
            there,
            {"assume_accuracy_m": 100},
        ),
        "good-location-recent": case(
            "A location from half an hour before the token.",
            dict(BERLIN, timestamp=NOW - 10 - 1800),
            there,
            {"max_age_s": 3600},
        ),
        "good-location-old": case(
            "A location from more than an hour before the token.",
            dict(BERLIN, timestamp=NOW - 10 - 3601),
            attested(),
            {"max_age_s": 3600},
        ),
        "good-location-of-great-age": case(
            "A location that says itself how old it is.",
            dict(BERLIN, age=3601, timestamp=NOW - 10),
            attested(),
            {"max_age_s": 3600},
        ),
        "good-location-under-a-warning": Case(
            "A location counts as no better than the status of what holds it.",
            token(
                dotted(submods={"host": submod("warning")}, location=BERLIN)
            ),
            result(
                attested(
                    "warning",
                    location=claim("warning", "boot", values=IN_BERLIN),
                )
            ),
            rules,
        ),
        "good-locations-that-differ": Case(
            "Of several locations a region counts in which all of them lie.",
            token(
                dotted(
                    submods={
                        "host": submod(
                            location={
                                "latitude": 50.94,
                                "longitude": 6.96,
                                "accuracy": 10,
                            }
                        )
                    },
                    location=BERLIN,
                )
            ),
            result(
                attested(
                    location=claim(
                        grade="boot",
                        values={
                            "geographic": ["germany"],
                            "jurisdiction": ["DE"],
                        },
                    )
                )
            ),
            rules,
        ),
        "good-location-region-not-in-policy": Case(
            "A region that the policy does not have is left out.",
            token(dotted(location=BERLIN)),
            result(
                attested(
                    location=claim(
                        grade="boot", values={"jurisdiction": ["DE"]}
                    )
                )
            ),
            dict(rules, regions={"jurisdiction": {"DE": None}}),
        ),
        "good-location-without-circles": Case(
            "Without a table a location is not looked at.",
            token(dotted(location={"latitude": "north"})),
            result(),
        ),
    }


def _boots() -> dict[str, Case]:
    return {
        "good-bootcount": Case(
            "A count of boots.",
            token(dotted(bootcount=17)),
            result(boot="count=17"),
        ),
        "good-bootseed": Case(
            "A seed of the boot.",
            token(dotted(bootseed="AAECAwQFBgc")),
            result(boot="seed=AAECAwQFBgc"),
        ),
        "good-bootcount-and-bootseed": Case(
            "Both, in one name.",
            token(dotted(bootseed="AAECAwQFBgc", bootcount=0)),
            result(boot="count=0,seed=AAECAwQFBgc"),
        ),
        "good-boots-of-submods": Case(
            "Boots of submods, in the order of their names.",
            token(
                dotted(
                    submods={
                        "host": submod(bootcount=3),
                        "cpu": submod(bootseed="_-8"),
                    },
                    bootcount=1,
                )
            ),
            result(boot="count=1,cpu/seed=_-8,host/count=3"),
        ),
        "good-bootseed-long": Case(
            "A name of over 255 characters becomes its digest.",
            token(dotted(bootseed="A" * 300)),
            result(
                boot="sha256:2208773f21f233a443ca04a960bd0d64f4d527b5"
                "ab237448c02c605cb69fd573"
            ),
        ),
    }
