"""``make bench``: what the exchange costs, in seconds, bytes and memory; one file per question."""
