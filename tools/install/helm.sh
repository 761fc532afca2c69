#!/usr/bin/env bash
# Prints the path of a helm: the machine's own, else one built once from its Go module into a cache outside the clone.
set -euo pipefail
version=v3.19.5
if command -v helm >/dev/null; then command -v helm; exit 0; fi
cache="${SWERVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swerve}/helm-$version"
if [[ ! -x "$cache/helm" ]]; then
  if [[ "${1:-}" == "--only-if-there" ]] || ! command -v go >/dev/null; then
    echo "no helm here; with Go 1.24 or newer, \`make helm-test\` builds $version once, which takes some minutes" >&2
    exit 3
  fi
  echo "building helm $version into $cache; this takes some minutes, once" >&2
  mkdir -p "$cache"
  GOBIN="$cache" nice go install "helm.sh/helm/v3/cmd/helm@$version" >&2
fi
echo "$cache/helm"
