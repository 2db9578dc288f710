"""Prometheus' own promtool checks that the alerts fire when they should, and that the queries of the dashboard are
valid."""
import json
import subprocess

import pytest
import yaml

from lab.chart import CHART, CI, one, render

pytestmark = pytest.mark.usefixtures("each_helm")
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
     "The container runtime does not answer", "a cannot reach the container runtime, so it removes no images."),
    ("ImagesweepPolicyInvalid", [series("imagesweep_config_last_reload_successful", "1x5 0x60")], "10m", "30m",
     "warning", "The newest image policy is not in force",
     "a cannot read or accept the newest policy. If the policy is invalid, the last valid one stays in force. Without a "
     "valid policy, and while the policy cannot be read, no image is removed. See /readyz?verbose and the log for the "
     "reason."),
    ("ImagesweepRunsStale", [series("imagesweep_last_run_success_timestamp_seconds", "60x200")], "90m", "120m",
     "warning", "No run for a long time",
     "a has not completed a run for 1h 59m 0s. imagesweep_refused_runs_total shows the source that cannot be read."),
    ("ImagesweepRemovalErrors",
     [series("imagesweep_image_removals_total", "0+1x200", reason="age", result="error"),
      series("imagesweep_image_removals_total", "0+1x200", reason="age", result="success")], "20m", "65m", "warning",
     "Images cannot be removed", "a fails to remove images. Its log names them."),
    ("ImagesweepNotReclaimingEnough",
     [series("imagesweep_image_filesystem_avail_bytes", "50x10 10x100"),
      series("imagesweep_image_filesystem_size_bytes", "100x200"), series("imagesweep_dry_run", "0x200")], "30m", "60m",
     "warning", "The image filesystem stays full",
     "The image filesystem of a is 90% full, and imagesweep finds no more images to remove."),
    ("ImagesweepDryRunStillOn", [series("imagesweep_dry_run", "1x12000")], "6d", "8d", "info",
     "Dry run is on, so no image is removed",
     "a has been in dry run for a week. To remove images, set policy.config.dryRun to false."),
])
def test_fires_an_alert_when_due(rules, tmp_path, alert, measured, quiet, fires, severity, summary, description):
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
