# SPDX-License-Identifier: Apache-2.0
"""Against real Keylime, in a box (``keylime_box``), by themselves:

    tools/keylime-box deps && tools/keylime-box env
    stestr run --test-path tests/integration_keylime

A plain ``stestr run`` leaves them out (``tests/__init__.py``), as they need
Debian packages.  Without these they fail, and say what to do.
"""
