#!/bin/sh
# Run the story with Keylime in an environment of its own:
#     tools/keylime-box deps && tools/keylime-box env && tools/demo-keylime.sh
set -eu
tools=$(dirname "$0")
missing=$("$tools/keylime-box" check) || {
    # shellcheck disable=SC2086
    echo demo-keylime: $missing >&2
    exit 1
}
exec "$tools/with-env.sh" python -m demo.keylime "$@"
