# SPDX-License-Identifier: Apache-2.0
"""A TPM and its two keys, through tpm2-pytss.  One caller at a time."""

import contextlib
import struct
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from tpm2_pytss import ESAPI
from tpm2_pytss import ESYS_TR
from tpm2_pytss import TPM2_ALG
from tpm2_pytss import TPM2_CAP
from tpm2_pytss import TPM2_SE
from tpm2_pytss import TPM2B_DATA
from tpm2_pytss import TPM2B_ENCRYPTED_SECRET
from tpm2_pytss import TPM2B_ID_OBJECT
from tpm2_pytss import TPM2B_PUBLIC
from tpm2_pytss import TPM2B_SENSITIVE_CREATE
from tpm2_pytss import TPMA_OBJECT
from tpm2_pytss import TPML_DIGEST_VALUES
from tpm2_pytss import TPML_PCR_SELECTION
from tpm2_pytss import TPMT_HA
from tpm2_pytss import TPMT_SIG_SCHEME
from tpm2_pytss import TPMT_SYM_DEF
from tpm2_pytss import TPMU_HA
from tpm2_pytss import TSS2_Exception
from tpm2_pytss.utils import NoSuchIndex
from tpm2_pytss.utils import create_ek_template

EK_HANDLE = 0x81010001
ALL_PCRS = range(24)
# Where a key's object, and sessions, stay behind if their user was killed:
# swtpm has no resource manager.
_LEFT_BEHIND = (0x80000000, 0x02000000, 0x03000000)
_OF_ONE_READ = 8
_AK = "rsa2048:rsassa-sha256:null"
_AK_ATTRIBUTES = (
    TPMA_OBJECT.RESTRICTED
    | TPMA_OBJECT.SIGN_ENCRYPT
    | TPMA_OBJECT.USERWITHAUTH
    | TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN
)


class Signed(NamedTuple):
    """What the attestation key has signed."""

    message: bytes
    signature: bytes


