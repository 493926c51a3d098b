#!/bin/sh
# Takes vmjit's place in tests whose guests start other guests, which qemu-riscv64 cannot do by itself: the sysroot
# becomes the root folder of a namespace of its own, in which the kernel starts riscv64 programs by qemu-riscv64.
# Needs no rights, but a kernel (6.7 or newer) that has binfmt_misc in user namespaces.
#
#   VMJIT_BIN=$PWD/tests/support/stand_in.sh cargo test --test acceptance                         under qemu-riscv64
#   VMJIT_STAND_IN=native VMJIT_BIN=$PWD/tests/support/stand_in.sh cargo test --test acceptance   the native twins
set -eu

TOOLS=${VMJIT_TOOLS:-$HOME/.cache/vm-engine-jit}
MAGIC='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00'
MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

# Inside the namespace. An empty folder for the mounts: whatever /mnt holds is hidden from this process only.
if [ "${1-}" = --inside ]; then
    root=$2 && shift 2
    mount -t binfmt_misc none /mnt
    # F: qemu is opened now, since the new root has none; P: the guest keeps its own name.
    printf ':vmjit:M::%s:%s:%s:PF' "$MAGIC" "$MASK" "$TOOLS/bin/qemu-riscv64" >/mnt/register
    folder=$(pwd -P)
    mount -t tmpfs none /mnt
    for entry in "$root"/*; do
        name=${entry##*/}
        if [ -L "$entry" ]; then
            ln -s "$(readlink "$entry")" "/mnt/$name"
        elif [ -d "$entry" ]; then
            mkdir "/mnt/$name" && mount --bind "$entry" "/mnt/$name"
        fi
    done
    for name in dev proc sys tmp; do
        mkdir "/mnt/$name" && mount --rbind "/$name" "/mnt/$name"
    done
    mkdir -p "/mnt/$folder" && mount --bind "$folder" "/mnt/$folder"
    # A program from elsewhere lies beside the others.
    case $1 in
    /mnt/*) ;;
    /usr/bin/*) [ -e "$root$1" ] ;;
    *) mkdir -p "/mnt/${1%/*}" && mount --bind "${1%/*}" "/mnt/${1%/*}" ;;
    esac
    exec unshare --root=/mnt --wd="$folder" "$@"
fi

[ "$1" = run ]
shift
while :; do
    case $1 in
    -L) library=$2 && shift 2 ;;
    --tier) shift 2 ;;
    *) break ;;
    esac
done
program=$1 && shift
case $program in "$library"/*) program=${program#"$library"} ;; esac
if [ "${VMJIT_STAND_IN-qemu}" = native ]; then
    library=$TOOLS/sysroot-$(dpkg --print-architecture)
fi
exec unshare --user --map-root-user --mount "$0" --inside "$library" "$program" "$@"
