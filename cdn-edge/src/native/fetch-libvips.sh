#!/usr/bin/env bash
# Puts the libvips of libvips.lock under OUT, from where the build packs it into the jar as a resource.
# Fetched once: a library that is already there with the right checksum is kept. Without npm or network the build goes on, and
# says so in one line: the edge then uses the system's libvips. A wrong checksum is no such case: it ends the build.
#
# usage: fetch-libvips.sh LOCK OUT
set -euo pipefail

NPM_SECONDS_MAX=180

lock=$1
out=$2

go_on_without() {
  echo "[libvips] $1; the build goes on without it, and the edge will use the system's libvips.so.42 (Debian, Ubuntu: apt-get install libvips42)"
  rm -rf "$out"
  exit 0
}

platform="$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
read -r _ package version tarball_sha file file_sha < <(grep "^$platform " "$lock" || echo)
[ -n "${file_sha:-}" ] || go_on_without "no packed library for $platform"

folder="$out/dev/tintype/edge/native/$platform"
library="$folder/$(basename "$file")"
if [ -f "$folder/libvips.properties" ] && [ -f "$library" ] && echo "$file_sha  $library" | sha256sum --check --status; then
  exit 0
fi

command -v npm >/dev/null || go_on_without "npm is not on the PATH, so $package@$version could not be fetched"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# --prefer-offline: npm's own cache answers after a clean, so a package crosses the network once per machine.
(cd "$work" && timeout "$NPM_SECONDS_MAX" npm pack --loglevel error --prefer-offline "$package@$version" >/dev/null 2>"$work/npm.log") ||
  go_on_without "npm could not fetch $package@$version ($(grep -m 1 error "$work/npm.log" | cut -c 1-160 || echo "no answer within $NPM_SECONDS_MAX s"))"

tarball="$(find "$work" -maxdepth 1 -name '*.tgz' | head -n 1)"
if ! echo "$tarball_sha  $tarball" | sha256sum --check --status; then
  echo "[libvips] $package@$version does not have the checksum of $lock: expected $tarball_sha, found $(sha256sum "$tarball" | cut -d' ' -f1)" >&2
  exit 1
fi
tar -xzf "$tarball" -C "$work"
if ! echo "$file_sha  $work/package/$file" | sha256sum --check --status; then
  echo "[libvips] $file of $package@$version does not have the checksum of $lock" >&2
  exit 1
fi

rm -rf "$out"
mkdir -p "$folder"
cp "$work/package/$file" "$library"
cp "$work/package/README.md" "$folder/LICENCES.md"
cp "$work/package/versions.json" "$folder/versions.json"
cat >"$folder/libvips.properties" <<PROPERTIES
package=$package
version=$version
file=$(basename "$file")
sha256=$file_sha
PROPERTIES
echo "[libvips] packed $package@$version"
