"""What is built: PySpice circuits, and the exact port reduction.  Starts no process."""
