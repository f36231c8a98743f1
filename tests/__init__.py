# SPDX-License-Identifier: Apache-2.0
"""All tests; those against real Keylime are run by themselves.

Neither of the two is left out silently: a plain run says nothing of Keylime,
and ``--test-path tests/integration_keylime`` fails where it is not installed.
"""

import pathlib
import unittest

_BY_THEMSELVES = frozenset({"integration_keylime"})


def load_tests(
    loader: unittest.TestLoader,
    found: unittest.TestSuite,
    pattern: str | None,
) -> unittest.TestSuite:
    """Find the tests of every package here that is not run by itself."""
    here = pathlib.Path(__file__).parent
    for package in sorted(here.iterdir()):
        if package.name in _BY_THEMSELVES:
            continue
        if (package / "__init__.py").exists():
            found.addTests(
                loader.discover(
                    str(package),
                    pattern or "test*.py",
                    top_level_dir=str(here.parent),
                )
            )
    return found
