"""A package, so that it is found before the ``tests`` that other distributions (rt-utils 1.2.7) leave in site-packages."""
