"""A macrospin in its thermal field: switching from first principles."""
