"""Services that the owner of a node cleaned up by hand and documented, and the tables of a report about them."""
import re

# repository -> (deployed, {tags of a previous image: its text in the document})
SERVICES = {
    "audit-service": ("v3-idempotency-fixed", {("v2-idempotency",): {"v2-idempotency": "Replaced by v3-idempotency-fixed"}}),
    "backend-api": ("v3-idempotency-fixed", {("v2-idempotency", "latest"): {
        "latest": "Same as v2-idempotency (duplicate tag)", "v2-idempotency": "Replaced by v3-idempotency-fixed"}}),
    "frontend": ("latest", {}),
    "mcp-server": ("v2-idempotency", {}),
    "notification-service": ("latest", {}),
    "recurring-task-service": ("latest", {}),
    "websocket-service": ("latest", {}),
}
# Nothing shows whether these or the deployed image are newer: "latest" and "v2" have no common order.
WITHOUT_ORDER = {"mcp-server": "latest", "notification-service": "v2", "recurring-task-service": "v2"}
OLD_PROJECTS = ("bilali/todo-backend:latest", "fastapt-task:dev")
POLICY = {
    "maximumAge": "0s", "removeSuperseded": True,
    "keep": {"lastPerRepository": 1, "localOnly": "Never"},  # all of them were built on the node
    "rules": [{"name": "old-projects", "selector": {"images": ["bilali/*", "fastapt-task"]}, "action": "Remove"}],
}


def grid(markdown, title):
    """The rows of the table below the heading that begins with TITLE (a regular expression), without header and rule.
    """
    section = next((part for part in markdown.split("\n## ") if re.match(title, part)), None)
    assert section, f"no table {title!r} in:\n{markdown}"
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("\\", "") for cell in row] for row in rows[2:]]
