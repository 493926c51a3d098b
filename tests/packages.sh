#!/usr/bin/env bash
# Real riscv64 Debian programs as guests: downloads packages with all they depend on and unpacks them into one
# folder, without installing anything. Safe to run again; takes a second when everything is there.
# Downloads about 225 MB: 175 MB of riscv64 packages and 50 MB of the Go compiler, which runs natively.
#
#   tests/packages.sh             riscv64 packages in $VMJIT_TOOLS/sysroot-riscv64, Go in $VMJIT_TOOLS/go
#   tests/packages.sh --native    also their native twins in $VMJIT_TOOLS/sysroot-<architecture>, for benches and
#                                 for the answers of tests/acceptance.rs (160 MB more)
#   tests/packages.sh --refresh   unpack again, from the newest versions
#
# VMJIT_TOOLS names the folder for downloads (default: ~/.cache/vm-engine-jit).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/apt.sh
. "$HERE/support/apt.sh"

SUITE=trixie
# Raise it when what this script makes of the packages changes: existing folders are then unpacked again.
LAYOUT=3
PACKAGES=(bash bc busybox coreutils dash diffutils file findutils g++ gawk gcc git grep gzip libc6 libc6-dev
    libgcc-s1 libstdc++6 lua5.4 make mawk musl-dev musl-tools nodejs openssl perl procps python3 redis-server
    redis-tools sed sqlite3 tar xz-utils zstd)
# Compiles Go programs for riscv64 on this machine; what it needs of the C library, the machine has.
GO_PACKAGES=(golang-go golang-src)

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

