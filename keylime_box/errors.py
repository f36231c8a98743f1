# SPDX-License-Identifier: Apache-2.0
"""What a box raises: one line that says what is wrong, and what to do."""


class BoxError(Exception):
    """The box could not do what it was asked to."""


class NotInstalled(BoxError):
    """Something that the box needs is missing on this machine."""
