"""Every device model through its I-V loop, as decks that engines must agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

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

    ``heights`` [V] are those of its half waves up and down, ``period`` [s]; ``parameters`` are
    those of the model, which is called as the loop where it is not named; ``held`` the voltage [V]
    of other terminals.  A terminal that is neither is a node of its own, which the model drives.
    """

    name: str
    what: str
    terminals: str
    parameters: Mapping[str, float]
    _: KW_ONLY
    heights: tuple[float, float]
    period: float = 1e-6
    model: str = ""
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
        Loop("synapse-sinh", "sinh cell", "p n", sinh, model="synapse_cell", heights=(0.5, 0.5)),
        Loop(
            "synapse-cubic",
            "aged cubic cell",
            "p n",
            cubic,
            model="synapse_cell",
            heights=(0.5, 0.5),
        ),
        Loop(
            "transistor",
            "access transistor, gate at 1 V",
            "d g s b",
            transistor,
            model="access_transistor",
            heights=(1.0, 1.0),
            held={"g": 1.0, "s": 0.0, "b": 0.0},
            drive="d",
        ),
        Loop("selector", "exponential selector", "p n", selector, heights=(0.5, 0.5)),
    ]


def _memristors() -> list[Loop]:
    vteam = _values("vteam-kvatinsky", "vteam", Vteam) | {"pulse": 800e-9}
    yakopcic = _values("yakopcic-miao", "yakopcic", Yakopcic) | {"pulse": 20.0}
    # Below its smallest field, 1.4e9 V/m or 1.4 V, the device does not move.
    stanford = _values("stanford-v1", "stanford", Stanford) | {"pulse": 1e-6}
    heated = "p n x temperature"
    return [
        Loop("vteam", "VTEAM, Kvatinsky's fit", "p n x", vteam, heights=(1.0, 1.0), period=800e-9),
        Loop("yakopcic", "Yakopcic, TaOx", "p n x", yakopcic, heights=(0.75, 1.25), period=20.0),
        Loop("stanford", "Stanford/PKU", heated, stanford, heights=(1.6, 1.6)),
    ]


def _junctions() -> list[Loop]:
    stt = _values("stt-mtj", "stt_mtj", SttMtj)
    macrospin = _values("llg-mtj", "llg_mtj", MacrospinMtj)
    hold = PieceWiseLinear(((0.0, 1.0), (0.1e-9, 1.0), (0.11e-9, 0.0)))
    return [
        Loop(
            "stt-mtj",
            "spin-transfer torque, activated",
            "p n gate threshold clear h x",
            stt,
            heights=(0.12, 0.12),
            period=40e-9,
            held={"n": 0.0, "gate": 1.0, "threshold": 0.5, "clear": 0.0},
        ),
        Loop(
            "llg-mtj",
            "macrospin: both torques and a field",
            "p n w1 w2 hold hx hy hz mx my mz",
            macrospin,
            heights=(0.2, 0.2),
            period=4e-9,
            held={"w2": 0.0, "p": 0.6, "n": 0.0, "hold": hold, "hx": 2.0, "hy": -1.0, "hz": 3.0},
            drive="w1",
            from_rest=True,
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
    section.X(
        "device",
        loop.model or loop.name.replace("-", "_"),
        *loop.terminals.split(),
        **loop.parameters,
    )
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
    value = np.where(wave > 0, *loop.heights) * wave
    return PieceWiseLinear(tuple(zip((turns * loop.period).tolist(), value.tolist(), strict=True)))
