"""The network: building it, training loss, inference, and the card its weights travel with."""
