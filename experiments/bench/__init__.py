"""``make bench``: what the exchange costs, in seconds, bytes and memory, and how long converting a patient takes; one file per
question."""
