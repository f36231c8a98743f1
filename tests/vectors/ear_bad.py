# SPDX-License-Identifier: Apache-2.0
"""Vectors of tokens that give no result, and why."""

from __future__ import annotations

import hashlib
import hmac
import re

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from jwt.utils import raw_to_der_signature

from tests.vectors.ear_good import REGIONS
from tests.vectors.ear_making import ALGORITHMS
from tests.vectors.ear_making import DRAFT_04
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import OTHER
from tests.vectors.ear_making import PRIVATE
from tests.vectors.ear_making import VECTOR
from tests.vectors.ear_making import Case
from tests.vectors.ear_making import Json
from tests.vectors.ear_making import b64
from tests.vectors.ear_making import claim
from tests.vectors.ear_making import dotted
from tests.vectors.ear_making import key_set
from tests.vectors.ear_making import public
from tests.vectors.ear_making import refused
from tests.vectors.ear_making import replaced
from tests.vectors.ear_making import sign
from tests.vectors.ear_making import submod
from tests.vectors.ear_making import text
from tests.vectors.ear_making import token
from tests.vectors.ear_making import underscored

ISSUER = "https://verifier.example"


def cases() -> dict[str, Case]:
    """Return name -> vector."""
    return {
        **_sizes(),
        **_malformed(),
        **_doubled(),
        **_keys(),
        **_signatures(),
        **_profiles(),
        **_parties(),
        **_times(),
        **_appraisals(),
        **_statuses(),
        **_claims(),
    }


def _nested(depth: int) -> Json:
    found: Json = 0
    for _ in range(depth):
        found = [found]
    return found


def _sizes() -> dict[str, Case]:
    return {
        "oversized": Case(
            "A token of more than 65,536 bytes.",
            token(dotted(padding="x" * 49_200)),
            refused("too-large"),
        ),
        "deep-payload": Case(
            "Brackets in the payload nest 17 levels deep, its own included.",
            token(dotted(deep=_nested(16))),
            refused("too-deep"),
        ),
        "deep-thousandfold": Case(
            "Brackets in the payload nest 20,001 levels deep.",
            token(
                text(dotted())[:-1]
                + ',"deep":'
                + "[" * 20_000
                + "]" * 20_000
                + "}"
            ),
            refused("too-deep"),
        ),
        "deep-header": Case(
            "Brackets in the header nest 17 levels deep.",
            token(dotted(), header={"x": _nested(16)}),
            refused("too-deep"),
        ),
    }


def _malformed() -> dict[str, Case]:
    good = token(dotted(), "ed")
    header, payload, signature = good.split(".")
    ed = key_set("ed")
    # a payload that plain base64 encodes otherwise than that for URLs
    plain = next(
        encoded.replace("-", "+").replace("_", "/")
        for n in range(3)
        if re.search(
            "[-_]", encoded := b64(text(dotted(x="y" * n + "?>")).encode())
        )
    )
    # a payload of which two bits of the last character are left over
    loose = next(
        encoded
        for n in range(3)
        if len(encoded := b64(text(dotted(x="y" * n)).encode())) % 4 == 3
    )
    parts = {
        "no-token": ("this is no token", "No token at all."),
        "empty": ("", "Nothing."),
        "two-parts": (f"{header}.{payload}", "A signature is missing."),
        "five-parts": (
            f"{header}.{payload}.{signature}.AA.AA",
            "As many parts as something encrypted has.",
        ),
        "padded": (
            f"{header}=.{payload}.{signature}",
            "The header is base64url with padding.",
        ),
        "newline": (good + "\n", "A newline behind the signature."),
        "base64-not-url": (
            sign(f"{header}.{plain}", "ed", "EdDSA"),
            "The payload is plain base64, not that for URLs.",
        ),
        "base64-bits-left-over": (
            sign(
                f"{header}.{loose[:-1]}{chr(ord(loose[-1]) + 1)}",
                "ed",
                "EdDSA",
            ),
            "The last character of the payload has bits that stand for "
            "nothing, and are not zero.",
        ),
        "header-not-json": (
            token(dotted(), "ed", header="{alg:EdDSA}"),
            "The header is no JSON.",
        ),
        "header-array": (
            token(dotted(), "ed", header='["EdDSA","ed"]'),
            "The header is no object.",
        ),
        "payload-array": (
            token("[1]", "ed"),
            "The payload is no object.",
        ),
        "payload-not-json": (
            token(text(dotted()) + "}", "ed"),
            "Something stands behind the payload.",
        ),
        "payload-not-utf8": (
            token(
                text(dotted(x="y")).encode().replace(b'"y"', b'"\xff"'), "ed"
            ),
            "The payload is not UTF-8.",
        ),
        "payload-nan": (
            token(replaced(dotted(x=1.5), "1.5", "NaN"), "ed"),
            "NaN is not a number.",
        ),
        "payload-bom": (
            token("\ufeff" + text(dotted()), "ed"),
            "A byte order mark before the payload.",
        ),
        "crit": (
            token(dotted(), "ed", header={"crit": ["exp"], "exp": 1}),
            "The header has an extension that has to be understood.",
        ),
        "b64-false": (
            token(dotted(), "ed", header={"b64": False}),
            "The header says that the payload is not encoded.",
        ),
    }
    return {
        name: Case(about, bad, refused("malformed"), keys=ed)
        for name, (bad, about) in parts.items()
    }


