# SPDX-License-Identifier: Apache-2.0
"""The base class of tests against real Keylime: a box for each class."""

from __future__ import annotations

import typing as ty
import unittest
import uuid

from keylime_box.box import Box
from keylime_box.golden import measured
from keylime_box.node import Node
from keylime_box.policy import Policy
from keylime_box.settings import Settings
from keylime_box.tenant import Record
from keylime_box.tenant import fails
from keylime_box.tenant import passes

#: What is measured into PCR 15 of every node at each of its boots.
TAG = b"region=1"
PINNED = Policy(pcrs={15: [measured(TAG)]})


def is_silent(record: Record) -> bool:
    """Whether the verifier has given a node up that does not answer."""
    return fails(record) and "not_reachable" in str(record["last_event_id"])


class BoxedTest(unittest.TestCase):
    """Tests that share a box; each has nodes of its own."""

    chosen: ty.ClassVar[Settings] = Settings()
    box: ty.ClassVar[Box]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.box = cls.enterClassContext(Box(chosen=cls.chosen))

    def node(self, policy: Policy | None = PINNED) -> Node:
        """Return a node, enrolled and attested, until the test is over.

        :param policy: None: it is registered alone
        """
        node = self.box.node(str(uuid.uuid4()), {15: TAG})
        self.addCleanup(self.box.remove, node)
        if policy is not None:
            self.box.enrol(node, policy)
            self.box.wait(node, passes)
        return node
