"""Time and memory beside peers: make bench."""
