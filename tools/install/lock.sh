#!/usr/bin/env bash
# Locks the dependencies anew: versions and hashes, and no address of an index, so that
# a machine installs from whatever index it is configured for.
set -euo pipefail
cd "$(dirname "$0")/../.."
uv=.venv/bin/uv
"$uv" lock "$@"
sed -i -E 's/url = "[^"]*\/([^"\/]+)", /filename = "\1", /; s#registry = "[^"]*"#registry = "index"#' uv.lock
