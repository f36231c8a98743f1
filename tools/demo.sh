#!/bin/sh
# Run the demo in an environment of its own; options go to the demo:
#     tools/demo.sh --serve
set -eu
exec "$(dirname "$0")/with-env.sh" python -m demo "$@"
