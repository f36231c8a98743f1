#!/bin/sh
# Run all tests in an environment of their own.
set -eu
exec "$(dirname "$0")/with-tox.sh" -q -e tests,nova-own
