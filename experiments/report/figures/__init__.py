"""The figures of the report, one a file: ``draw(results, looks)`` gives a figure, and raises nothing when parts are empty."""
