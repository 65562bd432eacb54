# %% [markdown]
# # A first layer
#
# One layer of a network that reads digits: in NumPy, in SPICE, and both compared spike by
# spike.

# %%
import memspice as ms

# %% [markdown]
# A *chip* is a network programmed into crossbars of a device. Names will do for what ships
# with memspice. `behavioural` puts models of amplifiers around the array, which are fast; without
# that word this device has circuits of 45 nm transistors there.

# %%
chip = ms.Chip("digits-mlp", ms.load_device("fast-memristor", "behavioural"), seed=0)
chip

# %%
data = ms.load_images("digits", "test")
data

# %% [markdown]
# ## The fast answer
#
# `run` is the whole network in NumPy: exact wires, the device's law, one random draw an
# event.

# %%
fast = chip.run(data, cycles=16)
fast

# %% [markdown]
# ## The slow answer
#
# `simulate` takes windows of one layer through a circuit simulator. Here two images through
# the first layer, four cycles each.

# %%
layer = chip["dense1"]
slow = layer.simulate(data[:2], cycles=4, keep="all")
slow

# %% [markdown]
# Both had the same draws. So not only the rates have to agree, but the spikes:

# %%
found = slow.compare(fast)
print(f"{found.mismatches} of {found.events} spikes differ")

# %% mystnb={"image": {"alt": "Hazard integral of SPICE over that of the closed form, by event"}}
ms.plot.pathwise(slow)

# %% [markdown]
# Every point is an event: its hazard integral in SPICE over that of the closed form. An event
# spikes where the integral reaches its draw.

# %% [markdown]
# ## One neuron
#
# `keep="all"` above has kept the waveforms of every neuron; without it those of one neuron of
# each netlist stay.

# %%
waveforms = slow.waveforms(image=0, neuron=0)
waveforms

# %% mystnb={"image": {"alt": "Drive, device voltage, hazard and state of a neuron, two cycles"}}
ms.plot.neuron(waveforms)

# %% [markdown]
# ## All neurons

# %% mystnb={"image": {"alt": "Spikes of 32 neurons over four cycles"}}
ms.plot.raster(slow, image=0)

# %% [markdown]
# The events are arrays of the shape (window, cycle, neuron), for whatever you want to know of
# them:

# %%
events = slow.events
print("shape", events.spike.shape)
print("spikes of each neuron:", *events.spike.sum(axis=(0, 1)))

# %% [markdown]
# ## Keep it
#
# One HDF5 file holds the result with every netlist, waveform and event; `memspice waves`
# reads it, too.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "run.h5"
    slow.save(path)
    again = ms.load(path)
print(again.energy.total == slow.energy.total)
