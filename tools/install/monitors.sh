#!/usr/bin/env bash
# Prometheus and Alertmanager for the tests and the stack, and Chromium where it is asked for (`monitors.sh chromium`):
# Debian's packages, installed once where this is root, and started never. Elsewhere the line to type; the tests that
# need them are then skipped, and say so. Never fails. SWERVE_INSTALL=no installs nothing.
set -uo pipefail
missing=()
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
command -v amtool >/dev/null || missing+=(prometheus-alertmanager)
if [[ ${1:-} == chromium ]]; then
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing+=(chromium)
fi
((${#missing[@]})) || exit 0
line="apt-get update && apt-get install -y ${missing[*]}"
if [[ $EUID -ne 0 || "${SWERVE_INSTALL:-yes}" == no ]] || ! command -v apt-get >/dev/null; then
  echo "not here, so not tested: ${missing[*]}; $line" >&2
  exit 0
fi
echo "installing ${missing[*]}, once; SWERVE_INSTALL=no leaves the machine as it is" >&2
policy=/usr/sbin/policy-rc.d # Debian's own way to say that an installation starts no service
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "${missing[@]}"; }
if ! said=$({ install || { apt-get update -qq && install; }; } 2>&1 </dev/null); then
  tail -n 3 <<<"$said" >&2
  echo "not installed, so not tested: ${missing[*]}; $line" >&2
fi
exit 0
