#!/bin/sh
# Installs the system packages that Weft is built and tested with (Debian 12 or later, by
# apt, as root or with sudo). Does nothing, quickly, when they are all there.
#   tools/install_deps.sh [--bench] [--torch] [--lint] [--fuzz] [--cross]
# --bench adds what the peers of ./dev bench need, --torch PyTorch (large), which is one of them where it is,
# --lint what ./dev format and ./dev lint need, --fuzz what the preset of this name needs, --cross what runs programs of
# AArch64 in tests of object files.
set -eu

packages="g++ cmake ninja-build ccache make git pkg-config
  llvm-19-dev clang-19 ca-certificates curl libgtest-dev libbenchmark-dev libdnnl-dev zlib1g-dev libpng-dev libcli11-dev
  nlohmann-json3-dev"
for option in "$@"; do
  case $option in
    --bench) packages="$packages python3-numpy libopenblas0-pthread" ;;
    --torch) packages="$packages python3-torch libopenblas0-openmp" ;;
    --lint) packages="$packages clang-format-19 clang-tidy-19" ;;
    --fuzz) packages="$packages libclang-rt-19-dev" ;;
    --cross) packages="$packages qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;;
    *) echo "install_deps.sh: unknown option $option" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "install_deps.sh: this is not a Debian-like system; needed are: $(echo $packages)" >&2
  exit 1
fi
missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install_deps.sh: needs root or sudo to install:$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
echo "installing:$missing"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # a list of package names
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
