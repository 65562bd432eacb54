"""Arrays in, numbers out: spikes, energy, comparison, calibration."""
