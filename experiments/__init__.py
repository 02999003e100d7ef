"""What a researcher runs from the repository: a whole federation on one machine, its scores, the demonstration."""
