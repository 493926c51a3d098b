# shellcheck shell=bash
# Sourced by tests/setup.sh and tests/packages.sh: packages of other Debian suites and architectures, fetched
# with the machine's own apt but with lists, cache and dpkg status in a folder of our own, so that the system
# never learns of them. The mirror is whatever this machine already uses.

# Everything downloaded lives here; it may be deleted at any time and is rebuilt by the two scripts.
TOOLS=${VMJIT_TOOLS:-$HOME/.cache/vm-engine-jit}

die() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

say() {
    printf '%s: %s\n' "${0##*/}" "$*"
}

# The base URI of the Debian archive this machine is configured for (not its security archive).
debian_mirror() {
    local uri file
    uri=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 == "Debian" { print $2; exit }')
    if [ -z "$uri" ]; then
        # Nothing fetched yet: read the sources themselves, one-line and deb822 format.
        for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
            [ -r "$file" ] || continue
            uri=$(grep -Eho '^(deb |URIs:).*' "$file" | grep -Eo '[a-z+]+:/[^ ]*/debian/?( |$)' | head -n 1) || true
            [ -z "$uri" ] || break
        done
    fi
    [ -n "$uri" ] || die "no Debian archive found in this machine's apt sources"
    printf '%s\n' "${uri%% *}"
}

# apt_world NAME ARCH SUITE… : selects (and creates) the private apt state NAME; sets the array APT_OPTIONS.
apt_world() {
    local name=$1 arch=$2 dir mirror keyring suite
    shift 2
    dir=$TOOLS/apt/$name
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    : >"$dir/status"
    mirror=$(debian_mirror)
    # setup.sh keeps the package debian-archive-keyring current; it carries the keys of newer suites too, so the
    # signatures are checked like those of the system's own sources.
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || die "missing $keyring (apt-get install debian-archive-keyring)"
    for suite in "$@"; do
        printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite"
    done >"$dir/sources.list"
    APT_OPTIONS=(
        -o "Dir::State=$dir" -o "Dir::State::lists=$dir/lists" -o "Dir::State::status=$dir/status"
        -o "Dir::Cache=$dir/cache" -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null
        -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o Acquire::Languages=none
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
        # The folder may be closed to apt's own download user.
        -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Debug::NoLocking=1
    )
    APT_ARCHIVES=$dir/cache/archives
}

# Brings the lists of the selected world up to date.
apt_update() {
    apt-get "${APT_OPTIONS[@]}" -qq update || die "apt-get update failed for ${APT_ARCHIVES%/cache/archives}"
}

# apt_download PACKAGE… : downloads packages and all they depend on into APT_ARCHIVES (emptied first).
apt_download() {
    rm -f -- "$APT_ARCHIVES"/*.deb
    apt-get "${APT_OPTIONS[@]}" -qq -y --no-install-recommends --download-only install "$@" >/dev/null ||
        die "download failed: $*"
}
