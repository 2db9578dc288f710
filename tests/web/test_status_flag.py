"""Access to the page by the flag of the agent."""
import urllib.error
import urllib.request

import pytest

from lab.agent import policy
from lab.cell import wait_until


def status(url, host):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=20) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("flags, here, by_another_name", [
    ([], 200, 403), (["--status-page=loopback"], 200, 403), (["--status-page=all"], 200, 200),
    (["--status-page=off"], 404, 404),
])
def test_decides_who_gets_page_and_json_and_leaves_the_probes_alone(site, start_agent, flags, here, by_another_name):
    agent, policy_file = start_agent(*flags)
    policy_file.write_text(policy(dryRun=True))
    agent.wait_for("Finished run")
    # The page shows the run a moment after the log does.
    assert wait_until(lambda: status(agent.url + "/image?name=registry.example/shop/api:v3", "localhost") == here, 20)
    for path in ("/", "/image?name=registry.example/shop/api:v3", "/api/v1/images", "/api/v1/plan", "/api/v1/runs",
                 "/api/v1/policy"):
        assert status(agent.url + path, "localhost") == here, path
        assert status(agent.url + path, "rebound.example") == by_another_name, path
    for path in ("/livez", "/readyz", "/healthz", "/metrics"):
        assert status(agent.url + path, "rebound.example") == 200, path
