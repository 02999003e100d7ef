from experiments.table import beside, dice_table, render


def cells(text: str, row: str) -> list[str]:
    line = next(line for line in text.splitlines() if row in line)
    return [cell.strip() for cell in line.strip("│┃ ").replace("┃", "│").split("│")]


def test_missing_is_a_dash_and_never_a_zero_nor_in_a_mean():
    scores = {"a": {"Liver": (0.8, 3), "Spleen": (0.5, 2)}, "b": {"Liver": (0.6, 1), "Spleen": (None, 0)}, "c": {}}
    text = render(dice_table("test Dice", scores))
    assert cells(text, "Liver") == ["Liver", "0.800 (3)", "0.600 (1)", "-", "0.700"]
    assert cells(text, "Spleen") == ["Spleen", "0.500 (2)", "-", "-", "0.500"]
    assert cells(text, "mean of structures") == ["mean of structures", "0.650", "0.600", "-", "0.625"]


def test_a_dice_of_zero_is_shown_as_zero():
    text = render(dice_table("t", {"a": {"Liver": (0.0, 2)}}))
    assert cells(text, "Liver")[1] == "0.000 (2)"


def test_tables_stand_beside_each_other_where_they_fit_and_below_where_not():
    short, tall = (
        dice_table("first", {"a": {"Liver": (0.1, 2)}}),
        dice_table("second", {"a": {"Liver": (0.2, 2), "Spleen": (0.3, 1)}}),
    )
    wide = beside([short, tall], 1000).splitlines()
    row = next(line for line in wide if "Liver" in line)
    assert "0.100 (2)" in row and "0.200 (2)" in row
    assert len(wide) == len(render(tall).splitlines())
    narrow = beside([short, tall], max(map(len, wide)) - 1)
    assert narrow.index("first") < narrow.index("0.100") < narrow.index("second") < narrow.index("0.300")
    assert all("0.200" not in line for line in narrow.splitlines() if "0.100" in line)
