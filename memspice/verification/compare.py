"""The same decks on every engine: charge, energy, states and spikes, and who differs from whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from memspice.analysis.comparison import MARGIN, PathwiseComparison, compare_spikes
from memspice.engines.base import Engine
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError, MemspiceError
from memspice.verification.case import VerifyCase

#: Largest difference between engines of a port's charge and energy, relative, and of a state's
#: course, on average and relative to its range.  Ten times what two solvers at the decks'
#: tolerances leave; a parameter that is wrong by a few percent shows far above it.
TOLERANCE = 5e-3
#: A port that moves less than this share of the deck's largest is judged against that share: its
#: own charge is the difference of larger ones.
SMALLEST = 1e-3


@dataclass(frozen=True, eq=False)
class Measurement:
    """Charges, energies, states and spikes that one engine found of one deck.

    ``charge`` [C] is the integral of the current's magnitude through each port, ``energy`` [J] what
    each port delivered; ``states`` holds the course of each state over ``time`` [s]; ``spikes`` and
    ``hazard`` are (cycles, neurons), None without neurons.
    """

    engine: str
    charge: np.ndarray
    energy: np.ndarray
    time: np.ndarray
    states: Mapping[str, np.ndarray]
    spikes: np.ndarray | None
    hazard: np.ndarray | None
    seconds: float


@dataclass(frozen=True)
class Difference:
    """One engine against the first, or against the closed form, on one deck.

    ``apart`` is what differs most of charges, energies and states, relative, and ``where`` its
    name; 0 against the closed form, which has events only.
    """

    engine: str
    reference: str
    apart: float
    where: str
    events: PathwiseComparison | None

    @property
    def agrees(self) -> bool:
        """Whether charges, energies, states, spikes and hazards are within their limits."""
        return self.apart <= TOLERANCE and (
            self.events is None or (self.events.agrees and self.events.hazard_deviation <= MARGIN)
        )

    @property
    def complaint(self) -> str:
        """What differs, where and by how much."""
        parts = [f"{self.where} by {self.apart:.2%}"] if self.apart > TOLERANCE else []
        if self.events is not None and self.events.hazard_deviation > MARGIN:
            parts.append(f"a hazard integral by {self.events.hazard_deviation:.2%}")
        if self.events is not None and not self.events.agrees:
            parts.append(f"a spike at a margin of {self.events.worst_margin:.2%}")
        return f"{self.engine} differs from {self.reference} in " + ", ".join(parts)


@dataclass(frozen=True, eq=False)
class CaseResult:
    """All engines on one deck; ``failures`` says why an engine could not run it."""

    case: VerifyCase
    measurements: tuple[Measurement, ...]
    differences: tuple[Difference, ...]
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def complaints(self) -> list[str]:
        """Everything that is not as it should be."""
        failed = [f"{engine} failed: {message}" for engine, message in self.failures.items()]
        return [*failed, *(d.complaint for d in self.differences if not d.agrees)]


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
        By name; the first that runs a deck is what the others are compared with.
    progress : callable, optional
        Called with what is going on, runs done and runs to do.

    Returns
    -------
    list of CaseResult
        A deck that an engine could not run is one of its failures, not an exception.

    Raises
    ------
    ConfigError
        If there is no engine.
    EngineError
        If a deck moves no charge: it would compare nothing.
    """
    if not engines:
        raise ConfigError("no engine to verify; `memspice doctor` says how to install one")
    results, done = [], 0
    for case in cases:
        measurements, failures = [], {}
        for name, engine in engines.items():
            try:
                measurements.append(_measure(case, name, engine))
            except MemspiceError as error:
                failures[name] = str(error)
            done += 1
            if progress:
                progress(case.name, done, len(cases) * len(engines))
        differences = tuple(_differences(case, measurements))
        results.append(CaseResult(case, tuple(measurements), differences, failures))
    return results


