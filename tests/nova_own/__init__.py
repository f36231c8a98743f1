# SPDX-License-Identifier: Apache-2.0
"""Nova's own functional tests, from its wheel, without and with our filter.

Nova's tests are the best description there is of what a deployer may expect
of Nova.  None of their servers asks for anything of ours, so with our filter
in front of Nova's every one of them must end as it does without.

    python -m tests.nova_own            # the arm without from expected.json
    python -m tests.nova_own --once     # each test function in one class
    python -m tests.nova_own --both --all
    python -m tests.nova_own --record   # write expected.json anew

``bootstrap`` makes Nova's tests run outside its source tree, lets a callable
change the configuration of each, and counts what schedulers asked of which
filter; ``worker`` runs tests in a process of its own and ``pool`` keeps
several busy; ``injections`` holds the callables, ``expectation`` the file.
"""
