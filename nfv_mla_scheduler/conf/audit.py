# SPDX-License-Identifier: Apache-2.0
"""The options about the audit ledger."""

from __future__ import annotations

from oslo_config import cfg

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "audit_dir",
        default="",
        help="""
Directory of the audit ledger (GR NFV-SEC 009 clause 6.2).

Each process that records keeps a chain of its own in a directory of its own
here, named by host, service and a number. All services of a host may share
one directory. It must exist, on a local disk.

Possible values:

* An absolute path. Empty (the default): no events are written, and profiles
  that need an audit ledger are refused.

Related options:

* ``audit_key_file`` must be set as well
* ``audit_queue_size``
""",
    ),
    cfg.StrOpt(
        "audit_key_file",
        default="",
        help="""
File with the private key that signs the ledger's checkpoints.

PEM without a passphrase, readable by its owner alone, as ``openssl genpkey
-algorithm ed25519`` makes it. While it cannot be read, events are still
written and chained, but nothing of it is signed, and profiles that need an
audit ledger are refused.

Possible values:

* An absolute path

Related options:

* ``audit_dir`` must be set as well
""",
    ),
    cfg.FloatOpt(
        "audit_checkpoint_interval_s",
        default=60.0,
        min=1.0,
        max=3600.0,
        help="""
How often the ledger is signed, in seconds.

What follows the last checkpoint can be removed unseen by whoever can write the
files. A checkpoint is also written after 4096 entries, when a file is full,
and when the process ends.
""",
    ),
    cfg.IntOpt(
        "audit_segment_mib",
        default=64,
        min=1,
        max=4096,
        help="""
How large a file of the ledger grows before the next one is begun, in MiB.

The ledger never removes a file. Whoever moves old ones elsewhere keeps them
together with a checkpoint.
""",
    ),
    cfg.FloatOpt(
        "audit_seal_interval_s",
        default=5.0,
        min=0.1,
        max=60.0,
        help="""
How often a block is written for each trust domain whose entries are sealed, in
seconds.

There is one in each interval and of one size, whether there is anything to say
or not, so that nobody sees when a sealed domain is busy. What is done to its
servers waits for it. With the default each process writes about 100 MiB a day
for each such domain.
""",
    ),
    cfg.IntOpt(
        "audit_queue_size",
        default=10000,
        min=16,
        max=1000000,
        help="""
How many audit events may wait to be written.

Placement never waits for the disk. Events beyond this number are dropped,
and an event says how many.

Related options:

* ``audit_dir``
""",
    ),
]
