"""A saved model -> what other programs run: TorchScript, OpenVINO, a MONAI bundle; see docs/predict.md, "Export".

Read in this order: ``command`` (the options), ``every_format`` (all or nothing), ``torchscript``, ``monai_bundle``
(``bundle_configs``, ``bundle_guide``, ``segment_ct``), ``model_facts`` (what goes in and comes out, said beside each), and
``verification`` (``made_up_ct``): what the export draws on a CT is what the saved model draws.
"""
