# %% [markdown]
# # What wires do to a 128 x 128 tile
#
# Every cell adds a piece of wire to its row and to its column. On a large tile they add up:
# cells far from the driver see less voltage, and cells far from the sense stage load the line
# on the way.

# %%
import numpy as np

import memspice as ms

# %% [markdown]
# ## One tile
#
# With ohmic cells a tile is a linear network. `port_admittance` computes its exact admittance
# among drivers and columns once; a read is then a product.

# %%
rng = np.random.default_rng(1)
conductance = rng.uniform(0.2e-6, 10e-6, (128, 128))  # S
wire, driver = 1.06, 120.0  # ohm a cell, ohm a row
ports = ms.solver.port_admittance(conductance, wire, wire, driver_resistance=driver)
transfer = ports.terminated()  # (columns, rows), S
spikes = rng.random(128) < 0.3
current = transfer @ (0.1 * spikes)  # A
ideal = conductance.T @ (0.1 * spikes)
kept = 100 * current / ideal
print(f"currents are {kept.min():.1f} to {kept.max():.1f} % of the ideal ones")

# %% [markdown]
# It is not one factor for the whole tile: a cell's place counts.

# %% mystnb={"image": {"alt": "Part of its ideal current that each cell of the tile delivers"}}
figure = ms.plot.new_figure(3.2)
axis = figure.subplots()
image = axis.imshow(100 * transfer.T / conductance, cmap="cividis")
axis.set(xlabel="column (outputs below)", ylabel="row (inputs at the left)")
figure.colorbar(image, label="part of its ideal current [%]")
figure

# %% [markdown]
# And what the wires take also depends on the pattern: the more rows are on, the more current
# goes through the same column wire.

# %%
for share in (0.1, 0.3, 1.0):
    on = rng.random(128) < share
    kept = (transfer @ on) / (conductance.T @ on)
    print(f"{on.sum():4d} rows on: {100 * kept.mean():.1f} % of the ideal current")

# %% [markdown]
# That mean hardly moves: the lines are linear. What moves is the voltage *at* the cells, and
# with it the error of an array whose cells are not ohmic (`ms.solver.solve_nonlinear_crossbar`).

# %% [markdown]
# ## The network
#
# Do wires matter? Ask the network: the same digits on chips with longer and longer pieces of
# wire.

# %%
data = ms.load_images("digits", "test")
device = ms.load_device("fast-memristor", "behavioural")
resistances = (0.0, 1.06, 10.0, 50.0, 200.0)
accuracy = []
for resistance in resistances:
    chip = ms.Chip("digits-mlp", device.change(wire_resistance=resistance), seed=0)
    result = chip.run(data, cycles=16)
    accuracy.append(result.accuracy)
    rate = result.spike_rate["dense1"]
    print(f"{resistance:6.2f} ohm: {100 * result.accuracy.value:.1f} %, spike rate {rate:.3f}")

# %% mystnb={"image": {"alt": "Accuracy against wire resistance"}}
figure = ms.plot.new_figure(2.6)
axis = figure.subplots()
value = np.array([100 * item.value for item in accuracy])
low = np.array([100 * item.low for item in accuracy])
high = np.array([100 * item.high for item in accuracy])
axis.errorbar(
    range(len(value)), value, (value - low, high - value), marker="o", color=ms.plot.SURROGATE
)
axis.set_xticks(range(len(value)), [f"{resistance:g}" for resistance in resistances])
axis.set(xlabel="wire resistance [ohm a cell]", ylabel="accuracy [%]")
ms.plot.tidy(axis)
figure

# %% [markdown]
# Where on the chip of the last line the voltage is lost:

# %% mystnb={"image": {"alt": "Voltage that each cell of the tile loses to wires and drivers"}}
ms.plot.ir_drop(chip["dense1"])

# %% [markdown]
# ## Is the fast answer still right?
#
# With much wire the reduction to ports has to be as exact as with little. Every cell and
# every piece of wire in SPICE, for the last layer:

# %%
truth = chip["dense2"].simulate(data[:1], cycles=1, fidelity="full")
truth
