# %% [markdown]
# # A device of your own: from a CSV file to an accuracy
#
# You have pulsed a device and counted how often it switched. Here is how that becomes a parameter
# set, and that an accuracy.

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import memspice as ms

folder = Path(tempfile.mkdtemp())


def memspice(*arguments: object) -> None:
    """Run a command as in a terminal."""
    command = [sys.executable, "-m", "memspice", *map(str, arguments)]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# %% [markdown]
# ## The measurement
#
# Nine voltages, 400 pulses of 100 ns each. These counts are drawn from a known law, with
# `V0 = 0.130 V` and half of the pulses switching at 1.15 V, so that you can see what the fit finds.
# With a file of your own, leave this cell out.

# %%
rng = np.random.default_rng(7)
voltage = np.linspace(0.85, 1.4, 9)
hazard = np.log(2) * np.exp((voltage - 1.15) / 0.130)
switched = rng.binomial(400, 1 - np.exp(-hazard))
lines = ["voltage,pulse_width,switched,trials"]
lines += [f"{v:.4f},100e-9,{n},400" for v, n in zip(voltage, switched, strict=True)]
points = folder / "points.csv"
points.write_text("\n".join(lines) + "\n")
print(points.read_text())

# %% [markdown]
# ## The law
#
# `fit` compares several laws of switching, says which one the points choose and whether they
# reject it, and writes a parameter set. What was not measured (resistances, supplies, times) is
# that of the set in `--base`.

# %%
device_file = folder / "my.toml"
memspice("fit", points, "--out", device_file, "--base", "fast-memristor")

# %%
device = ms.load_device(str(device_file))
for entry in device.parameters.provenance:
    if entry.table == "hazard":
        print(f"{entry.name} = {entry.value:.4g} {entry.unit}, label {entry.label}")
print("device:", device.parameters.device_source)

# %% [markdown]
# The law has the label *M*, measured. The resistances do not: they are still the base's, known from
# the literature, and the weakest label decides what the device is called.
#
# ## The neuron
#
# The circuit of a neuron with this device, in SPICE, beside the law:

# %%
transfer = ms.characterize(device, points=5, events=64)
transfer

# %% mystnb={"image": {"alt": "Probability of a spike against the drive: SPICE beside the law"}}
ms.plot.transfer(transfer)

# %% [markdown]
# ## The network
#
# Trained weights are mapped onto the device: its voltage scale is the unit of the weighted sums.

# %%
images = ms.load_images("digits", "test")
for name in ("fast-memristor", str(device_file)):
    chosen = ms.load_device(name, "behavioural")  # models around the array
    result = ms.Chip("digits-mlp", chosen, seed=0).run(images, cycles=16)
    low, high = 100 * result.accuracy.low, 100 * result.accuracy.high
    print(f"{Path(name).stem:15} {100 * result.accuracy.value:.1f} % ({low:.1f} to {high:.1f})")

# %% [markdown]
# And one layer in SPICE, spikes compared one by one:

# %%
ms.Chip("digits-mlp", device, seed=0)["dense1"].simulate(images[:1], cycles=4)
