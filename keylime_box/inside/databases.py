# SPDX-License-Identifier: Apache-2.0
"""Make Keylime's two databases, empty: every box starts with copies of them.

    .keylime/bin/python -m keylime_box.inside.databases DIRECTORY

Keylime makes one by all the steps of its history, which takes longer than all
the rest of its start.
"""

import os
import sys
from pathlib import Path

from keylime_box import settings


def main(directory: Path) -> None:
    """Write both into a directory."""
    directory.mkdir()
    texts = {
        "verifier": settings.verifier(settings.Settings(), directory, 1),
        "registrar": settings.registrar(directory, 1, 2),
        "logging": settings.logging(),
    }
    os.environ["KEYLIME_DIR"] = str(directory)
    for name, text in texts.items():
        path = directory / f"{name}.conf"
        path.write_text(text)
        os.environ[f"KEYLIME_{name.upper()}_CONFIG"] = str(path)
    # Only now, as it reads the environment when it is imported.
    from keylime.common.migrations import apply

    for database in ("cloud_verifier", "registrar"):
        apply(database)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
