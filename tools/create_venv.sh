#!/bin/sh
# usage: create_venv.sh FOLDER [PYTHON]
# Makes a virtual environment with PYTHON, or with the first Python >= 3.11 that can make one.
set -eu

folder=$1
without_venv=

for python in ${2:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    # Debian ships both modules apart from Python itself.
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        echo "making $folder with $("$python" --version) ($python)"
        exec "$python" -m venv --clear "$folder"
    fi
    without_venv=$python
done

if [ -n "$without_venv" ]; then
    echo "memspice: $without_venv cannot make a virtual environment: its venv module is missing." >&2
    echo "On Debian and Ubuntu: apt install python3-venv; then run make again." >&2
else
    echo "memspice: no Python 3.11 or newer among: ${2:-python3, python3.11 to python3.14, python}." >&2
    echo "Install one, or name it: make setup PYTHON=/path/to/python3" >&2
fi
exit 1
