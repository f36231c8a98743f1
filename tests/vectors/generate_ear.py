# SPDX-License-Identifier: Apache-2.0
"""Write the vectors: ``python -m tests.vectors.generate_ear``.

What each expects is written down in ``ear_good.py`` and ``ear_bad.py``, and is
not what our reader says.
"""

from __future__ import annotations

import json
import pathlib

from tests.vectors import ear_bad
from tests.vectors import ear_good
from tests.vectors.ear_making import Case

DIRECTORY = pathlib.Path(__file__).parent / "ear"


def cases() -> dict[str, Case]:
    """Return name -> vector, all of them."""
    good, bad = ear_good.cases(), ear_bad.cases()
    assert not good.keys() & bad.keys()
    return {**good, **bad}


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    for path in DIRECTORY.glob("*.json"):
        path.unlink()
    for name, case in cases().items():
        text = json.dumps(case.as_json(), indent=1, ensure_ascii=True)
        (DIRECTORY / f"{name}.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
