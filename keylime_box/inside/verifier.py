# SPDX-License-Identifier: Apache-2.0
"""Keylime's verifier, which heeds ``request_timeout`` in its configuration.

Keylime 7.14.3 alone reads it in a ``main`` that nothing calls any more, so
that a node that hangs is waited for for a minute, whatever is configured.
This is that one line; all else is as Keylime has it.
"""

from keylime import cloud_verifier_tornado
from keylime import config
from keylime.cmd.verifier import main

if __name__ == "__main__":
    cloud_verifier_tornado.exclude_db["request_timeout"] = config.getfloat(
        "verifier", "request_timeout"
    )
    main()
