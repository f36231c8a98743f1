# SPDX-License-Identifier: Apache-2.0
"""The base class of tests that share one cloud among the tests of a class.

A cloud starts in some seconds and is cleared in some tenths of one.  A test
that needs a cloud of its own uses ``cloud.Cloud`` as a fixture instead.
"""

from __future__ import annotations

import typing as ty

import testtools

from tests.cloud import client
from tests.cloud import cloud
from tests.cloud import description


class CloudTestCase(testtools.TestCase):
    """Tests in a cloud that is empty whenever one of them starts."""

    description: ty.ClassVar[description.Description]

    cloud: ty.ClassVar[cloud.Cloud]
    admin: ty.ClassVar[client.Client]
    tenant: ty.ClassVar[client.Client]
    other_tenant: ty.ClassVar[client.Client]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cloud = cloud.Cloud(cls.description).start()
        cls.addClassCleanup(cls.cloud.stop)
        cls.admin = cls.cloud.client(description.ADMIN)
        cls.tenant = cls.cloud.client(description.TENANT)
        cls.other_tenant = cls.cloud.client(description.OTHER_TENANT)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.cloud.clear)
