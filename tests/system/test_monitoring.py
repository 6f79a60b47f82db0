"""The alerts and the dashboard are valid, and name existing metrics only."""

import json
import re
import shutil
import subprocess

import pytest

import events
from endpoint import Endpoint
from firehosed import ROOT
from ports import free_port

ALERTS = ROOT / "conf/prometheus-alerts.yml"
DASHBOARD = ROOT / "conf/grafana-dashboard.json"
DOCUMENT = ROOT / "doc/monitoring.md"
NAME = re.compile(r"\bfirehosed_[a-z0-9_]+")


def promtool(*arguments):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian package: prometheus)")
    done = subprocess.run(["promtool", *map(str, arguments)], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def alert_names():
    return re.findall(r"^ +- alert: (\w+)$", ALERTS.read_text(), re.M)


@pytest.fixture
def families(lab):
    """Returns the names of all metrics. The endpoint announces each, also one without a value."""
    port = free_port()
    s = lab.system(events.make(100), http_listen=port)
    s.assert_all()
    return set(Endpoint(port).metrics()[1])


def test_alerts_are_valid_rules():
    promtool("check", "rules", ALERTS)


def test_alerts_fire_when_they_should_and_only_then():
    promtool("test", "rules", ROOT / "tests/lib/prometheus-alerts-test.yml")


def test_what_the_dashboard_asks_for_is_valid(tmp_path):
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [t["expr"].replace("$__rate_interval", "1m") for panel in panels for t in panel.get("targets", [])]
    rules = [{"record": f"asked:{n}", "expr": expression} for n, expression in enumerate(asked)]
    as_rules = tmp_path / "rules.yml"  # JSON is YAML
    as_rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", as_rules)


def test_each_alert_is_tested_to_fire_and_to_be_silent():
    tests = (ROOT / "tests/lib/prometheus-alerts-test.yml").read_text()
    silent, firing = tests.split("- name: it does not answer")
    for name in alert_names():
        assert name in silent and name in firing, name


def test_alerts_and_dashboard_use_only_metrics_that_there_are(families):
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", [])]
    assert len(expressions) > 30
    alerts = "\n".join(line for line in ALERTS.read_text().splitlines() if not line.startswith("#"))
    for text in [*expressions, json.dumps(dashboard["templating"]), alerts]:
        assert set(NAME.findall(text)) <= families, text


def test_dashboard_shows_every_metric(families):
    assert families - set(NAME.findall(DASHBOARD.read_text())) == set()


def test_every_metric_and_alert_is_in_the_manual(families):
    text = DOCUMENT.read_text()
    table = set(NAME.findall("\n".join(line for line in text.splitlines() if line.startswith("| `firehosed_"))))
    assert table == families
    assert re.findall(r"^### (Firehosed\w+)$", text, re.M) == alert_names()


def test_dashboard_has_unique_panels_that_do_not_overlap():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    taken = set()
    for p in panels:
        g = p["gridPos"]
        cells = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
        assert not cells & taken and g["x"] + g["w"] <= 24, p["title"]
        taken |= cells
