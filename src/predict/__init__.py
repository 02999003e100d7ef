"""A trained model applied to planning CTs: ``python -m src.predict``."""
