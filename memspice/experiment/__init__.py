"""The straight line: each module is one command, and calls every stage in turn."""
