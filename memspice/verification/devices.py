"""Every device model through its I-V loop, as decks that engines must agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.devices.compact.oxide_reram import OxideReram
from memspice.devices.compact.stanford import Stanford
from memspice.devices.compact.stt import SttMtj
from memspice.devices.compact.vteam import Vteam
from memspice.devices.compact.yakopcic import Yakopcic
from memspice.devices.magnet.macrospin import MacrospinMtj
from memspice.devices.synapse_iv import CubicCell, SinhCell
from memspice.devices.transistor import AccessTransistor, Selector
from memspice.engines.base import SolverOptions, Transient
from memspice.parameters import load_table
from memspice.quantities import Parameters
from memspice.verification.case import VerifyCase

#: A state that turns itself on, as the Stanford device does, enlarges every error of its start.
OPTIONS = SolverOptions(reltol=1e-8, vntol=1e-10, abstol=1e-15)
#: Points a period of the sine, which the source follows in straight pieces.
POINTS = 400
PERIODS = 2


@dataclass(frozen=True)
class Loop:
    """A device under a sine on its terminal ``drive``.

    ``rise`` and ``fall`` [V] are the heights of its half waves, ``period`` [s]; ``parameters`` are
    those of the model, ``held`` the voltage [V] of other terminals.  A terminal that is neither is
    a node of its own, which the model drives.
    """

    name: str
    what: str
    model: str
    terminals: str
    parameters: Mapping[str, float]
    rise: float
    fall: float
    period: float
    held: Mapping[str, float | PieceWiseLinear] = field(default_factory=lambda: {"n": 0.0})
    drive: str = "p"
    from_rest: bool = False


def device_cases() -> list[VerifyCase]:
    """All loops; memristors and junctions switch there and back."""
    loops = (*_cells(), *_memristors(), *_junctions())
    return [*(_case(loop) for loop in loops), _reram()]


def _values(file: str, table: str, model: type[Parameters]) -> dict[str, float]:
    found = load_table(file, table, model).values.model_dump()
    return {name: value for name, value in found.items() if name != "kind"}


def _cells() -> list[Loop]:
    cell = {"conductance": 10e-6}
    sinh = cell | _values("cells", "sinh_cell", SinhCell)
    cubic = cell | _values("cells", "cubic_cell", CubicCell)
    # Aged a thousand seconds and 50 K warmer: every term of the model takes part.
    cubic |= {"drift_exponent": 0.1, "age": 1e3, "temperature": 350.0}
    cubic |= {"activation_temperature": 1026.0}
    transistor = _values("cells", "access_transistor", AccessTransistor)
    selector = _values("cells", "selector", Selector)
    return [
        Loop(
            name="synapse-sinh",
            what="sinh cell",
            model="synapse_cell",
            terminals="p n",
            parameters=sinh,
            rise=0.5,
            fall=0.5,
            period=1e-6,
        ),
        Loop(
            name="synapse-cubic",
            what="aged cubic cell",
            model="synapse_cell",
            terminals="p n",
            parameters=cubic,
            rise=0.5,
            fall=0.5,
            period=1e-6,
        ),
        Loop(
            name="transistor",
            what="access transistor, gate at 1 V",
            model="access_transistor",
            terminals="d g s b",
            parameters=transistor,
            rise=1.0,
            fall=1.0,
            period=1e-6,
            held={"g": 1.0, "s": 0.0, "b": 0.0},
            drive="d",
        ),
        Loop(
            name="selector",
            what="exponential selector",
            model="selector",
            terminals="p n",
            parameters=selector,
            rise=0.5,
            fall=0.5,
            period=1e-6,
        ),
    ]


def _memristors() -> list[Loop]:
    vteam = _values("vteam-kvatinsky", "vteam", Vteam) | {"pulse": 800e-9}
    yakopcic = _values("yakopcic-miao", "yakopcic", Yakopcic) | {"pulse": 20.0}
    # Below its smallest field, 1.4e9 V/m or 1.4 V, the device does not move.
    stanford = _values("stanford-v1", "stanford", Stanford) | {"pulse": 1e-6}
    heated = "p n x temperature"
    return [
        Loop(
            name="vteam",
            what="VTEAM, Kvatinsky's fit",
            model="vteam",
            terminals="p n x",
            parameters=vteam,
            rise=1.0,
            fall=1.0,
            period=800e-9,
        ),
        Loop(
            name="yakopcic",
            what="Yakopcic, TaOx",
            model="yakopcic",
            terminals="p n x",
            parameters=yakopcic,
            rise=0.75,
            fall=1.25,
            period=20.0,
        ),
        Loop(
            name="stanford",
            what="Stanford/PKU",
            model="stanford",
            terminals=heated,
            parameters=stanford,
            rise=1.6,
            fall=1.6,
            period=1e-6,
        ),
    ]


def _junctions() -> list[Loop]:
    stt = _values("stt-mtj", "stt_mtj", SttMtj)
    macrospin = _values("llg-mtj", "llg_mtj", MacrospinMtj)
    hold = PieceWiseLinear(((0.0, 1.0), (0.1e-9, 1.0), (0.11e-9, 0.0)))
    return [
        Loop(
            name="stt-mtj",
            what="spin-transfer torque, activated",
            model="stt_mtj",
            terminals="p n gate threshold clear h x",
            parameters=stt,
            rise=0.12,
            fall=0.12,
            period=40e-9,
            held={"n": 0.0, "gate": 1.0, "threshold": 0.5, "clear": 0.0},
        ),
        Loop(
            name="llg-mtj",
            what="macrospin: both torques and a field",
            model="llg_mtj",
            terminals="p n w1 w2 hold hx hy hz mx my mz",
            parameters=macrospin,
            rise=0.2,
            fall=0.2,
            period=4e-9,
            held={"w2": 0.0, "p": 0.6, "n": 0.0, "hold": hold, "hx": 2.0, "hy": -1.0, "hz": 3.0},
            drive="w1",
            from_rest=True,  # hold sets the magnetisation
        ),
    ]


def _reram() -> VerifyCase:
    """SkyWater's cell behind a resistor: a set, and a reset that stops midway."""
    name, what, nanosecond = "oxide-reram", "filament and heat, set and half reset", 1e-9
    deck = Deck(f"memspice verify: {name}", what)
    section = deck.section("Pulses behind a resistor, the draw, and the cell")
    corners = [(0, 0.0), (5, 0.0), (10, 2.6), (60, 2.6), (65, 0.0), (75, 0.0), (80, -2.0)]
    corners += [(180, -2.0), (185, 0.0), (200, 0.0)]
    train = PieceWiseLinear(tuple((time * nanosecond, volts) for time, volts in corners))
    section.V("pulses", "pulses", section.gnd, train)
    section.R("series", "pulses", "top", 2e3)
    section.V("draw", "draw", section.gnd, 1.0)
    values = _values("sky130-reram", "oxide_reram", OxideReram) | {"pulse": 100 * nanosecond}
    nodes = ("top", section.gnd, "draw", "x", "temperature")
    section.X("cell", "oxide_reram", *nodes, **values)
    return VerifyCase(
        name,
        what,
        deck,
        Transient(200 * nanosecond, 0.5 * nanosecond),
        ports=(("vpulses", "pulses"),),
        states=("x", "temperature"),
        options=OPTIONS,
    )


