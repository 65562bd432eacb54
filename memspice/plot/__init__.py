"""Figures of results: what a neuron, a layer, a network and its joules look like."""