def _doubled() -> dict[str, Case]:
    whole = text(dotted())
    header = '{"alg":"EdDSA","kid":"ed","alg":"EdDSA"}'
    parts = {
        "claim-twice": (
            token(f'{whole[:-1]},"sub":"{OTHER}"}}', "ed"),
            "A claim stands twice in the payload.",
        ),
        "claim-twice-the-same": (
            token(f'{whole[:-1]},"iat":{NOW - 10}}}', "ed"),
            "A claim stands twice, with the same value.",
        ),
        "claim-twice-escaped": (
            token(f'{whole[:-1]},"s\\u0075b":"{OTHER}"}}', "ed"),
            "A claim stands twice, once with an escape in its name.",
        ),
        "status-twice": (
            token(
                whole.replace(
                    '"ear.status":"affirming"',
                    '"ear.status":"contraindicated","ear.status":"affirming"',
                ),
                "ed",
            ),
            "A status stands twice in a submod.",
        ),
        "unread-claim-twice": (
            token(f'{whole[:-1]},"x":{{"y":1,"y":1}}}}', "ed"),
            "A key stands twice in a claim that nobody reads.",
        ),
        "header-twice": (
            token(dotted(), "ed", header=header),
            "A parameter stands twice in the header.",
        ),
    }
    return {
        name: Case(about, bad, refused("malformed"), keys=key_set("ed"))
        for name, (bad, about) in parts.items()
    }