def _case(loop: Loop) -> VerifyCase:
    deck = Deck(f"memspice verify: {loop.name}", loop.what)
    section = deck.section("Device under a sine, and the sources that hold its other terminals")
    section.V(loop.drive, loop.drive, section.gnd, _sine(loop))
    for terminal, voltage in loop.held.items():
        section.V(terminal, terminal, section.gnd, voltage)
    section.X("device", loop.model, *loop.terminals.split(), **loop.parameters)
    driven = {loop.drive, *loop.held}
    return VerifyCase(
        loop.name,
        loop.what,
        deck,
        # The operating point of a memristor is the device as it was made.
        Transient(PERIODS * loop.period, loop.period / POINTS, from_rest=loop.from_rest),
        ports=tuple((f"v{name}", name) for name in (loop.drive, *loop.held)),
        states=tuple(name for name in loop.terminals.split() if name not in driven),
        options=OPTIONS,
    )


def _sine(loop: Loop) -> PieceWiseLinear:
    turns = np.arange(PERIODS * POINTS + 1) / POINTS
    wave = np.sin(2 * np.pi * turns)
    value = np.where(wave > 0, loop.rise, loop.fall) * wave
    return PieceWiseLinear(tuple(zip((turns * loop.period).tolist(), value.tolist(), strict=True)))
