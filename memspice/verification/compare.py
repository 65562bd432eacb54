"""The same decks on every engine: charge, energy and spikes, and who differs from whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memspice.analysis.comparison import MARGIN, PathwiseComparison, compare_spikes
from memspice.engines.base import Engine
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError
from memspice.verification.case import VerifyCase

#: Largest difference of charge and energy between engines, relative to the largest of the deck.
#: Ten times what two solvers at the decks' tolerances leave; a wrong parameter shows far above it.
TOLERANCE = 5e-3


@dataclass(frozen=True)
class Measurement:
    """What one engine found of one deck.

    ``charge`` [C] is the integral of the current's magnitude through each port, ``energy`` [J] what
    each port delivered; ``spikes`` and ``hazard`` are (cycles, neurons), None without neurons.
    """

    engine: str
    charge: np.ndarray
    energy: np.ndarray
    spikes: np.ndarray | None
    hazard: np.ndarray | None
    points: int
    seconds: float


@dataclass(frozen=True)
class Difference:
    """One engine against the first, or against the closed form, on one deck."""

    engine: str
    reference: str
    charge: float
    charge_port: str
    energy: float
    energy_port: str
    events: PathwiseComparison | None

    @property
    def agrees(self) -> bool:
        """Whether charge, energy and spikes agree within their limits."""
        events_agree = self.events is None or self.events.agrees
        return self.charge <= TOLERANCE and self.energy <= TOLERANCE and events_agree

    @property
    def complaint(self) -> str:
        """What differs, where and by how much."""
        parts = []
        if self.charge > TOLERANCE:
            parts.append(f"charge through {self.charge_port} by {self.charge:.2%}")
        if self.energy > TOLERANCE:
            parts.append(f"energy of {self.energy_port} by {self.energy:.2%}")
        if self.events is not None and not self.events.agrees:
            parts.append(f"a spike at a margin of {self.events.worst_margin:.2%}")
        return f"{self.engine} differs from {self.reference} in " + ", ".join(parts)


@dataclass(frozen=True)
class CaseResult:
    """All engines on one deck."""

    case: VerifyCase
    measurements: tuple[Measurement, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether nobody differs beyond the limits."""
        return all(difference.agrees for difference in self.differences)


def verify(
    cases: Sequence[VerifyCase],
    engines: Mapping[str, Engine],
    progress: Callable[[str, int, int], None] | None = None,
) -> list[CaseResult]:
    """Run every deck on every engine, one after the other, and compare.

    Parameters
    ----------
    cases : sequence of VerifyCase
    engines : mapping of str to Engine
        By name; the first is what the others are compared with.
    progress : callable, optional
        Called with what is going on, runs done and runs to do.

    Raises
    ------
    ConfigError
        If there is no engine.
    NetlistError, EngineError
        If an engine cannot run a deck; the error names the deck.
    """
    if not engines:
        raise ConfigError("no engine to verify; `memspice doctor` says how to install one")
    results, done = [], 0
    for case in cases:
        measurements = []
        for name, engine in engines.items():
            measurements.append(_measure(case, name, engine))
            done += 1
            if progress:
                progress(case.name, done, len(cases) * len(engines))
        results.append(CaseResult(case, tuple(measurements), _differences(case, measurements)))
    return results


def _measure(case: VerifyCase, name: str, engine: Engine) -> Measurement:
    nodes = [signal for source, node in case.ports for signal in (f"i({source})", f"v({node})")]
    started = time.monotonic()
    try:
        waves = engine.run(
            engine.write(case.deck),
            case.analysis,
            save=list(dict.fromkeys([*nodes, *case.save])),
            options=case.options,
        )
    except Exception as error:
        error.add_note(f"The deck that failed is {case.name} on {name}")
        raise
    seconds = time.monotonic() - started
    charge, energy = _port_integrals(case, waves)
    spikes, hazard = case.events(waves) if case.events else (None, None)
    return Measurement(name, charge, energy, spikes, hazard, len(waves.time), seconds)


def _port_integrals(case: VerifyCase, waves: Waveforms) -> tuple[np.ndarray, np.ndarray]:
    charge, energy = [], []
    for source, node in case.ports:
        current = waves.current(source)
        charge.append(np.trapezoid(np.abs(current), waves.time))
        # SPICE counts what flows into the plus terminal.
        energy.append(np.trapezoid(-waves.voltage(node) * current, waves.time))
    return np.array(charge), np.array(energy)


def _differences(case: VerifyCase, found: Sequence[Measurement]) -> tuple[Difference, ...]:
    first = found[0]
    others = [_against(case, measurement, first) for measurement in found[1:]]
    closed = [
        Difference(m.engine, "closed form", 0.0, "", 0.0, "", _events(case, m, None))
        for m in found
        if m.spikes is not None
    ]
    return (*others, *closed)


def _against(case: VerifyCase, found: Measurement, first: Measurement) -> Difference:
    charge, charge_port = _largest(case, found.charge, first.charge)
    energy, energy_port = _largest(case, found.energy, first.energy)
    return Difference(
        found.engine,
        first.engine,
        charge,
        charge_port,
        energy,
        energy_port,
        _events(case, found, first) if found.spikes is not None else None,
    )


def _largest(case: VerifyCase, found: np.ndarray, first: np.ndarray) -> tuple[float, str]:
    """Largest difference relative to the largest value of the deck, and its port."""
    scale = float(np.max(np.abs(first)))
    if scale == 0:
        raise EngineError(f"deck {case.name} moves nothing through its ports: nothing to compare")
    apart = np.abs(found - first) / scale
    worst = int(np.argmax(apart))
    return float(apart[worst]), case.ports[worst][0]


def _events(
    case: VerifyCase, found: Measurement, reference: Measurement | None
) -> PathwiseComparison:
    """Spikes against another engine's, or against those of the closed form."""
    assert case.thresholds is not None
    if reference is None:
        assert case.hazard is not None
        hazard, spikes = case.hazard, case.hazard >= case.thresholds
    else:
        assert reference.hazard is not None
        assert reference.spikes is not None
        hazard, spikes = reference.hazard, reference.spikes
    assert found.spikes is not None
    assert found.hazard is not None
    return compare_spikes(found.spikes, spikes, found.hazard, hazard, case.thresholds)


def verification_json(results: Sequence[CaseResult]) -> dict[str, Any]:
    """Object that ``memspice verify --json`` prints, without engines and interfaces."""
    return {
        "tolerance": TOLERANCE,
        "margin": MARGIN,
        "decks": [
            {
                "name": result.case.name,
                "what": result.case.what,
                "agrees": result.agrees,
                "engines": {m.engine: _measurement_json(m) for m in result.measurements},
                "differences": [_difference_json(d) for d in result.differences],
            }
            for result in results
        ],
    }


def _measurement_json(found: Measurement) -> dict[str, Any]:
    return {
        "charge_coulomb": float(found.charge.sum()),
        "energy_joule": float(found.energy.sum()),
        "spikes": None if found.spikes is None else int(found.spikes.sum()),
        "events": None if found.spikes is None else int(found.spikes.size),
        "points": found.points,
        "wall_seconds": found.seconds,
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    events = difference.events
    engines = difference.reference != "closed form"
    return {
        "engine": difference.engine,
        "reference": difference.reference,
        "charge": difference.charge if engines else None,
        "energy": difference.energy if engines else None,
        "mismatches": None if events is None else events.mismatches,
        "worst_margin": None if events is None else events.worst_margin,
        "hazard_deviation": None if events is None else events.hazard_deviation,
        "agrees": difference.agrees,
        "complaint": None if difference.agrees else difference.complaint,
    }
