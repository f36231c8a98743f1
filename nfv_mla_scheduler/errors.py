# SPDX-License-Identifier: Apache-2.0
"""The errors that this package raises, and no others.

Standard library only.  Every error carries a ``code`` of a closed vocabulary
and bounded data; a message is one line, never longer than ``LINE_MAX``, and
never names a builtin exception.
"""

from __future__ import annotations

import dataclasses
import enum

LINE_MAX = 240
VALUE_MAX = 64


def bounded(text: object, limit: int = VALUE_MAX) -> str:
    """Return ``text`` as one printable line of at most ``limit`` characters.

    Whatever somebody else wrote passes through here before it reaches a log,
    an error or a person: control characters become ``?``, the rest is cut.
    """
    line = str(text)[: limit + 1]
    if not line.isprintable():
        line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document or a requirement.

    :ivar path: where, as a reader finds it: ``hosts.ber-1.node_uuid``, or the
        name of an extra spec or hint
    :ivar message: what is wrong, and what would be right
    :ivar value: the offending value, bounded; empty when something is missing
    :ivar line: line in the document, counted from 1; 0 when it has none
    """

    path: str
    message: str
    value: str = ""
    line: int = 0

    def __str__(self) -> str:
        at = f"line {self.line}: " if self.line else ""
        value = f" ({self.value!r})" if self.value else ""
        return bounded(f"{at}{self.path}: {self.message}{value}", LINE_MAX)


class PolicyCode(enum.Enum):
    """Why an envelope, a policy or a break-glass waiver is not taken."""

    MISSING = "policy-missing"
    UNREADABLE = "policy-unreadable"
    TOO_LARGE = "policy-too-large"
    BAD_ENVELOPE = "policy-bad-envelope"
    BAD_ROOT = "policy-bad-root"
    UNDER_SIGNED = "policy-under-signed"
    INVALID = "policy-invalid"
    ROLLED_BACK = "policy-rolled-back"
    SAME_VERSION = "policy-same-version"
    EXPIRED = "policy-expired"
    NOT_YET = "policy-not-yet"


class ResultsCode(enum.Enum):
    """Why a results document, or one result in it, is not taken."""

    MISSING = "results-missing"
    UNREADABLE = "results-unreadable"
    TOO_LARGE = "results-too-large"
    TOO_DEEP = "results-too-deep"
    TRUNCATED = "results-truncated"
    BAD_ENVELOPE = "results-bad-envelope"
    UNSIGNED = "results-unsigned"
    WRONG_KEY = "results-wrong-key"
    INVALID = "results-invalid"
    ROLLED_BACK = "results-rolled-back"
    AHEAD = "results-ahead"
    UNKNOWN_AUTHORITY = "results-unknown-authority"
    UNKNOWN_ATTESTER = "results-unknown-attester"
    NOT_THEIRS = "results-not-theirs"
    BAD_CLAIM = "results-bad-claim"


class TokenCode(enum.Enum):
    """Why an attestation result that came as a token is not taken."""

    TOO_LARGE = "token-too-large"
    TOO_DEEP = "token-too-deep"
    MALFORMED = "token-malformed"
    ALGORITHM = "token-algorithm"
    UNKNOWN_KEY = "token-unknown-key"
    WRONG_SIGNATURE = "token-wrong-signature"
    PROFILE = "token-profile"
    WRONG_ISSUER = "token-wrong-issuer"
    WRONG_AUDIENCE = "token-wrong-audience"
    NO_TIME = "token-no-time"
    AHEAD = "token-ahead"
    EXPIRED = "token-expired"
    REPLAYED = "token-replayed"
    NO_VERIFIER = "token-no-verifier"
    NO_SUBMODS = "token-no-submods"
    BAD_STATUS = "token-bad-status"
    STATUS_TOO_GOOD = "token-status-too-good"
    NO_ATTESTER = "token-no-attester"
    OTHER_ATTESTER = "token-other-attester"
    BAD_CLAIM = "token-bad-claim"


class KeylimeCode(enum.Enum):
    """Why what Keylime has about an attester gives no result, or less."""

    MALFORMED = "keylime-malformed"
    UNKNOWN_AGENT = "keylime-unknown-agent"
    TWO_VERIFIERS = "keylime-two-verifiers"
    FAILED = "keylime-failed"
    UNREACHED = "keylime-unreached"
    PENDING = "keylime-pending"
    TIMED_OUT = "keylime-timed-out"
    NEVER_ATTESTED = "keylime-never-attested"
    AHEAD = "keylime-ahead"
    NO_POLICY = "keylime-no-policy"
    NO_MEASURED_BOOT = "keylime-no-measured-boot"
    BOOT_ONCE = "keylime-boot-once"
    BOOT_POLICY = "keylime-boot-policy"
    NO_RUNTIME_POLICY = "keylime-no-runtime-policy"
    NO_PCR = "keylime-no-pcr"
    UNKNOWN_REGION = "keylime-unknown-region"
    NOT_REGISTERED = "keylime-not-registered"
    OTHER_KEY = "keylime-other-key"
    REGISTRAR_SILENT = "keylime-registrar-silent"


class ContactCode(enum.Enum):
    """Why a server did not answer as it should."""

    UNREACHABLE = "contact-unreachable"
    TLS = "contact-tls"
    TIMED_OUT = "contact-timed-out"
    INTERRUPTED = "contact-interrupted"
    TOO_LARGE = "contact-too-large"
    REDIRECTED = "contact-redirected"
    FORBIDDEN = "contact-forbidden"
    BAD_STATUS = "contact-bad-status"
    BAD_CONTENT_TYPE = "contact-bad-content-type"
    BAD_ANSWER = "contact-bad-answer"


class NfvMlaError(Exception):
    """The root of all errors that leave this package."""

    code: str = "error"

    def __init__(self, message: str) -> None:
        super().__init__(bounded(message, LINE_MAX))


class CatalogueError(NfvMlaError):
    """The catalogue contradicts itself: a fault in this package."""

    code = "catalogue"


class SettingsError(NfvMlaError):
    """An option of ``[nfv_mla]`` cannot be used as it is set."""

    code = "settings"


class KeyFileError(NfvMlaError):
    """A file of keys is missing, unreadable, or of a kind that we refuse."""

    code = "key-file"


class Malformed(NfvMlaError):
    """What a server asks for cannot be read, hence no host is right for it.

    :ivar problems: every fault found, with the key and the bounded value
    """

    code = "malformed"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(p) for p in problems))


class PolicyRefused(NfvMlaError):
    """A policy or waiver is refused as a whole.

    :ivar reason: of the closed vocabulary :class:`PolicyCode`
    :ivar problems: what is wrong inside, when the document itself is at fault
    """

    def __init__(
        self,
        reason: PolicyCode,
        message: str,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        self.reason = reason
        self.code = reason.value
        self.problems = problems
        super().__init__(message)


class ResultsRefused(NfvMlaError):
    """A results document is refused as a whole: no claim comes from it.

    :ivar reason: of the closed vocabulary :class:`ResultsCode`
    """

    def __init__(self, reason: ResultsCode, message: str) -> None:
        self.reason = reason
        self.code = reason.value
        super().__init__(message)


class DocumentError(NfvMlaError):
    """A document cannot be read as YAML of the strict kind that we take.

    :ivar problems: every fault found, with path and line
    """

    code = "document"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(p) for p in problems))


class TokenRefused(NfvMlaError):
    """A token gives no result.

    :ivar reason: of the closed vocabulary :class:`TokenCode`
    """

    def __init__(self, reason: TokenCode, message: str) -> None:
        self.reason = reason
        self.code = reason.value
        super().__init__(message)


class ContactFailed(NfvMlaError):
    """A server cannot be reached, or does not answer as it should.

    :ivar reason: of the closed vocabulary :class:`ContactCode`
    """

    def __init__(self, reason: ContactCode, message: str) -> None:
        self.reason = reason
        self.code = reason.value
        super().__init__(message)


class AuthorityError(NfvMlaError):
    """An authority gave no answer that can be used.

    :ivar authority: by its name in the policy
    :ivar code: a :class:`ContactCode`, or ``authority-failed`` for a fault
        of the driver itself
    """

    code = "authority-failed"

    def __init__(
        self, authority: str, message: str, code: str | None = None
    ) -> None:
        self.authority = authority
        self.code = code or self.code
        super().__init__(message)
