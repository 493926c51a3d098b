#!/usr/bin/env bash
# Sets up what the tests need, then runs them all; arguments go to cargo test. Everything after the first time is
# quick but the tests themselves.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tests/setup.sh
bash tests/packages.sh
exec cargo test --release --no-fail-fast "$@"
