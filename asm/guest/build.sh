#!/usr/bin/env bash
# Rebuilds the demo programs: asm/guest/bin/NAME.elf, and NAME.out, what qemu-riscv64 prints for it.
# The images are committed, so that examples and tests run where no riscv64 compiler is installed; the build
# leaves nothing of time or place in them. Needs tests/setup.sh.
#
#   asm/guest/build.sh           rebuild
#   asm/guest/build.sh --check   rebuild elsewhere and compare with the committed files
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
QEMU=${VMJIT_TOOLS:-$HOME/.cache/vm-engine-jit}/bin/qemu-riscv64
CC=riscv64-linux-gnu-gcc
# Code and data in segments of their own that share no page even on a host with 64 KiB pages, which costs nothing in
# the file; no notes: each image stays below 8 KiB.
FLAGS=(-static -nostdlib -fno-pie -no-pie -march=rv64gc -mabi=lp64d -s -Wa,-mno-arch-attr
    '-Wl,-z,norelro,-z,max-page-size=65536,--build-id=none,--gc-sections')
C_FLAGS=(-O2 -Wall -Wextra -Werror -ffreestanding -fno-ident -fno-asynchronous-unwind-tables -fno-stack-protector
    -mcmodel=medlow -msmall-data-limit=0 -ffp-contract=off)

build() {
    local out=$1 source name
    for source in *.c; do
        name=${source%.c}
        "$CC" "${C_FLAGS[@]}" "${FLAGS[@]}" -o "$out/$name.elf" start.S "$source"
    done
    for source in *.S; do
        name=${source%.S}
        [ "$name" = start ] || "$CC" "${FLAGS[@]}" -o "$out/$name.elf" "$source"
    done
    for name in "$out"/*.elf; do
        "$QEMU" "$name" >"${name%.elf}.out"
    done
}

case ${1-} in
'')
    mkdir -p bin
    build bin
    wc -c bin/*.elf
    ;;
--check)
    scratch=$(mktemp -d)
    trap 'rm -rf -- "$scratch"' EXIT
    build "$scratch"
    diff -r bin "$scratch" && echo 'asm/guest/bin is up to date'
    ;;
*)
    echo "unknown argument \"$1\" (only --check)" >&2
    exit 1
    ;;
esac