def _keys() -> dict[str, Case]:
    payload = b64(text(dotted()).encode())
    pem = (
        ALGORITHMS["ES256"]
        .from_jwk(public("p256"))
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    hs256 = f"{b64(text({'alg': 'HS256', 'kid': 'p256'}).encode())}.{payload}"
    mac = b64(hmac.digest(pem, hs256.encode(), hashlib.sha256))
    none = b64(text({"alg": "none", "kid": "p256"}).encode())
    return {
        "alg-none": Case(
            "alg none, and no signature.",
            f"{none}.{payload}.",
            refused("algorithm"),
        ),
        "alg-none-with-signature": Case(
            "alg none, and a signature of the right key.",
            token(dotted(), header={"alg": "none"}),
            refused("algorithm"),
        ),
        "alg-none-in-capitals": Case(
            "alg NONE.",
            token(dotted(), header={"alg": "NONE"}),
            refused("algorithm"),
        ),
        "alg-hs256-with-public-key": Case(
            "HS256 with the PEM of the public key as its secret.",
            f"{hs256}.{mac}",
            refused("algorithm"),
        ),
        "alg-missing": Case(
            "A header without alg.",
            token(dotted(), header='{"kid":"p256"}'),
            refused("algorithm"),
        ),
        "alg-rs256": Case(
            "RS256, which is not on the list.",
            token(dotted(), "rsa", "RS256"),
            refused("algorithm"),
            keys=key_set("rsa"),
        ),
        "alg-of-another-key": Case(
            "PS384 with a key that is for PS256.",
            token(dotted(), "rsa", "PS384"),
            refused("algorithm"),
            keys=key_set("rsa"),
        ),
        "kid-unknown": Case(
            "A kid that the key set does not have.",
            token(dotted(), header={"kid": "p257"}),
            refused("unknown-key"),
        ),
        "kid-missing": Case(
            "A header without kid, although there is but one key.",
            token(dotted(), header='{"alg":"ES256"}'),
            refused("unknown-key"),
        ),
        "kid-no-text": Case(
            "A kid that is no text.",
            token(dotted(), header={"kid": ["p256"]}),
            refused("unknown-key"),
        ),
        "key-in-header": Case(
            "The header brings its own key, and names it.",
            token(dotted(), "stranger", header={"jwk": public("stranger")}),
            refused("unknown-key"),
        ),
        "other-authority": Case(
            "The token of another authority, signed with its key.",
            token(dotted(iss="https://other.example"), "ed"),
            refused("unknown-key"),
        ),
    }


def _signatures() -> dict[str, Case]:
    header, payload, signature = token(dotted()).split(".")
    signed = f"{header}.{payload}"
    private = ALGORITHMS["ES256"].from_jwk(PRIVATE["p256"])
    raw = ALGORITHMS["ES256"].sign(signed.encode(), private)
    der = raw_to_der_signature(raw, private.curve)
    other = b64(text(dotted(sub=OTHER)).encode())
    bad = {
        "wrong-key": (
            token(dotted(), "stranger", header={"kid": "p256"}),
            "Signed with another key than the one that the kid names.",
        ),
        "payload-changed": (
            f"{header}.{other}.{signature}",
            "The payload is another one than was signed.",
        ),
        "header-changed": (
            ".".join(
                (
                    b64(b'{"kid":"p256","alg":"ES256"}'),
                    payload,
                    signature,
                )
            ),
            "The header is another one than was signed.",
        ),
        "signature-empty": (f"{signed}.", "The signature is empty."),
        "signature-der": (
            f"{signed}.{b64(der)}",
            "A signature of ECDSA in DER, not as two numbers.",
        ),
        "signature-zero": (
            f"{signed}.{b64(bytes(64))}",
            "A signature of two zeros.",
        ),
    }
    return {
        name: Case(about, bad, refused("wrong-signature"))
        for name, (bad, about) in bad.items()
    }


def _profiles() -> dict[str, Case]:
    host = dotted()["submods"]["host"]
    bad = {
        "profile-missing": (dotted(eat_profile=...), "No profile."),
        "profile-unknown": (
            dotted(eat_profile="tag:example.org,2026:other"),
            "A profile that is no EAR's.",
        ),
        "profile-no-text": (
            dotted(eat_profile=["tag:github.com,2023:veraison/ear"]),
            "A profile that is no text.",
        ),
        "spelling-of-the-other-profile": (
            dotted(eat_profile=DRAFT_04),
            "The older spelling under the profile of the newer.",
        ),
        "spellings-mixed-at-the-top": (
            dotted(ear_status="affirming"),
            "A claim of the newer spelling beside those of the older.",
        ),
        "spellings-mixed-in-a-submod": (
            dotted(submods={"host": dict(host, ear_status="warning")}),
            "A status in each of the two spellings.",
        ),
    }
    found = {
        name: Case(about, token(payload), refused("profile"))
        for name, (payload, about) in bad.items()
    }
    return found | {
        "typ-of-another-token": Case(
            "A header that says that the token is of another kind.",
            token(dotted(), header={"typ": "at+jwt"}),
            refused("profile"),
        )
    }


def _parties() -> dict[str, Case]:
    found = {}
    for name, payload, code, rules, about in (
        (
            "issuer-other",
            dotted(iss="https://other.example"),
            "wrong-issuer",
            {"issuer": ISSUER},
            "Another issuer than the one that is asked for.",
        ),
        (
            "issuer-missing",
            dotted(),
            "wrong-issuer",
            {"issuer": ISSUER},
            "No issuer, although one is asked for.",
        ),
        (
            "audience-others",
            dotted(aud="somebody"),
            "wrong-audience",
            {"audience": "collector-1"},
            "Meant for somebody else.",
        ),
        (
            "audience-not-asked-for",
            dotted(aud=["collector-1"]),
            "wrong-audience",
            {},
            "Meant for somebody by name, where no name of ours is given.",
        ),
        (
            "audience-missing",
            dotted(),
            "wrong-audience",
            {"audience": "collector-1"},
            "Meant for nobody by name, although a name is asked for.",
        ),
        (
            "attester-missing",
            dotted(sub=...),
            "no-attester",
            {},
            "It does not say whom it is about.",
        ),
        (
            "attester-empty",
            dotted(sub=""),
            "no-attester",
            {},
            "An attester without a name.",
        ),
        (
            "attester-not-printable",
            dotted(sub="ber-1\n"),
            "no-attester",
            {},
            "A name with a newline in it.",
        ),
        (
            "attester-long",
            dotted(sub="b" * 256),
            "no-attester",
            {},
            "A name of 256 characters.",
        ),
        (
            "attester-number",
            dotted(sub=1),
            "no-attester",
            {},
            "A name that is a number.",
        ),
        (
            "attester-by-another-claim",
            dotted(),
            "no-attester",
            {"identity": "ueid"},
            "sub, where ueid names the attester.",
        ),
        (
            "attester-other",
            dotted(sub=OTHER),
            "other-attester",
            {"attester": dotted()["sub"]},
            "The token of another host than the one that was asked for.",
        ),
    ):
        found[name] = Case(about, token(payload), refused(code), rules)
    return found


def _times() -> dict[str, Case]:
    found = {}
    for name, payload, code, about in (
        ("iat-missing", dotted(iat=...), "no-time", "No iat."),
        ("iat-null", dotted(iat=None), "no-time", "An iat that is null."),
        ("iat-text", dotted(iat=str(NOW)), "no-time", "An iat that is text."),
        ("iat-true", dotted(iat=True), "no-time", "An iat that is true."),
        ("iat-negative", dotted(iat=-1), "no-time", "An iat before 1970."),
        (
            "iat-fraction",
            dotted(iat=NOW - 0.5),
            "no-time",
            "An iat that is not whole seconds.",
        ),
        (
            "iat-infinite",
            replaced(dotted(), f'"iat":{NOW - 10}', '"iat":1e999'),
            "no-time",
            "An iat beyond all numbers.",
        ),
        ("exp-null", dotted(exp=None), "no-time", "An exp that is null."),
        ("exp-text", dotted(exp="never"), "no-time", "An exp that is text."),
        ("nbf-text", dotted(nbf=""), "no-time", "An nbf that is text."),
        (
            "iat-ahead",
            dotted(iat=NOW + 61, exp=NOW + 300),
            "ahead",
            "Issued further ahead of now than clocks may differ.",
        ),
        (
            "nbf-ahead",
            dotted(nbf=NOW + 61),
            "ahead",
            "It does not hold yet.",
        ),
        ("expired", dotted(exp=NOW - 1), "expired", "Its end has passed."),
        ("expires-now", dotted(exp=NOW), "expired", "Its end is now."),
    ):
        rules = {"max_skew_s": 60}
        found[name] = Case(about, token(payload), refused(code), rules)
    return found


def _appraisals() -> dict[str, Case]:
    found = {}
    for name, payload, code, about in (
        (
            "verifier-missing",
            dotted(**{"ear.verifier-id": ...}),
            "no-verifier",
            "It does not say which verifier appraised.",
        ),
        (
            "verifier-without-build",
            underscored(ear_verifier_id={"developer": ISSUER}),
            "no-verifier",
            "A verifier without its build.",
        ),
        (
            "verifier-text",
            dotted(**{"ear.verifier-id": ISSUER}),
            "no-verifier",
            "A verifier that is text.",
        ),
        ("submods-missing", dotted(submods=...), "no-submods", "No submods."),
        (
            "submods-empty",
            dotted(submods={}),
            "no-submods",
            "Submods without any.",
        ),
        (
            "submods-array",
            dotted(submods=[submod()]),
            "no-submods",
            "Submods that are an array.",
        ),
        (
            "submod-nested-token",
            dotted(submods={"host": token(dotted(), "ed")}),
            "no-submods",
            "A submod that is another token.",
        ),
    ):
        found[name] = Case(about, token(payload), refused(code))
    return found


def _statuses() -> dict[str, Case]:
    def of(*args: Json, **more: Json) -> Json:
        return dotted(submods={"cpu": submod(), "host": submod(*args, **more)})

    found = {}
    for name, payload, code, about in (
        (
            "status-unknown",
            of("excellent"),
            "bad-status",
            "A tier that nobody knows.",
        ),
        (
            "status-in-capitals",
            of("Affirming"),
            "bad-status",
            "A tier in capitals.",
        ),
        (
            "status-unknown-number",
            of(3),
            "bad-status",
            "A number that is no tier's.",
        ),
        ("status-true", of(True), "bad-status", "A status that is true."),
        (
            "status-fraction",
            of(2.0),
            "bad-status",
            "A tier's number with a fraction.",
        ),
        (
            "status-missing",
            dotted(submods={"cpu": submod(), "host": {"x": 1}}),
            "bad-status",
            "One of two submods has no status.",
        ),
        (
            "overall-status-unknown",
            dotted(**{"ear.status": "excellent"}),
            "bad-status",
            "A tier of the whole token that nobody knows.",
        ),
        (
            "entry-too-great",
            of(vector={"hardware": 128}),
            "bad-status",
            "An entry of 128.",
        ),
        (
            "entry-text",
            of(vector={"hardware": "2"}),
            "bad-status",
            "An entry that is text.",
        ),
        (
            "entry-not-known-text",
            of(vector={"moon-phase": "full"}),
            "bad-status",
            "An entry that nobody knows, and that is no number.",
        ),
        (
            "vector-array",
            of(vector=[2, 2]),
            "bad-status",
            "A vector that is an array.",
        ),
        (
            "affirming-over-warning",
            of(vector=dict(VECTOR, configuration=36)),
            "status-too-good",
            "An affirming status over an entry that warns.",
        ),
        (
            "warning-over-contraindicated",
            of("warning", vector=dict(VECTOR, hardware=99)),
            "status-too-good",
            "A warning over an entry that is contraindicated.",
        ),
        (
            "none-over-warning",
            of("none", vector=dict(VECTOR, executables=-33)),
            "status-too-good",
            "A status that says nothing hides an entry that warns.",
        ),
        (
            "none-over-contraindicated",
            of(0, vector={"executables": 96}),
            "status-too-good",
            "A status that says nothing hides one that is contraindicated.",
        ),
        (
            "affirming-over-entry-not-known",
            of(vector={"moon-phase": 32}),
            "status-too-good",
            "An affirming status over a warning of an entry that nobody "
            "knows.",
        ),
        (
            "overall-status-too-good",
            underscored(
                ear_status="affirming",
                submods={
                    "cpu": {"ear_status": "affirming"},
                    "host": {"ear_status": "warning"},
                },
            ),
            "status-too-good",
            "A status of the whole token that is better than a submod's.",
        ),
        (
            "overall-status-better-than-none",
            underscored(
                ear_status="affirming",
                submods={
                    "cpu": {"ear_status": "none"},
                    "host": {"ear_status": "affirming"},
                },
            ),
            "status-too-good",
            "An affirming whole of which a part was not appraised.",
        ),
    ):
        found[name] = Case(about, token(payload), refused(code))
    return found


def _claims() -> dict[str, Case]:
    located = {
        "location": {
            "grade": "boot",
            "regions": {
                "geographic": {
                    "berlin": [
                        {
                            "latitude": 52.52,
                            "longitude": 13.405,
                            "radius_km": 25,
                        }
                    ]
                }
            },
        }
    }
    found = {}
    for name, payload, about in (
        (
            "private-claim-no-object",
            dotted(nfv_mla=["tpm"]),
            "A private claim that is no object.",
        ),
        (
            "private-claim-status",
            dotted(nfv_mla={"tpm": claim("good")}),
            "A status that nobody knows.",
        ),
        (
            "private-claim-status-number",
            dotted(nfv_mla={"tpm": {"status": 2, "grade": "boot"}}),
            "Here a status is a name.",
        ),
        (
            "private-claim-grade",
            dotted(nfv_mla={"tpm": {"status": "affirming"}}),
            "A claim without a grade.",
        ),
        (
            "private-claim-value",
            dotted(nfv_mla={"tpm": claim(values=["wooden"])}),
            "A value that the capability does not have.",
        ),
        (
            "private-claim-key",
            dotted(
                nfv_mla={"secure-clean-up": claim(values={"tape": ["reboot"]})}
            ),
            "A key that the capability does not have.",
        ),
        (
            "private-claim-member",
            dotted(nfv_mla={"tpm": dict(claim(), since=1)}),
            "A member that nobody knows.",
        ),
        (
            "private-claim-region",
            dotted(
                nfv_mla={"location": claim(values={"jurisdiction": ["ATL"]})}
            ),
            "A region that the policy does not have.",
        ),
        (
            "private-claim-in-submod",
            dotted(submods={"host": submod(nfv_mla={"tpm": claim("good")})}),
            "A fault in the private claim of a submod.",
        ),
        (
            "location-off-the-map",
            dotted(location={"latitude": 91, "longitude": 0}),
            "A latitude of more than 90 degrees.",
        ),
        (
            "location-incomplete",
            dotted(location={"latitude": 52.5}),
            "A location without longitude.",
        ),
        (
            "location-accuracy",
            dotted(location={"latitude": 52, "longitude": 13, "accuracy": -1}),
            "A negative accuracy.",
        ),
        (
            "location-text",
            dotted(location="Berlin"),
            "A location that is text.",
        ),
        (
            "bootcount-fraction",
            dotted(bootcount=1.5),
            "A bootcount that is no whole number.",
        ),
        (
            "bootcount-null",
            dotted(bootcount=None),
            "A bootcount that is null.",
        ),
        (
            "bootseed-not-base64",
            dotted(bootseed="not base64"),
            "A bootseed that is not base64url.",
        ),
        (
            "bootseed-in-submod",
            dotted(submods={"host": submod(bootseed=7)}),
            "A bootseed of a submod that is no text.",
        ),
    ):
        found[name] = Case(
            about,
            token(payload),
            refused("bad-claim"),
            {"mapping": located, "regions": REGIONS},
        )
    return found
