"""Any clients of the agent's endpoints leave its runs and its memory unaffected."""
import contextlib
import pathlib
import re
import resource
import socket

from lab.agent import policy
from lab.cell import wait_until

CONNECTIONS = 10_000
REQUESTS = b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n\r\n", b"BREW /pot HTCPCP/1.0\r\n\r\n"


def memory(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def test_they_neither_delay_a_run_nor_take_memory(start_agent):
    agent, policy_file = start_agent()
    policy_file.write_text(policy(dryRun=True, maximumAge="2h"))
    agent.wait_for("Finished run")
    host, _, port = agent.url.removeprefix("http://").rpartition(":")
    before = memory(agent.pid)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as held:
        for number in range(min(CONNECTIONS, hard - 500)):
            client = held.enter_context(socket.create_connection((host, int(port)), timeout=20))
            with contextlib.suppress(OSError):  # it may already be dropped
                client.sendall(REQUESTS[number % len(REQUESTS)])
        with socket.create_connection((host, int(port)), timeout=20) as client, contextlib.suppress(OSError):
            client.sendall(b"GET /livez HTTP/1.1\r\nX: ")
            for _ in range(100):
                client.sendall(b"a" * (1 << 20))
        after = len(agent.lines)
        policy_file.write_text(policy(dryRun=True, maximumAge="3h"))
        agent.wait_for("Finished run", after=after)
        assert agent.fetch("/livez") == (200, "ok\n")
        assert len(list(pathlib.Path(f"/proc/{agent.pid}/fd").iterdir())) < 120
    assert memory(agent.pid) - before < 16 * 1024, "KiB"
    assert wait_until(lambda: len(list(pathlib.Path(f"/proc/{agent.pid}/fd").iterdir())) < 40, 20), "none is held for ever"
