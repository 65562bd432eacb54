"""A network and a device fitted to each other, before the one is put onto the other."""

from __future__ import annotations

from pathlib import Path

from memspice.datasets import Images
from memspice.experiment.device import Device
from memspice.experiment.images import images_for
from memspice.network.ann import with_mean_inputs
from memspice.network.weights import Network
from memspice.parameters import ParameterSet

#: Training images whose levels the trim of an imported network rests on.
TRIM_IMAGES = 500


def fitted(
    network: Network, device: Device, training: Images | str | Path | None
) -> tuple[Network, ParameterSet, list[str]]:
    """Network with all that its chip needs, the chip's parameters, and what a reader must know.

    Parameters
    ----------
    network : Network
        Trained weights.
    device : Device
        Its cells get the levels that the weights were made for.
    training : Images, str or Path, optional
        Training images, for a trim of a network that comes without the mean levels of its rows.

    Raises
    ------
    ConfigError, DataError
        If there are no training images where they are needed.
    """
    remarks = [str(text) for text in network.provenance.get("warnings", [])]
    common, levels = device.parameters, network.levels
    parameter_set = device.with_levels(levels)
    if parameter_set.synapse.levels != common.synapse.levels:
        remarks.append(
            f"cells have {levels} conductance levels, those of the network file, in the place "
            f"of {common.synapse.levels}; --set synapse.levels={common.synapse.levels} rounds "
            "the weights onto these"
        )
    if parameter_set.neuron.trim[0] and any(w.mean_input is None for w in network.layers):
        network, remark = _with_means(network, training)
        remarks.append(remark)
    return network, parameter_set, remarks


def _with_means(network: Network, training: Images | str | Path | None) -> tuple[Network, str]:
    """Network with the mean levels of its rows, and where they are from."""
    shape = network.architecture.input_shape
    if isinstance(training, Images):
        images = training
    else:
        images = images_for(network, "train", TRIM_IMAGES, training)
    return with_mean_inputs(network, images.reshaped(shape).x), (
        "the network file has no mean levels of its rows, which the trim needs: taken from "
        f"{len(images)} training images of {images.name}"
    )
