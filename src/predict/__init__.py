"""A model and planning CTs -> contours, volumes and warnings; see docs/predict.md.

Read in this order: ``command`` (the options), ``inputs`` (which CTs; ``dicom_inputs``, ``nifti_inputs``, ``planning_ct``,
``labels``), ``open_model`` and ``engine`` (what applies a network), ``choice`` (which model draws which structure; ``advice``
and ``study_models`` where a study's report decides), ``every_patient`` (one after the other, whatever happens),
``predict_patient`` (one patient: ``ensemble``, ``native_field``, ``nifti_output``, ``case_warnings``, ``prediction_file``,
``whole_folder``) and ``summary`` (what is printed at the end).
"""
