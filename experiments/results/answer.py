"""The answer in plain sentences, made of the numbers alone; what is not shown is said to be not shown."""

from collections import Counter
from collections.abc import Sequence

from experiments.results.wording import difference, direction, evidence, joined, percent, seeds_of

_VERDICTS = {
    "not inferior": "{scheme} is not inferior to {reference}",
    "inferior": "{scheme} is inferior to {reference}",
    "not shown": "It is not shown whether {scheme} is inferior to {reference} or not",
    "not tested": "Whether {scheme} is inferior to {reference} cannot be tested with so few patients",
}

_PATIENTS = {"valid": "validation", "train": "training"}


def answer(results: dict) -> list[str]:
    """What a reader should know first.

    Args:
        results: all that stands in results.json but this.

    Returns:
        Sentences: the primary question, whether federating pays, the planned pairs, seeds, bytes, advice, and whose patients
        these are. A subject without numbers is not mentioned, except the primary question.
    """
    return [
        *_primary(results),
        *_never_learned(results),
        *_sensitivity(results),
        *_federating(results),
        *(_pair(pair) for pair in results["comparisons"]),
        *_seeds(results),
        *_bytes(results),
        *_advice(results),
        *_patients(results),
    ]


def _primary(results: dict) -> list[str]:
    hypothesis, found = results["study"].get("hypothesis"), results["primary"]
    if not hypothesis:
        return ["No hypothesis was written down for this study, so nothing here is confirmed by it."]
    scheme, reference = hypothesis["scheme"], hypothesis["reference"]
    if found is None:
        scored = {arm["name"] for arm in results["arms"]}
        lacking = joined(name for name in (scheme, reference) if name not in scored)
        return [f"The primary question, {scheme} against {reference}, has no answer yet: no scores of {lacking}."]
    counts = found["difference"]["counts"]
    behind = (
        f"{counts['num_patients']} patients of {counts['num_sites']} sites, {seeds_of(results['arms'], (scheme, reference))}"
    )
    verdict = _VERDICTS[found["verdict"]].format(scheme=scheme, reference=reference)
    margin = f"by the margin of {found['margin']:g} Dice"
    return [f"{verdict} {margin}{_better(results)}: {difference(found['difference'])}; {behind}."]


def _better(results: dict) -> str:
    """By the interval alone, unless the same pair was tested as well: one page must not say both."""
    found = results["primary"]
    if not found["superior"]:
        return ""
    names = [(pair["difference"]["scheme"], pair["difference"]["minus"]) for pair in results["comparisons"]]
    asked = found["difference"]["scheme"], found["difference"]["minus"]
    if asked in names and direction(results["comparisons"][names.index(asked)]) != 1:
        return "; that it is better is not shown, though the interval lies above 0"
    return "; it is better"


def _never_learned(results: dict) -> list[str]:
    found = results["never_learned"]
    if not found["by_arm"]:
        return []
    listed = joined(f"{number} by {arm}" for arm, number in found["by_arm"].items())
    return [
        f"Of {found['num_contoured']} contoured organs of patients some were never learned at their own site: {listed}. They"
        " are in none of that arm's means and differences, so it is not charged for them."
    ]


def _sensitivity(results: dict) -> list[str]:
    said = []
    for row in results["sensitivity"]:
        left = joined(f"{entry['patient']} ({entry['why']})" for entry in row["without"])
        same = "the verdict stays" if row["verdict"] == results["primary"]["verdict"] else "the verdict becomes"
        said.append(f"Without {left} {same} '{row['verdict']}': {difference(row['difference'])}.")
    return said


def _federating(results: dict) -> list[str]:
    pairs = results["against_individual"]
    if not pairs:
        return []
    better, worse = ([pair for pair in pairs if direction(pair) == sign] for sign in (1, -1))
    said = []
    if better:
        said.append(
            f"Federating pays: better than {_minus(pairs)} on each site's own patients {_are(better)} {_listed(better)}."
        )
    if worse:
        said.append(f"Worse than {_minus(pairs)} on each site's own patients {_are(worse)} {_listed(worse)}.")
    if unclear := [pair for pair in pairs if not direction(pair)]:
        opening = "No difference" if better or worse else "It is not shown that federating pays: no difference"
        said.append(f"{opening} from {_minus(pairs)} is shown for {_listed(unclear)}.")
    return [*said, *_highest(results, better)]


