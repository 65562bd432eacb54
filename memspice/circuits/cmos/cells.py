"""Static CMOS cells of 45 nm transistors: inverter, NAND, XOR, carry, flip-flops, latch.

Every cell is a subcircuit with ``vdd`` as its last terminal; bulks lie at ground and at ``vdd``.
Its transistors are instances of the models ``cmos45_nmos`` and ``cmos45_pmos``.
"""

from __future__ import annotations

from memspice.circuits.spice import SubCircuit
from memspice.errors import ConfigError
from memspice.quantities import Parameters, quantity

#: Widest gate: more transistors in series than this are too slow at 1 V.
MOST_INPUTS = 4


class CmosTechnology(Parameters):
    """Supply, sizes and wires of digital cells."""

    supply: float = quantity("V", "Supply", gt=0, le=1.2)
    nmos_width: float = quantity("m", "Drawn width of NMOS", ge=50e-9)
    pmos_width: float = quantity("m", "Drawn width of PMOS", ge=50e-9)
    diffusion_length: float = quantity("m", "Length of source and drain areas", gt=0)
    load_capacitance: float = quantity("F", "Wire at the output of every cell", ge=0)
    cell_wire: float = quantity("F", "Word line or bit line per cell of a table", ge=0)


class CmosCell:
    """A subcircuit of transistors under construction."""

    def __init__(self, technology: CmosTechnology, name: str, *terminals: str) -> None:
        self.technology = technology
        self.circuit = SubCircuit(name, *terminals, "vdd")
        self._count = 0

    def _transistor(self, kind: str, nodes: tuple[str, ...], width: float, length: float) -> None:
        self._count += 1
        self.circuit.X(
            f"{kind[0]}{self._count}", f"cmos45_{kind}", *nodes,
            width=width, length=length, diffusion=self.technology.diffusion_length,
        )  # fmt: skip

    def nmos(self, drain: str, gate: str, source: str, size: float = 1.0) -> None:
        """NMOS, its width in units of the technology's."""
        self._transistor("nmos", (drain, gate, source, "0"), size * self._width("n"), 45e-9)

    def pmos(self, drain: str, gate: str, source: str, size: float = 1.0) -> None:
        """PMOS, its width in units of the technology's."""
        self._transistor("pmos", (drain, gate, source, "vdd"), size * self._width("p"), 45e-9)

    def keeper(self, drain: str, gate: str) -> None:
        """PMOS to the supply that an NMOS overcomes: half as wide and four times as long."""
        self._transistor("pmos", (drain, gate, "vdd", "vdd"), 0.5 * self._width("p"), 180e-9)

    def _width(self, kind: str) -> float:
        technology = self.technology
        return technology.nmos_width if kind == "n" else technology.pmos_width

    def inverter(self, source: str, out: str, size: float = 1.0) -> None:
        """Two transistors."""
        self.nmos(out, source, "0", size)
        self.pmos(out, source, "vdd", size)

    def nand(self, inputs: tuple[str, ...], out: str) -> None:
        """NMOS in series, PMOS in parallel."""
        below = [f"{out}_{k}" for k in range(1, len(inputs))] + ["0"]
        for drain, gate, source in zip([out, *below], inputs, below, strict=False):
            self.nmos(drain, gate, source)
            self.pmos(out, gate, "vdd")

    def nor(self, inputs: tuple[str, str], out: str) -> None:
        """PMOS in series, NMOS in parallel."""
        self.pmos(f"{out}_1", inputs[0], "vdd")
        self.pmos(out, inputs[1], f"{out}_1")
        for gate in inputs:
            self.nmos(out, gate, "0")

    def gate(self, left: str, right: str, on: str, off: str) -> None:
        """Transmission gate that conducts while ``on`` is high and ``off`` low."""
        self.nmos(left, on, right)
        self.pmos(left, off, right)

    def wire(self, name: str, node: str, capacitance: float) -> None:
        """Wire of a capacitance [F] at a node; none where it is 0."""
        if capacitance > 0:
            self.circuit.C(name, node, self.circuit.gnd, capacitance)

    def loaded(self, *outputs: str) -> SubCircuit:
        """Finish the cell: wires at its outputs."""
        for out in outputs:
            self.wire(f"w{out}", out, self.technology.load_capacitance)
        return self.circuit