# unpack ARCH ROOT: downloads PACKAGES for ARCH and unpacks them into ROOT.
unpack() {
    local arch=$1 root=$2 deb directory
    say "fetching ${#PACKAGES[@]} packages and what they need, $arch"
    apt_world "packages-$arch" "$arch" "$SUITE"
    apt_update
    # base-files holds the links /bin -> usr/bin and so on of a merged /usr.
    apt_download base-files "${PACKAGES[@]}"
    rm -rf -- "$root.new"
    mkdir -p "$root.new/usr"
    for directory in bin sbin lib; do
        mkdir -p "$root.new/usr/$directory"
        ln -s "usr/$directory" "$root.new/$directory"
    done
    # The dynamic linker's path is /lib64/… on amd64 and /lib/… on riscv64.
    [ "$arch" != amd64 ] || { mkdir -p "$root.new/usr/lib64" && ln -s usr/lib64 "$root.new/lib64"; }
    for deb in "$APT_ARCHIVES"/*.deb; do
        # Not dpkg -x, which would replace the links by directories.
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root.new"
        dpkg-deb -W --showformat '${Package} ${Version}\n' "$deb"
    done >"$root.new/versions"
    rm -rf -- "$root.new/usr/share/doc" "$root.new/usr/share/man" "$root.new/usr/share/locale" "$root.new/boot"
    fix_up "$root.new"
    wanted >"$root.new/packages"
    rm -rf -- "$root"
    mv "$root.new" "$root"
    rm -f -- "$APT_ARCHIVES"/*.deb
}

# unpack_go: the Go compiler for this machine, with the standard library's sources.
unpack_go() {
    local arch root=$TOOLS/go deb
    arch=$(dpkg --print-architecture)
    say "fetching ${GO_PACKAGES[*]}, $arch"
    apt_world "packages-$arch" "$arch" "$SUITE"
    apt_update
    apt_download "${GO_PACKAGES[@]}"
    rm -rf -- "$root.new"
    mkdir -p "$root.new"
    for deb in "$APT_ARCHIVES"/golang-*.deb; do
        dpkg -x "$deb" "$root.new"
        dpkg-deb -W --showformat '${Package} ${Version}\n' "$deb"
    done >"$root.new/versions"
    # One path whatever the version: $TOOLS/go/root.
    ln -s "$(basename "$root.new"/usr/lib/go-[0-9]*)" "$root.new/usr/lib/go"
    ln -s usr/lib/go "$root.new/root"
    wanted_go >"$root.new/packages"
    rm -rf -- "$root"
    mv "$root.new" "$root"
    rm -f -- "$APT_ARCHIVES"/*.deb
}

# fix_up ROOT: what the packages' installation scripts would have done and our programs need.
fix_up() {
    local root=$1 directory link target
    # A path that exists below -L hides the host's: these empty directories would hide the real ones.
    for directory in dev home media mnt opt proc root run srv sys tmp; do
        [ ! -d "$root/$directory" ] || rmdir "$root/$directory"
    done
    [ -e "$root/usr/bin/awk" ] || ln -s mawk "$root/usr/bin/awk"
    [ -e "$root/usr/bin/cc" ] || ln -s gcc "$root/usr/bin/cc"
    [ -e "$root/usr/bin/c++" ] || ln -s g++ "$root/usr/bin/c++"
    [ -e "$root/usr/bin/lua" ] || ln -s lua5.4 "$root/usr/bin/lua"
    [ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
    [ -e "$root/usr/bin/python3" ] || ln -s "$(basename "$root"/usr/bin/python3.[0-9]*)" "$root/usr/bin/python3"
    # The kernel would look for the target of an absolute link outside of ROOT.
    find "$root" -type l -lname '/*' | while read -r link; do
        target=$(readlink "$link")
        if [ -e "$root$target" ] || [ -L "$root$target" ]; then
            ln -sfn --relative "$root$target" "$link"
        fi
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
}

# What a complete folder was made from.
wanted() {
    printf 'layout %s: %s\n' "$LAYOUT" "${PACKAGES[*]}"
}

wanted_go() {
    printf 'layout %s: %s\n' "$LAYOUT" "${GO_PACKAGES[*]}"
}

# complete ROOT: whether ROOT was unpacked by this version of the script.
complete() {
    [ "$(cat "$1/packages" 2>/dev/null || true)" = "$(wanted)" ]
}

self_test() {
    local root=$1 qemu=$TOOLS/bin/qemu-riscv64 output
    [ -x "$qemu" ] || die "no $qemu; run tests/setup.sh first"
    # -E: the guest must not read the Python modules of the host.
    output=$("$qemu" -L "$root" "$root/usr/bin/python3" -E -S -c 'import json; print(json.dumps([1]))') ||
        die "python3 of $root does not run"
    [ "$output" = '[1]' ] || die "python3 of $root printed \"$output\" instead of \"[1]\""
}

main() {
    local refresh=no native=no arch root
    local architectures=(riscv64)
    while [ $# -gt 0 ]; do
        case $1 in
        --native) native=yes ;;
        --refresh) refresh=yes ;;
        -h | --help) usage && exit 0 ;;
        *) die "unknown argument \"$1\" (see --help)" ;;
        esac
        shift
    done
    [ "$native" = no ] || architectures+=("$(dpkg --print-architecture)")
    for arch in "${architectures[@]}"; do
        root=$TOOLS/sysroot-$arch
        if [ "$refresh" = yes ] || ! complete "$root"; then
            unpack "$arch" "$root"
        fi
        say "$arch: $(wc -l <"$root/versions") packages in $root"
    done
    root=$TOOLS/go
    if [ "$refresh" = yes ] || [ "$(cat "$root/packages" 2>/dev/null || true)" != "$(wanted_go)" ]; then
        unpack_go
    fi
    say "$(env -u GOROOT GOTOOLCHAIN=local "$root/root/bin/go" version) in $root"
    root=$TOOLS/sysroot-riscv64
    self_test "$root"
    awk -v wanted=" ${PACKAGES[*]} " 'index(wanted, " " $1 " ") { printf "  %-12s %s\n", $1, $2 }' "$root/versions"
}

main "$@"
