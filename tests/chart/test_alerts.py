"""Prometheus' own promtool checks that the alerts fire when they should, and that the queries of the dashboard are
valid."""
import json
import subprocess

import pytest
import yaml

from lab.chart import CHART, CI, one, render

INSTANCE = {"instance": "a", "job": "j"}


def promtool(*arguments):
    result = subprocess.run(["promtool", *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    assert result.returncode == 0, result.stdout


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(one(render(files=[CI["monitoring"]]), "PrometheusRule")["spec"]))
    return path


def test_dashboard_queries(tmp_path):
    dashboard = json.loads((CHART / "dashboards/imagesweep.json").read_text())
    queries = [target["expr"].replace("$__rate_interval", "5m").replace("$node", ".*")
               for panel in dashboard["panels"] for target in panel.get("targets", [])]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": [
        {"record": f"query_{number}", "expr": query} for number, query in enumerate(queries)]}]}))
    promtool("check", "rules", path)


def series(name, values, **labels):
    labels = ",".join(f'{label}="{value}"' for label, value in {**INSTANCE, **labels}.items())
    return {"series": f"{name}{{{labels}}}", "values": values}


# alert, measured values per minute, time without alert, time with alert, text of the alert
@pytest.mark.parametrize("alert, measured, quiet, fires, severity, summary, description", [
    ("ImagesweepRuntimeUnreachable", [series("imagesweep_cri_up", "1x5 0x60")], "10m", "30m", "warning",
     "The container runtime does not answer", "a cannot reach the container runtime, so it removes nothing."),
    ("ImagesweepPolicyInvalid", [series("imagesweep_config_last_reload_successful", "1x5 0x60")], "10m", "30m",
     "warning", "The newest image policy is not in force",
     "a could not read or accept the policy. One that is wrong leaves the last good one in force; without one, or while it cannot be read, nothing is removed. "
     "/readyz?verbose and the log say why."),
    ("ImagesweepRunsStale", [series("imagesweep_last_run_success_timestamp_seconds", "60x200")], "90m", "120m",
     "warning", "No run for a long time",
     "a has not had a run that was not refused for 1h 59m 0s. imagesweep_refused_runs_total says which source could "
     "not be trusted."),
    ("ImagesweepRemovalErrors",
     [series("imagesweep_image_removals_total", "0+1x200", reason="age", result="error"),
      series("imagesweep_image_removals_total", "0+1x200", reason="age", result="success")], "20m", "65m", "warning",
     "Images cannot be removed", "a fails to remove images; its log names them."),
    ("ImagesweepNotReclaimingEnough",
     [series("imagesweep_image_filesystem_avail_bytes", "50x10 10x100"),
      series("imagesweep_image_filesystem_size_bytes", "100x200"), series("imagesweep_dry_run", "0x200")], "30m", "60m",
     "warning", "The image filesystem stays full",
     "The image filesystem of a is 90% full and imagesweep finds nothing more that may go."),
    ("ImagesweepDryRunStillOn", [series("imagesweep_dry_run", "1x12000")], "6d", "8d", "info",
     "Nothing is removed, as dry run is on",
     "a has only reported for a week. policy.config.dryRun turns it off."),
])
def test_an_alert_fires_when_it_should(rules, tmp_path, alert, measured, quiet, fires, severity, summary, description):
    alerts = [{"exp_labels": {"severity": severity, **INSTANCE},
               "exp_annotations": {"summary": summary, "description": description,
                                   "runbook_url": f"https://example.com/docs/runbooks.md#{alert.lower()}"}}]
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": measured, "alert_rule_test": [
            {"eval_time": quiet, "alertname": alert, "exp_alerts": []},
            {"eval_time": fires, "alertname": alert, "exp_alerts": alerts}]}]}))
    promtool("test", "rules", path)


def test_a_dry_run_is_not_blamed_for_a_full_disk(rules, tmp_path):
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": [series("imagesweep_image_filesystem_avail_bytes", "10x100"),
                                           series("imagesweep_image_filesystem_size_bytes", "100x100"),
                                           series("imagesweep_dry_run", "1x100")],
        "alert_rule_test": [{"eval_time": "60m", "alertname": "ImagesweepNotReclaimingEnough", "exp_alerts": []}]}]}))
    promtool("test", "rules", path)
