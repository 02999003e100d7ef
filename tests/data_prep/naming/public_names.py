"""The names that public data sets use, and what each must become: a TG-263 name, or '' where it is left out.

From the data sets' own descriptions: LUNG1 (NSCLC-Radiomics), an Eclipse breast plan, OpenKBP, DeepMind's TCIA contours, PDDCA,
SegRap 2023, HaN-Seg, TotalSegmentator, FLARE 2022, AMOS 2022, BTCV, WORD.
"""


def _sided(pattern: str, base: str = "") -> dict[str, str]:
    return {pattern.format(side): f"{base}_{side}" if base else "" for side in "LR"}


def _long_sided(pattern: str, base: str = "") -> dict[str, str]:
    return {pattern.format(side): f"{base}_{side[0].upper()}" if base else "" for side in ("left", "right")}


def _left_out(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "")


_LUNG1 = {
    "Patient": "",
    "GTV-1": "",
    "GTV-2": "",
    "GTV-3": "",
    "PTV-1": "",
    "CTV-1": "",
    "CTV-2": "",
    "Spinal cord": "SpinalCord",
    "Esophagus": "Esophagus",
    "Heart": "Heart",
    "Lung L": "Lung_L",
    "Lung R": "Lung_R",
    "contrast": "",
    "Lung-Left": "Lung_L",
    "Lung-Right": "Lung_R",
    "Spinal-Cord": "SpinalCord",
    "LUNG_L": "Lung_L",
    **{f"Isocenter {number}": "" for number in range(1, 6)},
}
_ECLIPSE = {
    "Lt Lung": "Lung_L",
    "Heart": "Heart",
    **dict.fromkeys(("BODY", "Areola", "Borders", "Breast", "Nodes", "Scar", "Tumor Bed", "Tumor Bed Block"), ""),
}
_OPENKBP = {
    "Brainstem": "Brainstem",
    "SpinalCord": "SpinalCord",
    "RightParotid": "Parotid_R",
    "LeftParotid": "Parotid_L",
    "Esophagus": "Esophagus",
    "Larynx": "Larynx",
    "Mandible": "Bone_Mandible",
    "PTV56": "",
    "PTV63": "",
    "PTV70": "",
}
_DEEPMIND = {
    "Brain": "Brain",
    "Lung-Lt": "Lung_L",
    "Lung-Rt": "Lung_R",
    "Spinal-Canal": "",
    "Mandible": "Bone_Mandible",
    "Brainstem": "Brainstem",
    "Spinal-Cord": "SpinalCord",
    **{
        f"{organ}-{side}t": f"{base}_{side}"
        for side in "LR"
        for organ, base in (
            ("Parotid", "Parotid"),
            ("Submandibular", "Glnd_Submand"),
            ("Orbit", "Eye"),
            ("Lens", "Lens"),
            ("Optic-Nerve", "OpticNrv"),
            ("Lacrimal", "Glnd_Lacrimal"),
            ("Cochlea", "Cochlea"),
        )
    },
}
_PDDCA = {
    "BrainStem": "Brainstem",
    "Chiasm": "OpticChiasm",
    "Mandible": "Bone_Mandible",
    **_sided("OpticNerve_{}", "OpticNrv"),
    **_sided("Parotid_{}", "Parotid"),
    **_sided("Submandibular_{}", "Glnd_Submand"),
}
_SEGRAP = {
    "Brain": "Brain",
    "BrainStem": "Brainstem",
    "Chiasm": "OpticChiasm",
    **_sided("TemporalLobe_{}"),
    **_sided("Hippocampus_{}"),
    **_sided("Eye_{}", "Eye"),
    **_sided("Lens_{}", "Lens"),
    **_sided("OpticNerve_{}", "OpticNrv"),
    **_sided("MiddleEar_{}"),
    **_sided("Cochlea_{}", "Cochlea"),
    "Pituitary": "Pituitary",
    "OralCavity": "Cavity_Oral",
    **_sided("Submandibular_{}", "Glnd_Submand"),
    **_sided("Parotid_{}", "Parotid"),
    **_sided("Mandible_{}"),
    "SpinalCord": "SpinalCord",
    "Esophagus": "Esophagus",
    "Larynx": "Larynx",
    "PharynxConst": "Musc_Constrict",
    "Thyroid": "Glnd_Thyroid",
    "Trachea": "Trachea",
    "Larynx_Glottic": "",
    "Larynx_Supraglot": "",
    "GTVp": "",
    "GTVnd": "",
}
_HAN_SEG = {
    **_sided("A_Carotid_{}", "A_Carotid"),
    "Arytenoid": "",
    "Bone_Mandible": "Bone_Mandible",
    "Brainstem": "Brainstem",
    "BuccalMucosa": "",
    "Cavity_Oral": "Cavity_Oral",
    **_sided("Cochlea_{}", "Cochlea"),
    "Cricopharyngeus": "",
    "Esophagus_S": "",
    "Eye_AL": "",
    "Eye_AR": "",
    "Eye_PL": "",
    "Eye_PR": "",
    **_sided("Glnd_Lacrimal_{}", "Glnd_Lacrimal"),
    **_sided("Glnd_Submand_{}", "Glnd_Submand"),
    "Glnd_Thyroid": "Glnd_Thyroid",
    "Glottis": "",
    "Larynx_SG": "",
    "Lips": "Lips",
    "OpticChiasm": "OpticChiasm",
    **_sided("OpticNrv_{}", "OpticNrv"),
    **_sided("Parotid_{}", "Parotid"),
    "Pituitary": "Pituitary",
    "SpinalCord": "SpinalCord",
}
_TOTAL_SEGMENTATOR = {
    "spleen": "Spleen",
    "gallbladder": "Gallbladder",
    "liver": "Liver",
    "stomach": "Stomach",
    "pancreas": "Pancreas",
    "esophagus": "Esophagus",
    "small_bowel": "Bowel_Small",
    "duodenum": "Duodenum",
    "colon": "Bowel_Large",
    "heart": "Heart",
    "aorta": "A_Aorta",
    "inferior_vena_cava": "V_Venacava_I",
    "spinal_cord": "SpinalCord",
    **_long_sided("kidney_{}", "Kidney"),
    **_long_sided("adrenal_gland_{}", "Glnd_Adrenal"),
    **_long_sided("lung_upper_lobe_{}"),
    **_long_sided("lung_lower_lobe_{}"),
    **_long_sided("femur_{}"),
    **_long_sided("scapula_{}"),
    **_long_sided("humerus_{}"),
    **_left_out("lung_middle_lobe_right urinary_bladder prostate trachea brain skull sternum sacrum thyroid_gland"),
}
_ABDOMINAL = {
    "liver": "Liver",
    "right kidney": "Kidney_R",
    "left kidney": "Kidney_L",
    "right_kidney": "Kidney_R",
    "left_kidney": "Kidney_L",
    "spleen": "Spleen",
    "pancreas": "Pancreas",
    "aorta": "A_Aorta",
    "IVC": "V_Venacava_I",
    "postcava": "V_Venacava_I",
    "RAG": "Glnd_Adrenal_R",
    "LAG": "Glnd_Adrenal_L",
    "right adrenal gland": "Glnd_Adrenal_R",
    "left adrenal gland": "Glnd_Adrenal_L",
    "gallbladder": "Gallbladder",
    "gall bladder": "Gallbladder",
    "esophagus": "Esophagus",
    "stomach": "Stomach",
    "duodenum": "Duodenum",
    "colon": "Bowel_Large",
    "bladder": "",
    "prostate/uterus": "",
    "rectum": "",
    "Head_of_femur_L": "",
    "Head_of_femur_R": "",
    "portal vein and splenic vein": "",
}

# Source -> (anatomy, native name -> TG-263 name or '').
PUBLIC_NAMES = {
    "LUNG1": ("liver", _LUNG1),
    "Eclipse breast": ("liver", _ECLIPSE),
    "OpenKBP": ("head_neck", _OPENKBP),
    "DeepMind": ("head_neck", _DEEPMIND),
    "PDDCA": ("head_neck", _PDDCA),
    "SegRap 2023": ("head_neck", _SEGRAP),
    "HaN-Seg": ("head_neck", _HAN_SEG),
    "TotalSegmentator": ("liver", _TOTAL_SEGMENTATOR),
    "FLARE, AMOS, BTCV, WORD": ("liver", _ABDOMINAL),
}
