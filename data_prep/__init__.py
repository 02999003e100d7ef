"""From a hospital's files to a checked dataset: import, check, split and pool; phantoms for demo and tests."""
