"""Several chips of one network and device."""

from __future__ import annotations

from memspice.datasets import Images
from memspice.errors import ConfigError
from memspice.experiment.chip import Chip
from memspice.experiment.infer_chips import run_chips
from memspice.experiment.request import Request
from memspice.experiment.results.chips import ChipsResult
from memspice.experiment.run_options import RunOptions

#: Most chips of a run.
MOST_CHIPS = 10_000


class Chips:
    """Chips that differ in what chance makes of them.

    Chip n of a first chip of seed S is the chip of seed S + n: its cells, stuck cells, neurons and
    events are those of ``Chip(..., seed=S + n)``, and the first is that chip itself, to the bit.
    (So chips of seed 0 and of seed 1 have all but one in common.)

    Parameters
    ----------
    first : Chip
        Network, device, tiles, first seed.
    count : int
        How many.

    Raises
    ------
    ConfigError
        If there are none, or too many.
    """

    def __init__(self, first: Chip, count: int) -> None:
        if not 1 <= count <= MOST_CHIPS:
            raise ConfigError(f"chips = {count:,} must be 1 to {MOST_CHIPS:,}")
        self.first, self.count = first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Chip:
        """Chip of a number, from 0; mapped anew, but for the first."""
        if not 0 <= number < self.count:
            raise IndexError(f"chip {number} of {self.count}")
        first = self.first
        if number == 0:
            return first
        return Chip(
            first.network,
            first.device,
            tile=first.tile,
            seed=first.seed + number,
            cache=first.cache,
        )

    def run(
        self,
        images: Images,
        *,
        cycles: int = 16,
        burst: int | None = None,
        energy_windows: int = 0,
        options: RunOptions = RunOptions(),
    ) -> ChipsResult:
        """Classify images on every chip, in NumPy, with surrogates of all circuits.

        Parameters
        ----------
        images, cycles, burst, energy_windows, options
            As of `Chip.run`; the run file has the batches of all chips.

        Raises
        ------
        ConfigError
            If a number makes no sense, or the closed form of a layer does not hold.
        IncompleteResults
            If a batch failed as often as ``options`` allow; what was finished is in the run file.
        ShapeError
            If the images do not fit the network.
        StoreError
            If the run file cannot be written.
        """

        def request(number: int) -> Request:
            return self[number].request(images, cycles=cycles, burst=burst, notes=options.notes)

        return run_chips(
            request,
            self.count,
            energy_windows=energy_windows,
            options=options,
        )
