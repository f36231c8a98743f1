# SPDX-License-Identifier: Apache-2.0
"""Whom a client trusts, as whom it comes, and why TLS failed, in words.

Reads the files that are named, and reads them again when they change.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import ssl

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

FILE_MAX_BYTES = 1024 * 1024
PATH_MAX = 120

# Numbers of OpenSSL's x509_vfy.h; the ssl module names none of them.
_OTHER_NAME = frozenset((62, 63, 64))
_OTHER_CA = frozenset((2, 18, 19, 20, 21))
_NOT_YET = 9
_EXPIRED = 10

_REASONS = (
    ("WRONG_VERSION_NUMBER", "it does not speak TLS at this port"),
    ("HTTP_REQUEST", "it does not speak TLS at this port"),
    ("UNSUPPORTED_PROTOCOL", "it speaks nothing as new as TLS 1.2"),
    ("PROTOCOL_VERSION", "it speaks nothing as new as TLS 1.2"),
    ("ALERT_UNKNOWN_CA", "it does not know the CA of our certificate"),
    ("ALERT_CERTIFICATE", "it refuses our certificate"),
    ("ALERT_BAD_CERTIFICATE", "it refuses our certificate"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "it refuses our certificate"),
    ("ALERT_ACCESS_DENIED", "it refuses our certificate"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust, and as whom to come.

    :ivar ca_file: PEM; the certificates in it, and no others, may vouch for
        the server
    :ivar cert_file: PEM; our own certificate and what leads to its CA;
        ``None``: we come as nobody
    :ivar key_file: PEM, without a passphrase; ``None``: in ``cert_file``
    :ivar server_name: that the server's certificate has to be for; ``None``:
        the host of the URL
    """

    ca_file: pathlib.Path
    cert_file: pathlib.Path | None = None
    key_file: pathlib.Path | None = None
    server_name: str | None = None


class Trust:
    """The files of a :class:`Tls`, as they are now."""

    def __init__(self, tls: Tls) -> None:
        """Load the files.

        :raises SettingsError: naming the file at fault
        """
        if tls.key_file and not tls.cert_file:
            raise SettingsError("key_file: is set, and cert_file is not")
        self.tls = tls
        self._seen: tuple[bytes | None, ...] = ()
        self._context: ssl.SSLContext | None = None
        self.context()

    def context(self) -> ssl.SSLContext:
        """Return the same context for as long as no file has changed.

        :raises SettingsError: naming the file at fault
        """
        tls = self.tls
        files = (tls.ca_file, tls.cert_file, tls.key_file)
        # By what they hold: a time stamp can miss the second of two changes.
        # And before they are loaded: what changes meanwhile is seen to have
        # changed the next time.
        seen = tuple(_read(path) for path in files if path)
        if self._context is None or seen != self._seen:
            self._context = None
            self._context = _load(tls)
            self._seen = seen
        return self._context

    def why(self, error: ssl.SSLError) -> str:
        """Say in words why TLS failed, with OpenSSL's own at the end."""
        said = error.reason or error.__class__.__name__
        if isinstance(error, ssl.SSLCertVerificationError):
            code, said = error.verify_code, error.verify_message
            if code in _OTHER_NAME:
                # openssl's own message says the name already
                return f"its certificate is for another name: {said}"
            words = {
                _NOT_YET: "its certificate is not valid yet",
                _EXPIRED: "its certificate or its CA's has expired",
            }.get(code, "its certificate is refused")
            if code in _OTHER_CA:
                words = "its certificate is not of a CA in ca_file"
        else:
            words = self._alert(said)
        return f"{words} ({bounded(said)})"

    def _alert(self, reason: str) -> str:
        ours = bool(self.tls.cert_file)
        if "CERTIFICATE_REQUIRED" in reason:
            if ours:
                return "it took no client certificate from us"
            return "it wants a client certificate: set cert_file and key_file"
        if "HANDSHAKE_FAILURE" in reason and not ours:
            return "it broke the handshake off; it may want a certificate"
        for part, words in _REASONS:
            if part in reason:
                return words
        return "TLS failed"


def _read(path: pathlib.Path) -> bytes | None:
    """Return what a file begins with; ``None``: it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(FILE_MAX_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return None


def _load(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Some builds of Python take a connection that was cut off for one that was
    # ended, and a body without a length for whole.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.hostname_checks_common_name = False
    # Who pins an intermediate CA means that one, and not its whole family.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=os.fspath(tls.ca_file))
    except (OSError, ValueError) as exc:
        raise unusable("ca_file", tls.ca_file, exc) from exc
    if tls.cert_file:
        try:
            context.load_cert_chain(
                os.fspath(tls.cert_file),
                os.fspath(tls.key_file) if tls.key_file else None,
                password=no_passphrase,
            )
        except (OSError, ValueError) as exc:
            raise unusable(
                "cert_file with its key", tls.cert_file, exc
            ) from exc
    return context


def no_passphrase() -> str:
    """Keep OpenSSL from asking for one at a terminal."""
    raise ValueError("the key has a passphrase")


def unusable(
    option: str, path: pathlib.Path, exc: OSError | ValueError
) -> SettingsError:
    """Return the error of a file that TLS cannot use."""
    why: object = exc
    if isinstance(exc, ssl.SSLError):
        why = exc.reason or "not PEM"
    elif isinstance(exc, OSError):
        why = exc.strerror
    where = bounded(path, PATH_MAX)
    return SettingsError(f"{option}: {where} cannot be used: {bounded(why)}")
