# %% [markdown]
# # Where the joules go
#
# Which part of a chip takes the energy, how much of the answer is an assumption, and what
# would have to change.

# %%
import memspice as ms

data = ms.load_images("digits", "test")

# %% [markdown]
# ## One layer, three devices
#
# With models of amplifiers around the array (`behavioural`), which any device can have.

# %%
layers = {}
for name in ("fast-memristor", "sot-mtj", "ag-asi"):
    chip = ms.Chip("digits-mlp", ms.load_device(name, "behavioural"), seed=0)
    layers[name] = chip["dense1"].simulate(data[:1], cycles=2)
    print(layers[name].energy / layers[name].events.spike.size, "\n")

# %% [markdown]
# These are joules an event: of one neuron in one cycle, with its share of the crossbar. With
# the literature's memristor (`ag-asi`) everything waits for a pulse of a millisecond, and
# what stands by takes its current all that time.
#
# `closure` says whether the books balance: what the supplies delivered against what was
# dissipated and stored.

# %%
for name, result in layers.items():
    print(f"{name:15} closure {result.closure:.0e}")

# %% [markdown]
# ## What an assumption is worth
#
# The sense stages take most, in proportion to the supply current of their amplifiers. That
# current is no circuit but a constant with the label *A*, assumed:

# %%
values = ms.load_device("fast-memristor", "behavioural").parameters.provenance
(entry,) = (value for value in values if value.name == "quiescent_current")
print(entry.value, entry.unit, "label", entry.label)
print(entry.source)

# %% [markdown]
# Change it, and the total follows:

# %%
for factor in (0.1, 1, 10):
    device = ms.load_device("fast-memristor", "behavioural")
    device = device.change(quiescent_current=factor * entry.value)
    result = ms.Chip("digits-mlp", device)["dense1"].simulate(data[:1], cycles=2)
    energy = result.energy / result.events.spike.size
    share = energy["sense"] / energy.total
    print(f"{factor:4} times: {energy.total * 1e12:.2f} pJ an event, {share:.0%} in sense")

# %% [markdown]
# A figure of merit of such a chip is therefore a statement about amplifiers that nobody has
# drawn. It is why memspice prints, beside every total, how much of it is assumed. Around the
# first device they *are* drawn, in 45 nm transistors, and that is its default:

# %%
drawn = ms.Chip("digits-mlp", "fast-memristor", seed=0)["dense1"].simulate(data[:1], cycles=1)
energy = drawn.energy / drawn.events.spike.size
assumed = drawn.as_json()["assumed_fraction"]
print(f"{energy.total * 1e12:.2f} pJ an event, {assumed:.0%} of it assumed")

# %% [markdown]
# ## A whole inference
#
# `cosim` samples windows of every layer, simulates them, corrects the fast loop with what it
# finds, and adds up the energy of an inference.

# %%
chip = ms.Chip("digits-mlp", ms.load_device("fast-memristor", "behavioural"), seed=0)
result = ms.cosim(chip, data[:10], cycles=4)
result

# %% mystnb={"image": {"alt": "Joules of an inference by layer and component"}}
ms.plot.energy(result)
