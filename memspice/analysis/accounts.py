"""Both sides of the comparison with CMOS, and how far each assumption, changed alone, moves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from memspice.analysis.cmos import (
    OPPONENTS,
    SCOPE_COMPONENTS,
    SCOPE_PARTS,
    SCOPES,
    CmosOperations,
    NeuronDecision,
    Workload,
    by_scope,
    opponent_parts,
    quoted_decision,
)

#: By scope, then by opponent.
Ratios = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Accounts:
    """Everything that the ratios of energy depend on.

    Parameters
    ----------
    components : mapping of str to float, [J]
        Memristive network, per inference.
    amplified : float, [J]
        Of its sense stages: those that are amplifiers of a model, not transistors.
    quiescent : float, [J]
        Of these, what the amplifiers take without a signal.
    work : Workload
        Operations of the digital networks.
    operations : CmosOperations
        Their prices.
    decision : float, [J]
        Of a digital spiking neuron.
    """

    components: Mapping[str, float]
    amplified: float
    quiescent: float
    work: Workload
    operations: CmosOperations
    decision: float

    @property
    def own(self) -> dict[str, float]:
        """Energy of the memristive network at each scope, [J]."""
        return by_scope(self.components, SCOPE_COMPONENTS)

    def opponent(self, name: str) -> dict[str, float]:
        """Energy of a digital network at each scope, [J]."""
        parts = opponent_parts(OPPONENTS[name], self.operations, self.work, self.decision)
        return by_scope(parts, SCOPE_PARTS)

    def ratios(self) -> Ratios:
        """Digital over memristive energy, [1]: above 1 the memristive network takes less."""
        own, digital = self.own, {name: self.opponent(name) for name in OPPONENTS}
        return {
            scope: {name: energy[scope] / own[scope] for name, energy in digital.items()}
            for scope in SCOPES
        }

    def bandwidth(self, factor: float) -> Accounts:
        """Amplifiers of another bandwidth: their quiescent current is in proportion to it."""
        change = (factor - 1) * self.quiescent
        sense = self.components["sense"] + change
        return replace(
            self,
            components={**self.components, "sense": sense},
            amplified=self.amplified + change,
            quiescent=factor * self.quiescent,
        )

    def rails(self, factor: float) -> Accounts:
        """Amplifiers between other rails."""
        sense = self.components["sense"] + (factor - 1) * self.amplified
        return replace(
            self,
            components={**self.components, "sense": sense},
            amplified=factor * self.amplified,
            quiescent=factor * self.quiescent,
        )

    def conductance(self, factor: float) -> Accounts:
        """Cells of another conductance: currents in proportion, drivers as their square.

        Of stages of transistors there are as many more as lines have more conductance.
        """
        lines = (factor - 1) * (self.components["sense"] - self.quiescent)
        changed = {
            "driver": factor**2 * self.components["driver"],
            "crossbar": factor * self.components["crossbar"],
            "sense": self.components["sense"] + lines,
        }
        return replace(self, components={**self.components, **changed})

    def scaled(self, name: str, factor: float) -> Accounts:
        """One component of the memristive network at another energy."""
        return replace(self, components={**self.components, name: factor * self.components[name]})

    def priced(self, **values: float) -> Accounts:
        """Other energies per operation."""
        return replace(self, operations=self.operations.model_copy(update=values))


def assumption_changes(
    base: Accounts, decision: NeuronDecision, published: CmosOperations | None = None
) -> dict[str, Accounts]:
    """Accounts with one assumption changed each, by what was changed.

    Parameters
    ----------
    base : Accounts
    decision : NeuronDecision
        That of ``base``, by its blocks.
    published : CmosOperations, optional
        Prices in the place of additions that were simulated.
    """
    prices = base.operations
    amplifiers = {
        "amplifier bandwidth at a tenth": base.bandwidth(0.1),
        "amplifier bandwidth at twice": base.bandwidth(2.0),
        "rails of the sense stages at half": base.rails(0.5),
    }
    simulated = {
        "sense stages at twice": base.scaled("sense", 2.0),
        "sense stages at half": base.scaled("sense", 0.5),
    }
    added = published and base.priced(add_8bit=published.add_8bit, add_16bit=published.add_16bit)
    return {
        **(amplifiers if base.amplified else simulated),
        **({"additions as published": added} if added else {}),
        "cells at twice the conductance": base.conductance(2.0),
        "cells at half the conductance": base.conductance(0.5),
        "neuron write at twice": base.scaled("neuron_write", 2.0),
        "neuron read at half": base.scaled("neuron_read", 0.5),
        "converters at twice": base.scaled("converter", 2.0),
        "no converters": base.scaled("converter", 0.0),
        "weight fetched once for 16 uses": base.priced(weight_reuse=16, weight_reuse_papers=16),
        "weight fetched once for 1,024 uses": base.priced(
            weight_reuse=1024, weight_reuse_papers=1024
        ),
        # Horowitz, ISSCC 2014: 20 pJ an access where 8 KB take 10.
        "weight from a 32 KB memory": base.priced(weight_fetch=2 * prices.weight_fetch),
        "sums of 32 bit": base.priced(add_8bit=prices.add_32bit, add_16bit=prices.add_32bit),
        "CMOS neuron: quoted, not simulated": replace(base, decision=quoted_decision(prices)),
        "CMOS neuron: register shared by 128": replace(base, decision=decision.energy(128)),
        "activation of the ANN a tenth of a look-up": base.priced(lookup=0.1 * prices.lookup),
    }


def ratio_changes(base: Accounts, changes: Mapping[str, Accounts]) -> dict[str, Ratios]:
    """Ratios with each assumption changed alone; the one that moves one the most comes first."""
    standing, found = base.ratios(), {name: item.ratios() for name, item in changes.items()}

    def extent(name: str) -> float:
        factors = [
            found[name][scope][opponent] / standing[scope][opponent]
            for scope in SCOPES
            for opponent in OPPONENTS
        ]
        return max(max(factor, 1 / factor) for factor in factors)

    return {name: found[name] for name in sorted(found, key=extent, reverse=True)}


def ratio_range(
    standing: Ratios, changed: Mapping[str, Ratios], scope: str, opponent: str
) -> dict[str, dict[str, Any]]:
    """Lowest and highest ratio over all changes, ``low`` and ``high``, and the change it takes.

    The change is ``none`` where no change takes the ratio beyond where it stands.
    """
    found = {"none": standing[scope][opponent]}
    found |= {name: ratios[scope][opponent] for name, ratios in changed.items()}
    ends = {"low": min(found, key=lambda n: found[n]), "high": max(found, key=lambda n: found[n])}
    return {end: {"value": found[name], "change": name} for end, name in ends.items()}


def total_range(base: Accounts, changes: Mapping[str, Accounts]) -> tuple[float, float]:
    """Lowest and highest total of the memristive network over all changes, [J]."""
    totals = [item.own[SCOPES[-1]] for item in (base, *changes.values())]
    return min(totals), max(totals)