def inverter(technology: CmosTechnology, size: int = 1) -> SubCircuit:
    """``out = not a``; ``size`` is the width in units of the technology's and ends the name."""
    cell = CmosCell(technology, "inverter" if size == 1 else f"inverter{size}", "a", "out")
    cell.inverter("a", "out", size)
    return cell.loaded("out")


def nand(technology: CmosTechnology, inputs: int, *, inverted: bool = False) -> SubCircuit:
    """``out = not (a0 and a1 ...)``; with ``inverted`` an inverter follows: ``and``.

    Raises
    ------
    ConfigError
        If there are not 2 to ``MOST_INPUTS`` inputs.
    """
    if not 2 <= inputs <= MOST_INPUTS:
        raise ConfigError(f"a gate of {inputs} inputs must have 2 to {MOST_INPUTS}: make a tree")
    names = tuple(f"a{k}" for k in range(inputs))
    cell = CmosCell(technology, f"{'and' if inverted else 'nand'}{inputs}", *names, "out")
    if inverted:
        cell.nand(names, "inner")
        cell.inverter("inner", "out")
    else:
        cell.nand(names, "out")
    return cell.loaded("out")


def xor(technology: CmosTechnology) -> SubCircuit:
    """``out = a xor b``: two transmission gates select b or its complement, then an inverter."""
    cell = CmosCell(technology, "xor", "a", "b", "out")
    cell.inverter("a", "an")
    cell.inverter("b", "bn")
    cell.gate("bn", "same", "an", "a")
    cell.gate("b", "same", "a", "an")
    cell.inverter("same", "out")
    return cell.loaded("out")


def inverted_carry(technology: CmosTechnology) -> SubCircuit:
    """``out = not majority(a, b, c)``: one slice of a comparator, ten transistors.

    A majority of complements is the complement of the majority, so slices follow each other
    without inverters, on true and complemented inputs in turn.
    """
    cell = CmosCell(technology, "carry", "a", "b", "c", "out")
    for kind, rail in ((cell.nmos, "0"), (cell.pmos, "vdd")):
        inner = "below" if rail == "0" else "above"
        kind("out", "a", f"{inner}1")
        kind(f"{inner}1", "b", rail)
        kind("out", "c", f"{inner}2")
        kind(f"{inner}2", "a", rail)
        kind(f"{inner}2", "b", rail)
    return cell.loaded("out")


def flip_flop(technology: CmosTechnology, preset: int) -> SubCircuit:
    """Transmission-gate flip-flop: takes ``d`` at the rising edge of ``clock``.

    While ``init`` is high (and ``initn`` low) with the clock low, ``q`` is ``preset``.  22
    transistors: two latches, each of two gates and two inverters, one of those with a preset, the
    clock's own two inverters, and the inverter behind ``q``.

    Parameters
    ----------
    technology : CmosTechnology
        Sizes.
    preset : {0, 1}
        What the flip-flop starts with.
    """
    cell = CmosCell(technology, f"flipflop{preset}", "d", "clock", "init", "initn", "q", "qn")
    cell.inverter("clock", "low")
    cell.inverter("low", "high")
    cell.gate("d", "master", "low", "high")
    cell.inverter("master", "stored")
    cell.inverter("stored", "hold")
    cell.gate("hold", "master", "high", "low")
    cell.gate("stored", "slave", "high", "low")
    if preset:
        cell.nand(("slave", "initn"), "q")
    else:
        cell.nor(("slave", "init"), "q")
    cell.inverter("q", "qn")
    cell.gate("qn", "slave", "low", "high")
    return cell.loaded("q", "qn")


def latch(technology: CmosTechnology) -> SubCircuit:
    """Latch, open while the clock is high; ``init`` clears it while the clock is low."""
    cell = CmosCell(technology, "latch", "d", "clock", "init", "q")
    cell.inverter("clock", "low")
    cell.inverter("low", "high")
    cell.gate("d", "held", "high", "low")
    cell.inverter("held", "qn")
    cell.nor(("qn", "init"), "q")
    cell.gate("q", "held", "low", "high")
    return cell.loaded("q")
