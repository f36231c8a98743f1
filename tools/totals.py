# SPDX-License-Identifier: Apache-2.0
"""Print the totals of the last stestr run as ``N passed, N failed``.

Reads .stestr of the working directory; exits with 1 if anything failed, or
if nothing ran.
"""

from __future__ import annotations

import collections
import subprocess
import sys

import subunit
import testtools


def main() -> int:
    """Print the line; return the exit status."""
    counts: collections.Counter[str] = collections.Counter()

    def count(test: dict[str, str]) -> None:
        counts[test["status"]] += 1

    with subprocess.Popen(
        [sys.executable, "-m", "stestr", "last", "--subunit"],
        stdout=subprocess.PIPE,
    ) as stestr:
        stream = subunit.ByteStreamToStreamResult(
            stestr.stdout, non_subunit_name="stdout"
        )
        result = testtools.StreamToDict(count)
        result.startTestRun()
        stream.run(result)
        result.stopTestRun()
    passed = counts["success"] + counts["xfail"]
    failed = counts["fail"] + counts["inprogress"] + counts["uxsuccess"]
    skipped = f", {counts['skip']} skipped" if counts["skip"] else ""
    print(f"{passed} passed, {failed} failed{skipped}")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
