"""Whether all engines agree: the same decks on each, and both forms of every model."""
