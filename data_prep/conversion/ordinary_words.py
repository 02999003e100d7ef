"""Words that stand in the ROI names of every hospital, and so identify nobody, even where a patient is called so."""

from functools import lru_cache

from data_prep.conversion.folded_text import FoldedText
from src.data.structures import load_structures

# Sides, planning words and the organs of plan/structures.yaml in other European languages. A patient called "Mund" or "Lung"
# must not turn an organ into "[patient]"; whoever reads "Mund" in a list of contours learns no name from it.
_WORDS = """
left right links rechts linke linker linkes rechte rechter rechtes gauche droite droit sinistra sinistro destra destro
izquierda izquierdo derecha derecho venstre hoyre hojre hoger vanster sin dex dext sinister dexter lt rt li re lft rgt
gtv ctv itv ptv prv oar ring opt avoid avoidance margin help helper dose dosis iso isocenter isocentre isozentrum marker couch
table tisch body external outer contour outline skin haut patient bolus boost contrast artefact artifact air luft bone knochen
organ organs tumor tumour node nodes lymph lymphknoten target hot cold spot total minus plus union rest without ohne inside
wall lumen surface upper lower inner anterior posterior superior inferior medial lateral dorsal ventral cranial caudal planning
lung lungs lunge lungen poumon poumons polmone polmoni pulmon pulmones heart herz coeur cuore corazon hart hjarta liver leber
foie fegato higado lever kidney kidneys niere nieren rein reins rene reni rinon rinones nier nieren njure spleen milz rate milza
bazo milt stomach magen estomac stomaco estomago maag pancreas pankreas duodenum zwolffingerdarm bowel darm intestin intestino
colon kolon rectum rektum bladder blase vessie vescica vejiga blaas prostate prostata cord spinal myelon ruckenmark moelle
midollo medula canal kanal brain gehirn hirn hirnstamm cerveau cervello cerebro hersenen brainstem kleinhirn cerebellum tronc
parotid parotis parotide parotida submandibular submandibularis gland glands glnd druse oral cavity mouth mund mundhohle bouche
bocca boca mond larynx kehlkopf pharynx rachen throat esophagus oesophagus osophagus oesophage esofago slokdarm trachea
luftrohre mandible mandibula unterkiefer mandibola kiefer eye eyes auge augen oeil occhio ojo oog lens lense linse cristallin
cristallino chiasm chiasma optic nerve nervus sehnerv cochlea cochlee innenohr pituitary hypophyse hypophysis lips lip lippen
lippe thyroid schilddruse tongue zunge aorta vena cava vein artery arterie duct gallbladder gallenblase orbit orbita temporal
lobe hippocampus femur femoral head neck hals kopf thorax abdomen pelvis becken breast brust rib ribs rippe vertebra wirbel
"""


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Folded words and whole spellings (``lung``, ``lungl``, ``spinalcord``) that are kept whoever is called so."""
    words = set(_WORDS.split())
    for structure in load_structures():
        for spelling in (structure.name, *structure.synonyms):
            folded = FoldedText(spelling)
            words.add(folded.letters)
            words |= {folded.letters[start:end] for start, end in folded.segments() if end - start > 1}
    return frozenset(words)
