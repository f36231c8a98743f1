#!/bin/sh
# Make an environment with tox in it, once, and run tox there.
# Needs Python 3.11 or later with venv and pip, and git.
set -eu
cd "$(dirname "$0")/.."
python=python3
command -v python3.11 >/dev/null 2>&1 && python=python3.11
if [ ! -x .venv/bin/tox ]; then
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet 'tox>=4.11,<5'
fi
exec .venv/bin/tox run "$@"