def _measure(case: VerifyCase, name: str, engine: Engine) -> Measurement:
    ports = [signal for source, node in case.ports for signal in (f"i({source})", f"v({node})")]
    saved = [*ports, *(f"v({node})" for node in case.states), *case.save]
    started = time.monotonic()
    waves = engine.run(
        engine.write(case.deck),
        case.analysis,
        save=list(dict.fromkeys(saved)),
        options=case.options,
    )
    seconds = time.monotonic() - started
    charge, energy = _port_integrals(case, waves)
    spikes, hazard = case.events(waves) if case.events else (None, None)
    states = {node: waves.voltage(node) for node in case.states}
    return Measurement(
        engine=name,
        charge=charge,
        energy=energy,
        time=waves.time,
        states=states,
        spikes=spikes,
        hazard=hazard,
        seconds=seconds,
    )


def _port_integrals(case: VerifyCase, waves: Waveforms) -> tuple[np.ndarray, np.ndarray]:
    charge, energy = [], []
    for source, node in case.ports:
        current = waves.current(source)
        charge.append(np.trapezoid(np.abs(current), waves.time))
        # SPICE counts what flows into the plus terminal.
        energy.append(np.trapezoid(-waves.voltage(node) * current, waves.time))
    return np.array(charge), np.array(energy)


def _differences(case: VerifyCase, found: Sequence[Measurement]) -> Iterable[Difference]:
    for measurement in found[1:]:
        apart, where = _largest(case, measurement, found[0])
        events = _events(case, measurement, found[0])
        yield Difference(measurement.engine, found[0].engine, apart, where, events)
    for measurement in found:
        if measurement.spikes is not None:
            events = _events(case, measurement, None)
            yield Difference(measurement.engine, "closed form", 0.0, "", events)


def _largest(case: VerifyCase, found: Measurement, first: Measurement) -> tuple[float, str]:
    """What differs most, relative, and its name."""
    ports = [source for source, _ in case.ports]
    apart = {
        **_apart("charge through", ports, found.charge, first.charge),
        **_apart("energy of", ports, found.energy, first.energy),
        **{f"state {node}": _courses_apart(found, first, node) for node in case.states},
    }
    if not np.any(first.charge):
        raise EngineError(f"deck {case.name} moves nothing through its ports: nothing to compare")
    where = max(apart, key=lambda name: apart[name])
    return apart[where], where


def _apart(
    what: str, ports: Sequence[str], found: np.ndarray, first: np.ndarray
) -> dict[str, float]:
    size = np.abs(first)
    scale = np.maximum(size, max(SMALLEST * float(size.max()), np.finfo(float).tiny))
    return {
        f"{what} {port}": float(value)
        for port, value in zip(ports, np.abs(found - first) / scale, strict=True)
    }


def _courses_apart(found: Measurement, first: Measurement, node: str) -> float:
    """Mean difference of a state over the run, relative to its range."""
    instants = np.union1d(found.time, first.time)
    course = np.interp(instants, found.time, found.states[node])
    reference = np.interp(instants, first.time, first.states[node])
    extent = max(float(np.ptp(reference)), np.finfo(float).tiny)
    mean = np.trapezoid(np.abs(course - reference), instants) / (instants[-1] - instants[0])
    return float(mean / extent)


def _events(
    case: VerifyCase, found: Measurement, reference: Measurement | None
) -> PathwiseComparison | None:
    """Spikes against another engine's, or against those of the closed form."""
    if found.spikes is None or found.hazard is None or case.thresholds is None:
        return None
    spikes, hazard = (
        (None, case.hazard) if reference is None else (reference.spikes, reference.hazard)
    )
    assert hazard is not None
    spikes = hazard >= case.thresholds if spikes is None else spikes
    return compare_spikes(found.spikes, spikes, found.hazard, hazard, case.thresholds)


def verification_json(results: Sequence[CaseResult]) -> dict[str, Any]:
    """Object that ``memspice verify --json`` prints, without engines and models."""
    return {
        "tolerance": TOLERANCE,
        "margin": MARGIN,
        "decks": [
            {
                "name": result.case.name,
                "what": result.case.what,
                "agrees": not result.complaints,
                "complaints": result.complaints,
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
        "points": len(found.time),
        "wall_seconds": found.seconds,
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    events = difference.events
    return {
        "engine": difference.engine,
        "reference": difference.reference,
        "apart": difference.apart if difference.where else None,
        "where": difference.where or None,
        "mismatches": None if events is None else events.mismatches,
        "worst_margin": None if events is None else events.worst_margin,
        "hazard_deviation": None if events is None else events.hazard_deviation,
        "agrees": difference.agrees,
    }
