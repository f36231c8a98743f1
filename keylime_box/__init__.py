# SPDX-License-Identifier: Apache-2.0
"""Keylime in a box: real verifier, registrar and TPMs, for tests and people.

Needs what ``tools/keylime-box deps`` and ``tools/keylime-box env`` install.
Keylime itself runs in processes of its own environment; who imports this
package needs the standard library and cryptography.
"""
