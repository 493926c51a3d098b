#!/bin/sh
# Takes vmjit's place and runs the reference instead. With it the tests compare qemu-riscv64 with itself, which
# shows that the guest programs are deterministic:  VMJIT_BIN=$PWD/tests/support/reference.sh cargo test
set -eu
[ "$1" = run ]
shift
library=/nonexistent
while :; do
    case $1 in
    -L) library=$2 && shift 2 ;;
    --tier) shift 2 ;;
    # What is left, -E among it, means the same to qemu-riscv64.
    *) exec "${VMJIT_TOOLS:-$HOME/.cache/vm-engine-jit}/bin/qemu-riscv64" -L "$library" "$@" ;;
    esac
done
