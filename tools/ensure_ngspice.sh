#!/bin/sh
# Exits 0 with ngspice on the PATH; installs it with apt where that needs no question.
set -eu

found() { command -v ngspice >/dev/null 2>&1; }

advise() {
    cat >&2 <<'MESSAGE'
memspice: ngspice is missing and could not be installed without asking. Install it with
  Debian, Ubuntu   sudo apt install ngspice
  Fedora           sudo dnf install ngspice
  Arch             sudo pacman -S ngspice
  macOS            brew install ngspice
  Windows          choco install ngspice   (or use WSL and apt)
  conda            conda install -c conda-forge ngspice
then run make again.
MESSAGE
    exit 1
}

if found; then exit 0; fi
command -v apt-get >/dev/null 2>&1 || advise
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif sudo -n true >/dev/null 2>&1; then
    as_root="sudo -n"
else
    advise
fi

apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300"
echo "installing ngspice with apt"
# An out-of-date list may still do, so only the installation decides.
$apt update </dev/null || echo "apt-get update failed; trying with the list at hand" >&2
$apt install --no-install-recommends ngspice </dev/null || advise
found || advise
