#!/bin/sh
# Run all tests in an environment of their own: unit, functional against a
# real Nova, and Nova's own functional tests with our filter enabled.
set -eu
"$(dirname "$0")/with-env.sh" stestr run "$@"
exec "$(dirname "$0")/with-env.sh" python -m tests.nova_own --once
