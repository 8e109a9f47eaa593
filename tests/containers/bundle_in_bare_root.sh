#!/bin/sh
# bundle_in_bare_root.sh ROOT BUNDLE: installs and serves a bundle in a bare Debian root, as an ordinary user, without a network.
#   debootstrap --variant=minbase --include=python3 bookworm ROOT
# For maintainers, as root, on Linux. ROOT gets a copy of the bundle in /srv/bundle and keeps it.
set -eu
root=$1 bundle=$2 here=$(dirname "$0")
rm -rf "$root/srv/bundle"
cp -R "$bundle" "$root/srv/bundle"
cp "$here/ask_bundle.py" "$here/../../docs/seven.png" "$root/srv/"
chown -R 1000:1000 "$root/srv/bundle"
exec unshare --net --mount --pid --fork --kill-child sh -euc '
  ip link set lo up
  mount -t proc proc "$1/proc"
  mount --bind /dev "$1/dev"
  exec chroot --userspec=1000:1000 "$1" env -i PATH=/usr/bin:/bin HOME=/tmp python3 /srv/ask_bundle.py /srv/bundle/start.sh /srv/seven.png
' - "$root"
