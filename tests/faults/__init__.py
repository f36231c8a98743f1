# SPDX-License-Identifier: Apache-2.0
"""A monitor that is killed, and a Nova that fails, at any request.

A real monitor in a process of its own (``zygote.py``, ``process.py``) speaks
to a real Nova and Placement over HTTP, through a proxy of ours (``proxy.py``).
``stories.py`` says what happens to hosts and servers, ``faulty.py`` plays it.

Not all faults are tried by default, which takes two minutes or so on two
cores: ``NFV_MLA_FAULTS=all`` in the environment (``tox -e monitor-faults``)
has all of them tried that can make a difference, ``every`` each request of
each story both ways, which takes more than an hour.
"""

# Before anything imports nova.
import tests.cloud  # noqa: F401
