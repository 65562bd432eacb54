"""A network on a chip: what is mapped once, and then run and simulated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from memspice.circuits.bursts import check_burst
from memspice.datasets import Images
from memspice.engines.base import Engine
from memspice.errors import ConfigError
from memspice.experiment.device import Device, load_device
from memspice.experiment.fitting import fitted
from memspice.experiment.images import check_fit, image_remarks, images_for
from memspice.experiment.infer import run_chip, simulate_chip
from memspice.experiment.request import Request
from memspice.experiment.results.base import Shown
from memspice.experiment.results.chip import ChipResult
from memspice.experiment.results.layer import LayerResult
from memspice.experiment.results.table import Table
from memspice.experiment.run_options import RunOptions
from memspice.experiment.simulate_layer import simulate_layer
from memspice.experiment.surfaces import measured_cell, measured_network, measured_neuron
from memspice.network.latency import latency
from memspice.network.mapping import MappedLayer, MappedNetwork, map_network
from memspice.network.port_cache import PortCache
from memspice.network.switching import Calibration
from memspice.network.weights import Network, load_network
from memspice.parameters import ParameterSet
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity

#: Most cycles an image, and rows or columns of a tile.
MOST = {"cycles": 1_000_000, "tile rows": 4096, "tile columns": 4096}


class Chip(Shown):
    """A trained network on crossbars of a device: mapped once, then run and simulated.

    ``chip.run`` is the network loop in NumPy; ``chip["dense1"].simulate`` puts windows of one layer
    through SPICE.

    Parameters
    ----------
    network : Network or str
        Trained weights: as of `memspice.load_network`, or what that takes.
    device : Device or str
        As of `memspice.load_device`, or what that takes.
    tile : tuple of int
        Most rows and columns of a tile of the array.
    seed : int
        Of every draw: cells and neurons of this chip, and events.
    training : Images, str or Path, optional
        Training images, or where they are; only a set that trims its neurons
        (``periphery.trim_step``) needs them, for a network that comes without mean levels.  By
        default those of the data set that fits.
    cache : bool
        Keep port matrices in the user's cache: a second run of the same chip solves no tile.

    Raises
    ------
    ConfigError
        If a name is unknown, a number makes no sense, or the weights do not fit onto the device.
    DataError
        If a file cannot be used.
    """

    def __init__(
        self,
        network: Network | str,
        device: Device | str = "fast-memristor",
        *,
        tile: tuple[int, int] = (128, 128),
        seed: int = 0,
        training: Images | str | Path | None = None,
        cache: bool = False,
    ) -> None:
        _check({"tile rows": tile[0], "tile columns": tile[1]})
        if not 0 <= seed < 2**63:
            raise ConfigError(f"seed = {seed} must be at least 0 and below 2**63")
        loaded = load_network(network) if isinstance(network, str) else network
        self.device = load_device(device) if isinstance(device, str) else device
        self.tile, self.seed, self.cache = tile, seed, cache
        self.network, parameter_set, self._remarks = fitted(loaded, self.device, training)
        self._ports = PortCache() if cache else None
        #: Layers as circuits; what is measured of their sense stages comes with a `request`.
        self.mapped = self._map(measured_cell(measured_neuron(parameter_set)))
        self._measured: dict[int, MappedNetwork] = {}

    def _map(self, parameter_set: ParameterSet) -> MappedNetwork:
        return map_network(self.network, parameter_set, self.tile, self.seed, self._ports)

    def _for_bursts(self, burst: int) -> MappedNetwork:
        """Layers with sense stages for bursts, which are measured where that is needed, once."""
        if burst not in self._measured:
            parameter_set = self.mapped.parameter_set
            sense = parameter_set.sense.for_bursts(burst)
            usual = sense is parameter_set.sense
            mapped = self.mapped if usual else self._map(replace(parameter_set, sense=sense))
            self._measured[burst] = measured_network(mapped)
        return self._measured[burst]

    def __getitem__(self, name: str) -> Layer:
        return Layer(self, self.mapped.layer(name))

    def __iter__(self) -> Iterator[Layer]:
        return (Layer(self, layer) for layer in self.mapped.layers)

    @staticmethod
    def check_size(cycles: int, burst: int = 1) -> None:
        """Refuse numbers of cycles that make no sense, before anything is loaded.

        Raises
        ------
        ConfigError
            If there is no cycle, or they are not whole bursts.
        """
        _check({"cycles": cycles})
        check_burst(cycles, burst)

    def images(
        self, split: str = "test", limit: int | None = None, data: str | Path | None = None
    ) -> Images:
        """Images that fit the network.

        Parameters
        ----------
        split : {"test", "train"}
            Of a data set that has both.
        limit : int, optional
            Most images, the first ones.
        data : str or Path, optional
            As of `memspice.load_images`; by default the data set that fits.

        Raises
        ------
        ConfigError
            If no data set fits.
        ShapeError
            If those named do not.
        """
        return images_for(self.network, split, limit, data)

    def request(
        self, images: Images, *, cycles: int, burst: int | None = None, notes: Sequence[str] = ()
    ) -> Request:
        """What a run on this chip is asked for, checked; arguments as of `run`.

        Raises
        ------
        ConfigError
            If the cycles make no sense or are not whole bursts, or if the answer would be made of
            more bursts than it can, or if no sense stages are for such bursts.
        ShapeError
            If the images do not fit the network.
        """
        burst = self._burst(cycles, burst)
        self.mapped.parameter_set.answer.check(self.mapped.answers(cycles, burst))
        check_fit(self.network, images)
        return Request(
            network=self.network,
            mapped=self._for_bursts(burst),
            tile=self.tile,
            images=images.reshaped(self.network.architecture.input_shape),
            cycles=cycles,
            burst=burst,
            seed=self.seed,
            remarks=(*notes, *self._remarks, *image_remarks(self.network, images)),
        )

    def _burst(self, cycles: int, burst: int | None) -> int:
        """Cycles of a burst, checked: as asked for, else what the sense stages are made for."""
        self.check_size(cycles, 1 if burst is None else burst)
        return self.mapped.parameter_set.sense.usual_burst(cycles) if burst is None else burst

    def latency(self, cycles: int, burst: int | None = None) -> float:
        """Time from the first row pulse to the answer, [s].

        Layers follow one another cycle by cycle, or burst by burst, with circuits of their own at
        every position.

        Parameters
        ----------
        cycles, burst : int
            As of `run`.

        Raises
        ------
        ConfigError
            If the cycles make no sense or are not whole bursts.
        """
        return latency(self.mapped, cycles, self._burst(cycles, burst))

    def run(
        self,
        images: Images,
        *,
        cycles: int = 16,
        burst: int | None = None,
        calibration: Mapping[str, Calibration] | None = None,
        energy_windows: int = 0,
        options: RunOptions = RunOptions(),
    ) -> ChipResult:
        """Classify images in NumPy, with surrogates of all circuits.

        Parameters
        ----------
        images : Images
            In the shape that the network takes, or of as many numbers where it takes a flat one.
        cycles : int
            Write-read-reset cycles of an image.
        burst : int, optional
            Cycles in which neurons keep one drive, that of the mean input in as many; by default 1
            on models, and 8 on transistors where the cycles are whole bursts of 8.
        calibration : mapping, optional
            Corrections of the surrogate by layer, such as a co-simulation has found.
        energy_windows : int
            Images of which one window of each layer gives the closed-form energy of an inference
            (``sampled_energy``); two or more give an interval.
        options : RunOptions
            How it is carried out, where it is stored, who is told.

        Raises
        ------
        ConfigError
            If a number makes no sense, or the closed form of a layer does not hold.
        ShapeError
            If the images do not fit the network.
        StoreError
            If the run file cannot be written.
        """
        return run_chip(
            self.request(images, cycles=cycles, burst=burst, notes=options.notes),
            calibration=calibration,
            energy_windows=energy_windows,
            options=options,
        )

    def simulate(
        self,
        images: Images,
        *,
        cycles: int = 4,
        burst: int | None = None,
        fidelity: Fidelity | str = "reduced",
        engine: Engine | str | None = None,
        options: RunOptions = RunOptions(),
    ) -> ChipResult:
        """Classify images with every spike of every layer out of SPICE.

        For networks of dense layers: a convolution would be a circuit at every position.

        Parameters
        ----------
        images, cycles, burst, options
            As of `run`.
        fidelity : Reduced, Full or str
            What SPICE sees.
        engine : Engine or str, optional
            On which simulator, where the fidelity is a name; by default ngspice.

        Raises
        ------
        ConfigError
            If the network has convolutions, or a number makes no sense.
        IncompleteResults
            If not one image could be classified.
        """
        chosen = open_fidelity(fidelity, engine)
        if chosen.engine is None:
            raise ConfigError("simulate is for SPICE: run is the network loop with surrogates")
        return simulate_chip(
            self.request(images, cycles=cycles, burst=burst, notes=options.notes),
            chosen,
            options=options,
        )

    def table(self) -> Table:
        """Its layers."""
        rows = [
            (
                layer.name,
                f"{layer.rows} rows, {2 * layer.outputs} columns in {len(layer.circuits)} groups, "
                f"{layer.positions} positions",
            )
            for layer in self.mapped.layers
        ]
        title = (
            f"{self.network.name} on {self.device.parameters.name}, tiles of {self.tile[0]} x "
            f"{self.tile[1]}, seed {self.seed}"
        )
        return Table(title, tuple(rows), (*self._remarks, *self.mapped.notes))


class Layer:
    """One layer of a chip, to be simulated by itself; ``chip["dense1"]`` makes it.

    Its inputs come from the network loop, which gives the same spikes as SPICE.
    """

    def __init__(self, chip: Chip, mapped: MappedLayer) -> None:
        self.chip, self.mapped = chip, mapped

    @property
    def name(self) -> str:
        """Kind and number, such as ``dense1``."""
        return self.mapped.name

    @property
    def spiking(self) -> bool:
        """Whether neurons follow; the last layer accumulates instead."""
        return self.mapped.spiking

    def expected_seconds(
        self,
        *,
        images: int = 1,
        cycles: int = 4,
        positions: int = 1,
        fidelity: Fidelity | str = "reduced",
        engine: Engine | str | None = None,
    ) -> float:
        """Processor time that `simulate` takes, about, [s]; 0 where it is a matter of seconds.

        From times that were measured, for ``full`` and for transistors: within a factor of a few.

        Parameters
        ----------
        images : int
            How many.
        cycles, positions, fidelity, engine
            As of `simulate`.
        """
        windows = images * min(positions, self.mapped.positions)
        return windows * open_fidelity(fidelity, engine).expected_seconds(self.mapped, cycles)

    def simulate(
        self,
        images: Images,
        *,
        cycles: int = 4,
        burst: int | None = None,
        positions: int = 1,
        fidelity: Fidelity | str = "reduced",
        engine: Engine | str | None = None,
        keep: str | Iterable[int] = "sample",
        options: RunOptions = RunOptions(),
    ) -> LayerResult:
        """Simulate windows of the layer, and compare them with the closed form.

        A window is all neurons of the layer at one position of one image, through all cycles.

        Parameters
        ----------
        images, cycles, burst, options
            As of `Chip.run`.
        positions : int
            Windows of each image, chosen by the seed; a dense layer has one.
        fidelity : Surrogate, Reduced, Full or str
            What SPICE sees.
        engine : Engine or str, optional
            On which simulator, where the fidelity is a name; by default ngspice.
        keep : {"sample", "all", "none"} or iterable of int
            Neurons whose waveforms are kept: of each deck one that spikes about every other cycle,
            all, none, or those of these numbers.

        Raises
        ------
        ConfigError
            If a number makes no sense, or ``reduced`` or the closed form would not be exact here.
        EngineNotFound
            If the engine is not installed.
        IncompleteResults
            If not one window could be simulated.
        """
        request = self.chip.request(images, cycles=cycles, burst=burst, notes=options.notes)
        return simulate_layer(
            request,
            request.mapped.layer(self.name),
            open_fidelity(fidelity, engine),
            positions=positions,
            keep=keep,
            options=options,
        )

    def __repr__(self) -> str:
        layer = self.mapped
        return (
            f"{self.chip.network.name} {self.name}: {layer.rows} rows, {2 * layer.outputs} columns"
        )


def _check(numbers: Mapping[str, int]) -> None:
    for name, value in numbers.items():
        if not 1 <= value <= MOST[name]:
            bound = "at least 1" if value < 1 else f"at most {MOST[name]:,}"
            raise ConfigError(f"{name} = {value} must be {bound}")
