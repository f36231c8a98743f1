# SPDX-License-Identifier: Apache-2.0
"""Whether this machine has what a box needs.  Starts one process to see."""

import subprocess
from pathlib import Path

from keylime_box.errors import NotInstalled

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".keylime" / "bin" / "python"
DATABASES = ROOT / ".keylime" / "databases"
TOOL = ROOT / "tools" / "keylime-box"


def check() -> None:
    """Return if all is here.

    :raises NotInstalled: one line that says what is missing and what to run
    """
    asked = subprocess.run(
        [TOOL, "check"], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        said = (asked.stdout + asked.stderr).strip().splitlines()
        raise NotInstalled(" ".join(said))
