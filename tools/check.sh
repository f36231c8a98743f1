#!/bin/sh
# Lint, types and documentation, in the environment that is active:
#     tools/with-env.sh tools/check.sh [lint] [types] [docs]
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- lint types docs
for check in "$@"; do
    case "$check" in
    lint)
        ruff check nfv_mla_scheduler tests demo tools bench keylime_box
        ruff format --check --diff \
            nfv_mla_scheduler tests demo tools bench keylime_box
        ;;
    types) mypy ;;
    docs) sphinx-build -q -W --keep-going -b html doc/source doc/build ;;
    *)
        echo "tools/check.sh: there is no check '$check'" >&2
        exit 2
        ;;
    esac
done
