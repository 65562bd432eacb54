"""The digital counterpart: a stochastic CMOS neuron of simulated transistors."""
