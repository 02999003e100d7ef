"""The measures of the report and one sentence on what each number means."""

import math

from experiments.results.learning_curves import MEAN_OF_SITES
from experiments.statistics import MIN_PATIENTS

# Beside Dice, which alone decides. The last is as large as the volume is wrong, whichever way.
OTHER_MEASURES = ("hd95_mm", "surface_dice", "absolute_relative_volume_difference")
# Lowest and highest number there can be; an interval ends there at the latest.
LIMITS = {
    "dice": (0.0, 1.0),
    "hd95_mm": (0.0, math.inf),
    "surface_dice": (0.0, 1.0),
    "absolute_relative_volume_difference": (0.0, math.inf),
}
DICE_LIMITS = LIMITS["dice"]

DEFINITIONS = {
    "dice": "Overlap of prediction and contour on the CT's own grid, 0 to 1; 0 for an organ that was missed or invented, no"
    " number where there is none and none was predicted.",
    "hd95_mm": "The larger of the two directions' 95th percentiles of the distances between the surfaces' voxels; organs that"
    " were missed or invented have none and are counted beside it.",
    "surface_dice": "Share of both surfaces' area that lies within the structure's tolerance of the other one, 0 to 1; 0 for an"
    " organ that was missed or invented.",
    "relative_volume_difference": "Predicted less contoured volume, as a share of the contoured one; −1 for a missed organ, no"
    " number for an invented one.",
    "absolute_relative_volume_difference": "The same without its sign, so that too large and too small do not cancel out.",
    "compared": "There is something in both masks.",
    "missed": "The organ is contoured and nothing was predicted; one a patient, structure and seed.",
    "invented": "The contour is empty, which means looked for and not there, and something was predicted.",
    "absent": "Both masks are empty: counted, and in no mean.",
    "missing": "Not contoured in this patient, or never learned by this model: counted, and in no mean.",
    "macro": "Mean over the patients of a site and structure, then over the site's structures, then over sites.",
    "patient": "Mean over each patient's structures, then over all patients.",
    "interval": "95 % bootstrap-t interval over the patients, drawn within their sites, seeds averaged within a patient before,"
    " cut where the measure ends;"
    f" none with fewer than {MIN_PATIENTS} patients.",
    "p_holm": "Two-sided Wilcoxon signed-rank test of the patients' differences, exact, corrected with Holm for the pairs of"
    f" the same table; not tested with fewer than {MIN_PATIENTS} patients.",
    "not inferior": "The whole interval of the difference lies above −margin.",
    "inferior": "The whole interval of the difference lies below −margin.",
    "not shown": "The interval of the difference holds −margin: neither is shown.",
    "not tested": "Too few patients for an interval.",
    "seed_spread": "How far the mean over the same patients moves when only the seed changes; it is not part of the intervals.",
    "last": "The model after all rounds; primary.",
    "best": "The model of the round with the best validation Dice; secondary, and never better than it looks on validation"
    " patients, who chose it. Arms that end in _local choose among their last rounds alone, others among all.",
    "own_site": "Each site's model on its own patients; a shared model is every site's own.",
    "cross_site": "The other sites' models on each site's patients, averaged over those that learned the structure, so an arm"
    " is not charged for what its models never learned; a shared model as it is.",
    "left_out": "Models that were trained without a site, on its patients: the shared one, or the mean of the others' models. A"
    " scheme that takes another's learning rate has seen that much of the site: it was chosen in runs with all sites.",
    "heat_map": "Each site's model (row) on each site's patients (column): mean over the site's structures that the model"
    " learned, with every seed, so two rows may stand on different structures.",
    "missing_structures": "Structures that a site never trained, predicted by its model on the other sites' patients.",
    "learning_curves": f"Validation Dice after so many rounds of training, by site and as {MEAN_OF_SITES}; of the models as"
    " they train, before what happens when a run ends.",
    "advice": "The candidates that are not shown worse than the best mean at this site and structure, by signed-rank tests"
    " corrected with Holm; several mean that no difference between them and the best is shown.",
}
