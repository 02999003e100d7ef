"""What every site runs: loaders, task runner, learning, evaluation; shipped by ``fx workspace export``."""
