"""Files that snnTorch and Norse wrote: networks of 12 inputs, 4 neurons and 3 outputs.

Written by their own exporters (snnTorch 1.0.0, Norse 1.1.0) with random weights; ``norse_scalars``
and those of snnTorch through nir 1.0.7, whose files may hold parameters without a shape.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from memspice.errors import ConfigError
from memspice.importers.nir_import import import_nir
from memspice.importers.rate_match import LeakyNeurons

FILES = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("name", "time_step", "decay", "gain", "threshold"),
    [
        # v <- 0.9 v + x, a spike above 0.5
        ("snntorch_lif", 1e-4, 0.9, 1.0, 0.5),
        # v <- v + 0.1 (x - v), above 0.2; time constants are written times 1 ms
        ("norse_lif", 1e-6, 0.9, 0.1, 0.2),
        ("norse_scalars", 1e-6, 0.9, 0.1, 0.2),
    ],
)
def test_neurons_are_those_of_the_package(
    name: str, time_step: float, decay: float, gain: float, threshold: float
) -> None:
    """The same neurons by the update that the package runs in each of its steps."""
    path = FILES / f"{name}.nir"
    network = import_nir(path, neurons="stochastic", time_step=time_step)
    assert network.architecture.input_shape == (1, 1, 12)
    (rates,) = network.provenance["rates"]
    with h5py.File(path) as file:
        weight, bias = (file[f"node/nodes/0/{key}"][()] for key in ("weight", "bias"))
    one = np.ones(1)
    # tau in steps; R so that a step adds gain * x.
    tau = 1 / (1 - decay)
    law = LeakyNeurons(
        time_constant=tau * one,
        resistance=gain * tau * one,
        leak=0 * one,
        threshold=threshold * one,
        reset=0 * one,
        time_step=1.0,
    )
    match = law.match(rates["reference"])
    np.testing.assert_allclose(network.layers[0].weight, weight * match.scale, rtol=1e-4)
    np.testing.assert_allclose(
        network.layers[0].bias, bias * match.scale + match.shift, rtol=1e-3, atol=1e-4
    )


def test_recurrent_cell_is_refused_by_the_node_that_feeds_several() -> None:
    with pytest.raises(ConfigError, match=r"node '1.lif' \(LIF\): it is part of a loop"):
        import_nir(FILES / "snntorch_recurrent.nir", neurons="stochastic", time_step=1e-4)


def test_time_step_of_norse_in_seconds_is_refused() -> None:
    with pytest.raises(ConfigError, match="0.001 s is above 2 time constants of 1e-05 s"):
        import_nir(FILES / "norse_lif.nir", neurons="stochastic", time_step=1e-3)
