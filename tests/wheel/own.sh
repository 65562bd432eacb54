#!/usr/bin/env bash
# From one's own images, network and measured points to accuracy and joules, with the command line of
# an installed wheel alone: own.sh ENVIRONMENT, a virtual environment with memspice[nir] in it.
set -euo pipefail
bin=$(cd "$1/bin" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset PYTHONPATH MEMSPICE_DATA
export MEMSPICE_CACHE=$work/cache OMP_NUM_THREADS=1

# is EXPRESSION [FILE]: what is true of the object in FILE, `found`.
is() {
    "$bin/python" -c "
import json, sys
found = json.load(open(sys.argv[2]))
assert eval(sys.argv[1]), (sys.argv[1], found)" "$1" "${2:-found.json}"
    echo "  $1"
}
run() {
    echo "memspice $*"
    "$bin/memspice" "$@" --json > found.json
}

"$bin/python" -c "import memspice, sys; assert memspice.__file__.startswith(sys.prefix)"
"$bin/python" "$here/own_network.py"

run convert own.nir --out own.h5
run infer --network own.h5 --data test.npz --images 60 --cycles 8
is 'found["dataset"]["images"] == 60 and found["ann_accuracy"]["value"] > 0.9'
is 'found["snn_accuracy"]["value"] > 0.85'
run simulate-layer --network own.h5 --data test.npz --periphery behavioural --cycles 2 --out layer.h5
is 'found["rows"] >= 145 and found["spikes"]["mismatches"] == 0 and found["energy_closure"] < 1e-3'
run cosim --network own.h5 --data test.npz --images 8 --out joules
is 'found["energy_total_joule"]["value"] > 0 and found["spice"]["windows"] > 0'
is 'found["assumed_fraction"] < 0.2'  # converters for the scores

run fit points.csv --base fast-memristor --out mine.toml
is 'found["chosen"] == "exponential" and not found["laws"][0]["rejected"]'
is 'abs(found["laws"][0]["values"]["voltage_scale"]["value"] / 0.12 - 1) < 0.15'
run characterize --device mine.toml --points points.csv --events 16
is 'found["mismatches"] == 0 and found["measured"]["p_value"] > 0.001'

run sweep dense1 --network own.h5 --data test.npz --cycles 1 --fidelity surrogate --images 4 \
    --vary device=fast-memristor,mine.toml --vary wire-resistance=1,50 --vary synapse.variation=0.03,0.3 \
    --out sweep.h5 --csv sweep.csv
is 'len(found["points"]) == 8 and not any(row["reason"] for row in found["points"])'
is 'len({row["unlike_ideal"] for row in found["points"]}) > 1'
run sweep --network own.h5 --data test.npz --images 60 --cycles 4 --vary seed=0..2
is 'min(row["snn_accuracy"] for row in found["points"]) > 0.7'
run export --network own.h5 --data test.npz --images 10 --cycles 4 --out circuits.json --to aihwkit
is 'all(0.8 < gain < 1 for layer in found["layers"] for gain in layer["ir_drop"]["gain"]["value"])'
test -s circuits-aihwkit.json
echo "all of it, from the wheel"
