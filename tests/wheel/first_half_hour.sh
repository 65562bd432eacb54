#!/usr/bin/env bash
# The tutorial as a new user follows it, with an installed wheel alone: every command and every block of
# code, and what they print beside what the page shows.  first_half_hour.sh ENVIRONMENT [PAGE...]
set -euo pipefail
bin=$(cd "$1/bin" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
shift
pages=("${@:-docs/first-half-hour.md}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The script that runs a page, and the page: nothing else of the sources is in reach.
mkdir -p "$work/docs/code" "$work/home"
cp "$root/docs/code/blocks.py" "$work/docs/code/"
for page in "${pages[@]}"; do cp "$root/$page" "$work/"; done
cd "$work"
unset MEMSPICE_DATA
export PYTHONPATH=$work MEMSPICE_CACHE=$work/cache HOME=$work/home OMP_NUM_THREADS=1 TQDM_DISABLE=1

"$bin/python" - <<'CODE'
import sys
from importlib import metadata, resources
import memspice

assert memspice.__file__.startswith(sys.prefix), memspice.__file__
assert (resources.files("memspice") / "py.typed").is_file()
about = metadata.metadata("memspice")
assert about["License-Expression"] and about.get_all("Classifier") and about.get_all("Project-URL")
assert [file for file in metadata.files("memspice") if file.name == "LICENSE"]
CODE
"$bin/memspice" doctor
for page in "${pages[@]}"; do
    "$bin/python" -m docs.code.blocks "$(basename "$page")"
    echo "$page: every command and block, from the wheel"
done
