#!/bin/bash
# Installs what building, testing and the one-node cluster need: the Debian packages of apt-packages.txt and a Go toolchain.
#
# usage: tools/deps.sh [SECTION...]      sections of apt-packages.txt; none: all of them but [rare], and Go
#
# Quick and without network when nothing is missing. Starts no service: packages that bring one are installed with the
# service held back. Removes no package of yours.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/apt-packages.txt
policy=/usr/sbin/policy-rc.d
policy_kept=$policy.before-stash
backports_source=/etc/apt/sources.list.d/stash-backports.list
oldest_go_minor=21  # fetches the toolchain that a go.mod asks for; older ones cannot

fail() {
  echo "deps: $*" >&2
  exit 1
}

# Packages of the given sections (none: of all but [rare]), with alternatives as written.
listed() {
  awk -v wanted=" $* " '
    /^#/ || /^$/ { next }
    /^\[/ { section = substr($1, 2, length($1) - 2); next }
    (wanted ~ /^ *$/ && section != "rare") || index(wanted, " " section " ") { print $1 }' "$list" | sort -u
}

missing() {
  local name status entry alternative
  local -A installed
  while read -r name status; do
    if [[ $status == installed ]]; then installed[$name]=1; fi
  done < <(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n')
  while read -r entry; do
    for alternative in ${entry//|/ }; do
      [[ -n ${installed[$alternative]:-} ]] && continue 2
    done
    echo "${entry%%|*}"
  done
}

be_able_to_install() {
  command -v apt-get >/dev/null || fail "this is for Debian and its relatives (no apt-get here); install the like of $list by hand"
  [[ $(id -u) == 0 ]] || fail "to install packages I must be root; missing: $*"
}

# invoke-rc.d and deb-systemd-invoke ask this file whether a service may start; 101 is no.
hold_services_back() {
  put_things_back  # what an interrupted run left
  if [[ -e $policy ]]; then mv "$policy" "$policy_kept"; fi
  printf '#!/bin/sh\n# Put here by %s while it installs packages.\nexit 101\n' "$here/deps.sh" >"$policy"
  chmod 755 "$policy"
  trap put_things_back EXIT
}

put_things_back() {
  rm -f "$backports_source"
  if [[ -e $policy ]] && grep -q "Put here by .*deps.sh" "$policy"; then rm -f "$policy"; fi
  if [[ -e $policy_kept ]]; then mv "$policy_kept" "$policy"; fi
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends --no-remove \
    -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get could not install: $*. Its whole output is in $log"
  }
}

apt_update() {
  apt-get update --quiet -o Acquire::Retries=3 >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get update failed (network, or a source in /etc/apt?). Its whole output is in $log"
  }
}

install_packages() {
  local -a packages=("$@")
  echo "deps: installing ${#packages[@]} Debian packages (a minute or two, most of it download): ${packages[*]}"
  hold_services_back
  apt_update
  apt_install "${packages[@]}"
  keep_services_off "${packages[@]}"
}

# A machine with systemd would start them at its next boot; the cluster runs its own copies.
keep_services_off() {
  [[ -d /run/systemd/system ]] || return 0
  local package
  for package in "$@"; do
    case $package in
      containerd | prometheus | prometheus-pushgateway | nftables) systemctl disable --quiet "$package.service" || true ;;
    esac
  done
}

go_is_new_enough() {
  local go
  for go in "$(command -v go || true)" /usr/lib/go-1.*/bin/go; do
    [[ -x $go ]] || continue
    [[ $(cd / && GOTOOLCHAIN=local "$go" version) =~ go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= oldest_go_minor)) && return 0
  done
  return 1
}

# The newest golang-1.N-go that the known sources offer, if it is new enough.
packaged_go() {
  apt-cache pkgnames golang-1. | sed -n 's/^golang-1\.\([0-9]\+\)-go$/\1/p' | sort -n | tail -n 1 |
    awk -v oldest="$oldest_go_minor" '$1 >= oldest { print "golang-1." $1 "-go" }'
}

# The running release's backports, on the mirror that this machine already takes the release itself from.
offer_backports() {
  local codename mirror options="" keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
    awk -F'|' -v codename="$codename" '$1 == "Debian" && $2 == "Debian" && $3 == codename && $4 == "main" { print $5; exit }')
  [[ -n $mirror ]] || fail "no Go 1.$oldest_go_minor or newer here, and no Debian source to get one from; install Go and put it on PATH"
  if [[ -e $keyring ]]; then options="[signed-by=$keyring] "; fi
  echo "deb $options$mirror $codename-backports main" >"$backports_source"
}

install_go() {
  be_able_to_install "Go 1.$oldest_go_minor or newer"
  hold_services_back
  if [[ -z $(packaged_go) ]]; then
    offer_backports
    apt_update
  fi
  local package
  package=$(packaged_go)
  [[ -n $package ]] || fail "neither the known sources nor backports have Go 1.$oldest_go_minor or newer; install Go and put it on PATH"
  echo "deps: installing $package (about 60 MB; it fetches the exact toolchain that a tool's go.mod asks for by itself)"
  apt_install "$package"
  put_things_back
}

log=$(mktemp -t stash-deps.XXXXXX)
packages=$(listed "$@" | missing)
if [[ -n $packages ]]; then
  be_able_to_install $packages
  install_packages $packages
fi
if [[ $# == 0 ]] && ! go_is_new_enough; then install_go; fi
rm -f "$log"
echo "deps: complete"
