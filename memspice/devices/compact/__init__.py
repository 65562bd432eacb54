"""Published compact models of memristors, as they were published."""
