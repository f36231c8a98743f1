# SPDX-License-Identifier: Apache-2.0
"""A box for people: ``tools/keylime-box run``."""

import argparse
import signal
import uuid

from keylime_box.box import Box
from keylime_box.golden import measured
from keylime_box.policy import Policy
from keylime_box.settings import PUSH
from keylime_box.settings import Settings

_TAG_PCR = 15


def main() -> None:
    """Start a box, say where it is, wait for Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="tools/keylime-box run", description=main.__doc__
    )
    parser.add_argument(
        "--nodes", type=int, default=1, metavar="N", help="how many (1)"
    )
    parser.add_argument(
        "--push", action="store_true", help="the nodes push their quotes"
    )
    asked = parser.parse_args()
    try:
        # Whoever ends it by SIGTERM gets it as tidy as by Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with Box(chosen=PUSH if asked.push else Settings()) as box:
            _show(box, asked.nodes)
            signal.pause()
    except KeyboardInterrupt:
        print("\nEnded; nothing is left of it.")


def _show(box: Box, count: int) -> None:
    tag = b"region=1"
    ids = [str(uuid.uuid4()) for _ in range(count)]
    nodes = box.nodes(ids, {_TAG_PCR: tag})
    for node in nodes:
        box.enrol(node, Policy(pcrs={_TAG_PCR: [measured(tag)]}))
    for name, value in box.options().items():
        print(f"{name} = {','.join(value) if name == 'verifiers' else value}")
    print()
    for node in nodes:
        print(f"node {node.agent_id}")
        print(f"    endorsement key: sha256:{node.ek_sha256}")
    base = f"curl --cacert {box.ca_file} --cert {box.client_cert}"
    print(f"\n{base} --key {box.client_key} \\")
    print(f"    '{box.verifier_url}/v2.6/agents/?bulk=true'")
    print("\nCtrl-C ends it.", flush=True)


if __name__ == "__main__":
    main()
