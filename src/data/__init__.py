"""Structures, datasets and everything that happens to a CT before the network sees it."""
