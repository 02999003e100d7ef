"""How often honest peers and noise fall below the bound, counted from what sites wrote down."""

import json

from experiments.soak.federation import RANDOM
from experiments.soak.verdicts import OWN_DICE, read_verdicts, verdict_table


def test_verdicts_are_counted_by_the_judges_own_dice(tmp_path):
    folder = tmp_path / "run" / "logs" / "site_a"
    folder.mkdir(parents=True)
    verdicts = [("site_b", 0.3, 0.2), ("site_b", 0.3, 0.05), (RANDOM, 0.3, 0.01), ("site_c", None, None), ("site_c", 0.12, 0.1)]
    lines = [
        {"phase": "train", "peers": {peer: {"own_mean_dice": own, "peer_mean_dice": theirs}}} for peer, own, theirs in verdicts
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [{"phase": "validate"}, *lines]))
    found = read_verdicts([tmp_path])
    assert found == [verdict for verdict in verdicts if verdict[1]]
    rows = list(zip(*(column.cells for column in verdict_table(found).columns), strict=True))
    assert len(rows) == len(OWN_DICE) - 1
    assert rows[4] == ("0.2 to 0.4", "1", "2", "0.17", "1", "1", "0.03")
    assert rows[2] == ("0.1 to 0.15", "0", "1", "0.83", "0", "0", "-")
