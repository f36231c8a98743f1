# SPDX-License-Identifier: Apache-2.0
"""Nova's own functional tests, from its wheel, without and with our filter.

Nova's tests are the best description there is of what a deployer may expect
of Nova.  None of their servers asks for anything of ours, so with our filter
in front of Nova's every one of them must end as it does without.

    python -m tests.nova_own                # both arms
    python -m tests.nova_own --expected     # the arm without from a file
    python -m tests.nova_own --record       # write that file anew

``bootstrap`` makes Nova's tests run outside its source tree, lets a callable
change the configuration of each, and counts what the scheduler asked of
which filter; ``worker`` runs test classes in a process of its own and
``pool`` keeps two of them busy; ``injections`` holds the callables.
"""
