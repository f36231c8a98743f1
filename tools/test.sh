#!/bin/sh
# Run all tests in an environment of their own: unit, functional against a
# real Nova, and Nova's own functional tests with our filter enabled.
set -eu
cores=$(getconf _NPROCESSORS_ONLN)
# More workers than cores: stestr deals classes out before any has run, and the
# first time it does not know how long they take.
"$(dirname "$0")/with-env.sh" stestr run --concurrency "$((cores + 2))" "$@"
# These are dealt out as workers get free, and wait now and then.
exec "$(dirname "$0")/with-env.sh" \
    python -m tests.nova_own --once --workers "$((cores + 1))"
