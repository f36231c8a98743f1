#!/bin/sh
# Run a command in the project's own environment, which is made at the first
# call and anew whenever the files of requirements change:
#     tools/with-env.sh stestr run --test-path tests/unit
# Needs Python 3.11 or later with venv and pip, and git.
set -eu
cd "$(dirname "$0")/.."

python=python3
if command -v python3.11 >/dev/null 2>&1; then
    python=python3.11
fi
wanted=$(cat constraints.txt requirements.txt test-requirements.txt \
    setup.cfg pyproject.toml | sha256sum | cut -d ' ' -f 1)
if [ "$(cat .venv/made-for 2>/dev/null || true)" != "$wanted" ]; then
    echo "Making the environment .venv; this takes a minute or two." >&2
    "$python" -m venv --clear .venv
    # Much of it is never imported; what is, is compiled then.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --no-compile \
        -c constraints.txt -r requirements.txt -r test-requirements.txt \
        --editable .
    echo "$wanted" >.venv/made-for
fi

PATH="$PWD/.venv/bin:$PATH"
PYTHONPATH="$PWD"
OS_NOVA_DISABLE_EVENTLET_PATCHING=1
PYTHONWARNINGS=ignore
# Nova's many modules are worth being compiled once.
unset PYTHONDONTWRITEBYTECODE
export PATH PYTHONPATH OS_NOVA_DISABLE_EVENTLET_PATCHING PYTHONWARNINGS
exec "$@"
