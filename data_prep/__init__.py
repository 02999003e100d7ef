"""From a hospital's files to a checked dataset, a command each; ``__main__`` lists them.

Read in this order: ``dicom`` (an export), ``rasterise`` (contours -> masks), ``naming`` (native names -> TG-263),
``conversion`` (all of it together, and the report), ``checks``, ``agreement`` (what sites tell each other); ``openkbp`` and
``phantom`` make the study's patients and random ones. The modules beside the packages are the commands themselves and the
import of NIfTI files.
"""
