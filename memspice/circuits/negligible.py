"""Resistances too small for a solver: where they change nothing, their two nodes are one.

A node between a segment of 1e-12 ohm and a cell of 1 Mohm adds conductances 18 decades apart; a
solver of 16 digits loses the cell, and the steps of its iteration never get small.  Long before, a
line takes so little of a voltage that leaving its resistance out is the smaller error.
"""

#: Relative error of a bit-line current, and share of the array's energy, that does not count: a
#: tenth of the margin within which fidelities may disagree over a spike.
NEGLIGIBLE = 1e-3
#: Share of a voltage that does not count: a thousandth of that.
NEGLIGIBLE_DROP = 1e-6
