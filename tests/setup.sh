#!/usr/bin/env bash
# Everything that the tests need on a Debian 12 machine: cross compiler and LLVM tools from the system's own
# suite, and the newest qemu-user that Debian has, unpacked beside the system (never installed over it).
# Safe to run again; takes a second when everything is there.
#
#   tests/setup.sh             set up what is missing
#   tests/setup.sh --refresh   also look for a newer qemu
#
# VMJIT_TOOLS names the folder for downloads (default: ~/.cache/vm-engine-jit).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/apt.sh
. "$HERE/support/apt.sh"

# What the tests run: native and cross compilers, objdump/readelf of both, llvm-mc and llvm-objdump.
SYSTEM_PACKAGES=(gcc g++ gcc-riscv64-linux-gnu g++-riscv64-linux-gnu binutils-riscv64-linux-gnu llvm)
# Newest first; the first suite that has qemu-user wins.
QEMU_SUITES=(sid trixie)
QEMU_PROGRAMS=(qemu-riscv64 qemu-aarch64)

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root and no sudo; run as root: $*"
    fi
}

install_system_packages() {
    local missing=() package
    for package in "${SYSTEM_PACKAGES[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
            missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
        debian-archive-keyring "${missing[@]}" >/dev/null
}

# The interpreter that an ELF image names, empty when it is static.
elf_interpreter() {
    LC_ALL=C readelf -lW "$1" | sed -n 's/.*Requesting program interpreter: \(.*\)]/\1/p'
}

# unpack_qemu: takes the programs (and shared libraries, should they be linked dynamically) out of the packages.
unpack_qemu() {
    local root=$1 deb program interpreter
    rm -rf -- "$root.new"
    mkdir -p "$root.new"
    for deb in "$APT_ARCHIVES"/*.deb; do
        case ${deb##*/} in
        qemu-user_*)
            # Two of about forty programs: the whole package would be 450 MB.
            dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root.new" "${QEMU_PROGRAMS[@]/#/./usr/bin/}"
            ;;
        *) dpkg -x "$deb" "$root.new" ;;
        esac
    done
    rm -rf -- "$root"
    mv "$root.new" "$root"
    mkdir -p "$TOOLS/bin"
    for program in "${QEMU_PROGRAMS[@]}"; do
        interpreter=$(elf_interpreter "$root/usr/bin/$program")
        if [ -z "$interpreter" ]; then
            ln -sfn "../qemu/usr/bin/$program" "$TOOLS/bin/$program"
            continue
        fi
        # Linked dynamically, against newer libraries than the system's: its own loader finds them.
        {
            printf '#!/bin/sh\n# Written by tests/setup.sh.\n'
            printf "root='%s'\n" "$root"
            printf 'libs=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu:$root/usr/lib:$root/lib\n'
            printf 'exec "$root%s" --library-path "$libs" "$root/usr/bin/%s" "$@"\n' "$interpreter" "$program"
        } >"$TOOLS/bin/$program.new"
        chmod 755 "$TOOLS/bin/$program.new"
        mv "$TOOLS/bin/$program.new" "$TOOLS/bin/$program"
    done
}

install_qemu() {
    local refresh=$1 suite candidate installed
    if [ "$refresh" = no ] && "$TOOLS/bin/qemu-riscv64" --version >/dev/null 2>&1; then
        return 0
    fi
    for suite in "${QEMU_SUITES[@]}"; do
        apt_world "qemu-$suite" "$(dpkg --print-architecture)" "$suite"
        apt_update
        candidate=$(apt-cache "${APT_OPTIONS[@]}" policy qemu-user | sed -n 's/^ *Candidate: //p')
        case $candidate in '' | '(none)') continue ;; esac
        installed=$(cat "$TOOLS/qemu.version" 2>/dev/null || true)
        if [ "$installed" = "$candidate" ] && [ -x "$TOOLS/bin/qemu-riscv64" ]; then
            return 0
        fi
        say "fetching qemu-user $candidate from $suite"
        apt_download qemu-user
        unpack_qemu "$TOOLS/qemu"
        printf '%s\n' "$candidate" >"$TOOLS/qemu.version"
        rm -f -- "$APT_ARCHIVES"/*.deb
        return 0
    done
    die "no qemu-user in the suites: ${QEMU_SUITES[*]}"
}

# A program that is compiled, linked dynamically and run proves compiler, sysroot and emulator at once.
self_test() {
    local dir output
    dir=$(mktemp -d)
    printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >"$dir/hello.c"
    riscv64-linux-gnu-gcc -O1 -o "$dir/hello" "$dir/hello.c" || die "the riscv64 cross compiler does not work"
    output=$("$TOOLS/bin/qemu-riscv64" -L /usr/riscv64-linux-gnu "$dir/hello") || die "qemu-riscv64 does not run"
    rm -rf -- "$dir"
    [ "$output" = hello ] || die "qemu-riscv64 printed \"$output\" instead of \"hello\""
}

main() {
    local refresh=no tool
    case ${1-} in
    '') ;;
    --refresh) refresh=yes ;;
    -h | --help) usage && exit 0 ;;
    *) die "unknown argument \"$1\" (see --help)" ;;
    esac
    [ -r /etc/debian_version ] || die "this script knows Debian only"
    install_system_packages
    install_qemu "$refresh"
    for tool in gcc g++ riscv64-linux-gnu-gcc riscv64-linux-gnu-g++ riscv64-linux-gnu-objdump llvm-mc llvm-objdump; do
        command -v "$tool" >/dev/null || die "missing tool: $tool"
    done
    self_test
    say "gcc          $(gcc -dumpfullversion), riscv64 $(riscv64-linux-gnu-gcc -dumpfullversion)"
    say "llvm         $(llvm-mc --version | sed -n 's/.*LLVM version //p')"
    say "qemu-riscv64 $("$TOOLS/bin/qemu-riscv64" --version | sed -n '1s/.*version //p') in $TOOLS/bin"
}

main "$@"
