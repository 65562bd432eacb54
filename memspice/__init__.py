"""Circuit-level SPICE co-simulation of memristive deep spiking networks."""
