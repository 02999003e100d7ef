"""The sections of the report, one a file: ``section(results, looks)`` gives its blocks, and says in words what is not there."""
