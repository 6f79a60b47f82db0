"""README's first screen: its figures are those of one run, which doc/performance.md has in full."""

import re

from firehosed import ROOT

README = (ROOT / "README.md").read_text()
RUN = re.search(r"<!-- scripts/bench --markdown --peers: begin -->(.*?)<!-- end -->",
                (ROOT / "doc" / "performance.md").read_text(), re.S)[1]  # fmt: skip


def rows(text):
    """Returns the rows of all tables: the first cell, and the values of the others."""
    lines = [line.replace("*", "") for line in text.splitlines() if line[:1] == "|"]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].split(" (")[0].lower(): [cell.split(" ")[0] for cell in row[1:]] for row in found}


def test_figures_are_those_of_the_documented_run():
    shown = {name: cells[:3] for name, cells in rows(README[: README.index("## Try it")]).items()}
    workers = RUN[RUN.index("### End to end") :]
    peers = rows(RUN[RUN.index("### Others at the same work") :])
    columns = [row for row in workers.splitlines() if row.startswith("| workers")][0].split(" | ")
    one = rows(workers)["1"]
    at = {name.strip("| "): i - 1 for i, name in enumerate(columns)}
    assert shown["firehosed"] == [one[at[name]] for name in ("events/s", "both µs", "PSS MB")]
    for peer in ("go", "node", "python"):
        assert shown[peer] == [peers[peer][i] for i in (0, 1, 3)], peer
    assert re.search(r"commit (\w+)", RUN)[0] in README


def test_first_screen_comes_to_the_commands_soon():
    before = README[: README.index("./scripts/quickstart")].splitlines()
    assert len(before) <= 40
