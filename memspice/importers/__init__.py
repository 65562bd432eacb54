"""Networks of other tools, made into memspice's own."""
