"""Joules by component, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memspice.analysis.assumed import assumed_fraction, circuit_constants
from memspice.circuits.layer import LayerCircuit
from memspice.errors import ConfigError
from memspice.experiment.results.base import Result
from memspice.experiment.results.table import Table
from memspice.parameters import ParameterSet
from memspice.quantities import format_si


@dataclass(frozen=True, eq=False, repr=False)
class Energy(Result):
    """Energy of some events, of a layer or of an inference, [J].

    ``energy["sense"]`` is the joules of one component; energies of the same components add up, and
    one over a number is that of one of so many.

    Parameters
    ----------
    components : mapping of str to float, [J]
        Dissipated, by component: ``driver``, ``crossbar``, ``sense``, ``neuron_write``,
        ``neuron_read``, ``neuron_reset``, ``logic``, and of a whole network ``converter``.
    assumed_fraction : float, [1]
        Share of the total that rests on assumed constants (`memspice.analysis.assumed`).
    device_source : str
        Where the neuron device comes from: ``measured``, ``literature`` or ``what-if``.

    Examples
    --------
    >>> half = Energy({"driver": 1e-12, "sense": 3e-12}, 0.75, "what-if") / 2
    >>> half["sense"], half.total, half.assumed_fraction
    (1.5e-12, 2e-12, 0.75)
    """

    components: Mapping[str, float]
    assumed_fraction: float
    device_source: str

    @classmethod
    def of(
        cls, components: Mapping[str, float], parameter_set: ParameterSet, layer: LayerCircuit
    ) -> Energy:
        """Energy of components of a layer, on circuits of a parameter set."""
        constants = circuit_constants(layer)
        share = assumed_fraction(components, parameter_set.provenance, constants)
        return cls(components, share, parameter_set.device_source)

    @property
    def total(self) -> float:
        """Sum of all components, [J]."""
        return sum(self.components.values())

    def __getitem__(self, component: str) -> float:
        if component not in self.components:
            known = ", ".join(self.components)
            raise ConfigError(f"energy has no component {component!r}: use {known}")
        return self.components[component]

    def __iter__(self) -> Iterator[str]:
        return iter(self.components)

    def __add__(self, other: Energy) -> Energy:
        if self.components.keys() != other.components.keys():
            raise ConfigError(
                f"energies of {', '.join(self)} and of {', '.join(other)} do not add up: their "
                "components differ"
            )
        if self.device_source != other.device_source:
            raise ConfigError(
                f"energies of a {self.device_source} and a {other.device_source} device do not add "
                "up: state them apart"
            )
        added = {name: joule + other[name] for name, joule in self.components.items()}
        assumed = sum(part.assumed_fraction * part.total for part in (self, other))
        share = assumed / total if (total := sum(added.values())) else 0.0
        return Energy(added, share, self.device_source)

    def __truediv__(self, count: float) -> Energy:
        shares = {name: joule / count for name, joule in self.components.items()}
        return Energy(shares, self.assumed_fraction, self.device_source)

    def headline(self, per: str = "") -> str:
        """Total in words: joules, how much of them is assumed, what device they are of."""
        return (
            f"{format_si(self.total, 'J')}{per}, {self.assumed_fraction:.0%} of it assumed; "
            f"{self.device_source} device"
        )

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Rows of a table: each component with its share."""
        total = self.total or 1.0
        return tuple(
            (f"  {name}", f"{format_si(joule, 'J'):>9}  {joule / total:7.2%}")
            for name, joule in self.components.items()
        )

    def table(self) -> Table:
        """Total over its components."""
        return Table(f"energy {self.headline()}", self.rows())

    def as_json(self) -> dict[str, Any]:
        """Components, total, and what they rest on."""
        return {
            "energy_joule": dict(self.components),
            "energy_total_joule": self.total,
            "assumed_fraction": self.assumed_fraction,
            "device_source": self.device_source,
        }

    def measures(self) -> dict[str, float]:
        """What a sweep keeps of it: plain numbers by name."""
        return {
            "energy_joule": self.total,
            **{f"{name}_joule": joule for name, joule in self.components.items()},
            "assumed_fraction": self.assumed_fraction,
        }

    def columns(self) -> Mapping[str, Any]:
        """One row a component."""
        return {
            "component": list(self.components),
            "energy_joule": list(self.components.values()),
        }


@dataclass(frozen=True)
class SampledEnergy:
    """Energy of one inference from some windows of every layer.

    Parameters
    ----------
    energy : Energy, [J]
        Extrapolated from the windows.
    half_width : float, [J]
        Half of the 95 % interval of its total: of sampling alone.
    windows : int
        How many of each layer.
    """

    energy: Energy
    half_width: float
    windows: int