def _highest(results: dict, better: Sequence[dict]) -> list[str]:
    """How to federate: the highest mean, which is no claim that it is better than the next."""
    means = _means(results)
    ranking = sorted((pair["difference"]["scheme"] for pair in better), key=lambda name: -means[name])
    if len(ranking) < 2:
        return []
    listed = ", ".join(f"{name} {means[name]:.3f}" for name in ranking)
    return [f"Of these the highest mean Dice has {ranking[0]} ({listed}); the order is no evidence by itself."]


def _pair(pair: dict) -> str:
    found = pair["difference"]
    said = {1: "is better than {}: ", -1: "is worse than {}: ", 0: "against {}: no difference shown, "}[direction(pair)]
    return f"{found['scheme']} {said.format(found['minus'])}{evidence(pair)}, {pair['test']['num_pairs']} patients."


def _seeds(results: dict) -> list[str]:
    spread = {
        row["scheme"]: row["standard_deviation"]
        for row in results["seed_spread"]
        if row["weighting"] == "macro" and row["standard_deviation"] is not None
    }
    if not spread:
        return ["One seed each: how far another seed would move these means is not known."]
    name = max(spread, key=spread.__getitem__)
    return [
        f"Between seeds the mean Dice moves by a standard deviation of at most {spread[name]:.3f} ({name}; {len(spread)} of"
        f" {len(_means(results))} arms have several seeds); the intervals do not include that."
    ]


def _bytes(results: dict) -> list[str]:
    scheme = (results["study"].get("hypothesis") or {}).get("scheme")
    row = next((row for row in results["costs"] if row["arm"] == scheme), None)
    if row is None or row["plain_fedavg"] is None:
        return []
    plain, same = row["plain_fedavg"], row["same_schedule_fedavg"]
    share = f"{percent(plain['total'])} of the bytes of plain FedAvg (every round, float32, {plain['source']})"
    if same:
        share += f" and {percent(same['total'])} of those of FedAvg on its own schedule and precision"
    said = [f"{scheme} sends and receives {share}."]
    if plain["total_without_closing"] is not None:
        said.append(
            f"Without what follows its last round it is {percent(plain['total_without_closing'])} of plain FedAvg's bytes."
        )
    return said


def _advice(results: dict) -> list[str]:
    verdicts = Counter(row["verdict"] for row in results["advice"])
    if not verdicts:
        return []
    listed = joined(f"{number} × '{verdict}'" for verdict, number in verdicts.most_common())
    return [f"Which model a site should use for which structure, of {len(results['advice'])} such questions: {listed}."]


def _patients(results: dict) -> list[str]:
    said = []
    if not results["final"]:
        whose = _PATIENTS.get(results["split"], results["split"])
        said.append(f"These are {whose} patients, on whom choices were made; what they show is to be confirmed.")
    if results["not_done"]:
        said.append(f"Not done: {', '.join(results['not_done'])}.")
    return said


def _means(results: dict) -> dict[str, float]:
    """The macro mean Dice of each arm over all sites' own patients."""
    return {
        row["scheme"]: row["value"]
        for row in results["estimates"]["own_site"]
        if row["weighting"] == "macro" and row["site"] is None and row["structure"] is None and row["value"] is not None
    }


def _listed(pairs: Sequence[dict]) -> str:
    return joined(f"{pair['difference']['scheme']} ({evidence(pair)})" for pair in pairs)


def _minus(pairs: Sequence[dict]) -> str:
    return pairs[0]["difference"]["minus"]


def _are(pairs: Sequence[dict]) -> str:
    return "are" if len(pairs) > 1 else "is"
