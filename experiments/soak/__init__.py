"""Sites as real processes in network namespaces of their own, and everything that goes wrong at hospitals, for half an hour.

Reading order, by what they are about:

* what goes wrong: ``faults`` draws it from a seed, ``injector`` carries it out
* the network: ``namespaces``, ``network`` between them, ``line`` of one site
* the sites: ``federation`` (plan, workspaces), ``site_process``, ``paced_loader``, ``clocks``
* who means harm: ``hostility`` starts them: ``hostile_process``, ``hostile_site``, ``forged_models``, ``impostor``
* the whole run: ``soak``; what came of it: ``watch``, ``seen``, ``undisturbed``, ``judgement``, ``flatness``, ``outcome``,
  ``picture``
"""