class Chip:
    """A TPM.

    :param tcti: how to reach it, as tpm2-tss writes that
    """

    def __init__(self, tcti: str) -> None:
        self._lock = threading.Lock()
        self._esapi = ESAPI(tcti)
        self._flush()
        self._ek = self._endorsement_key()
        ek_public = self._esapi.read_public(self._ek)[0]
        self.ek_public: bytes = ek_public.marshal()
        self.ek_der: bytes = ek_public.to_der()
        self._ak, ak_public, *_ = self._esapi.create_primary(
            TPM2B_SENSITIVE_CREATE(),
            # The same at each start: derived from the TPM's seed.
            TPM2B_PUBLIC.parse(_AK, objectAttributes=_AK_ATTRIBUTES),
            ESYS_TR.ENDORSEMENT,
        )
        self.ak_public: bytes = ak_public.marshal()

    @contextlib.contextmanager
    def _used(self) -> Iterator[ESAPI]:
        with self._lock:
            yield self._esapi

    def _flush(self) -> None:
        for first in _LEFT_BEHIND:
            _, found = self._esapi.get_capability(TPM2_CAP.HANDLES, first, 16)
            for handle in found.data.handles:
                with contextlib.suppress(TSS2_Exception):
                    self._esapi.flush_context(
                        self._esapi.tr_from_tpmpublic(handle)
                    )

    def _endorsement_key(self) -> ESYS_TR:
        try:
            return self._esapi.tr_from_tpmpublic(EK_HANDLE)
        except TSS2_Exception:
            pass

        def no_template(_index: int) -> bytes:
            raise NoSuchIndex(_index)

        _, template = create_ek_template("EK-RSA2048", no_template)
        key, *_ = self._esapi.create_primary(
            TPM2B_SENSITIVE_CREATE(), template, ESYS_TR.ENDORSEMENT
        )
        kept = self._esapi.evict_control(ESYS_TR.OWNER, key, EK_HANDLE)
        self._esapi.flush_context(key)
        return kept

    def extend(self, pcr: int, digest: bytes) -> None:
        """Extend a PCR of the SHA-256 bank."""
        with self._used() as esapi:
            esapi.pcr_extend(ESYS_TR(pcr), _digests(digest))

    def reset(self, pcr: int) -> None:
        """Set a PCR to zeros, if it is one of those that can be: 16 and 23."""
        with self._used() as esapi:
            esapi.pcr_reset(ESYS_TR(pcr))

    def read(self, pcr: int) -> bytes:
        """Return what a PCR holds."""
        with self._used() as esapi:
            return _read(esapi, [pcr])[0]

    def activate(self, blob: bytes) -> bytes:
        """Return the secret of a registrar's challenge.

        :param blob: as tpm2-tools write it: magic, version, two structures
        """
        if struct.unpack_from(">II", blob) != (0xBADCC0DE, 1):
            raise ValueError("not a challenge")
        credential, used = TPM2B_ID_OBJECT.unmarshal(blob[8:])
        secret, _ = TPM2B_ENCRYPTED_SECRET.unmarshal(blob[8 + used :])
        with self._used() as esapi:
            session = esapi.start_auth_session(
                ESYS_TR.NONE,
                ESYS_TR.NONE,
                TPM2_SE.POLICY,
                TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL),
                TPM2_ALG.SHA256,
            )
            esapi.policy_secret(ESYS_TR.ENDORSEMENT, session, b"", b"", b"", 0)
            known = esapi.activate_credential(
                self._ak,
                self._ek,
                credential,
                secret,
                session1=ESYS_TR.PASSWORD,
                session2=session,
            )
            return bytes(known)

    def quote(
        self,
        nonce: bytes,
        pcrs: Sequence[int],
        bound: bytes | None = None,
    ) -> tuple[Signed, bytes]:
        """Return a quote, and the PCRs in tpm2-tools' layout.

        :param bound: what PCR 16 shall vouch for: reset and extended by it
        """
        with self._used() as esapi:
            if bound is not None:
                esapi.pcr_reset(ESYS_TR.PCR16)
                esapi.pcr_extend(
                    ESYS_TR.PCR16, _digests(sha256(bound).digest())
                )
            quoted, signature = esapi.quote(
                self._ak,
                TPML_PCR_SELECTION.parse(_bank(pcrs)),
                TPM2B_DATA(nonce),
                TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL),
            )
            values = _read(esapi, pcrs)
        signed = Signed(bytes(quoted), signature.marshal())
        return signed, _layout(pcrs, values)

    def certify_key(self, nonce: bytes) -> Signed:
        """Return a proof that the attestation key is in this TPM."""
        with self._used() as esapi:
            certified, signature = esapi.certify(
                self._ak,
                self._ak,
                TPM2B_DATA(nonce),
                TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL),
                session2=ESYS_TR.PASSWORD,
            )
        return Signed(bytes(certified), signature.marshal())


def _digests(digest: bytes) -> TPML_DIGEST_VALUES:
    return TPML_DIGEST_VALUES(
        [TPMT_HA(hashAlg=TPM2_ALG.SHA256, digest=TPMU_HA(sha256=digest))]
    )


def _bank(pcrs: Sequence[int]) -> str:
    return "sha256:" + ",".join(map(str, pcrs))


def _read(esapi: ESAPI, pcrs: Sequence[int]) -> list[bytes]:
    values: list[bytes] = []
    for start in range(0, len(pcrs), _OF_ONE_READ):
        part = _bank(pcrs[start : start + _OF_ONE_READ])
        values += [bytes(value) for value in esapi.pcr_read(part)[2]]
    return values


def _layout(pcrs: Sequence[int], values: Sequence[bytes]) -> bytes:
    """Return what ``tpm2_quote --pcrs`` would write: C structures."""
    mask = sum(1 << pcr for pcr in pcrs).to_bytes(3, "little")
    selection = struct.pack("<IHB3s2x", 1, TPM2_ALG.SHA256, 3, mask)
    parts = [
        values[start : start + _OF_ONE_READ]
        for start in range(0, len(values), _OF_ONE_READ)
    ]
    written = selection + bytes(8 * 15) + struct.pack("<I", len(parts))
    for part in parts:
        written += struct.pack("<I", len(part))
        for value in part:
            written += struct.pack("<H64s", len(value), value)
        written += bytes(66) * (_OF_ONE_READ - len(part))
    return written
