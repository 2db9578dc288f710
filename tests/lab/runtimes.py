"""Which software a test ran against, with the versions that the software reports of itself. The fixtures that start it
note it here. tests/conftest.py writes the notes of each test into the report of pytest, and scripts/test reads them
there (lab/junit.py)."""

_noted = []


def note(text):
    """TEXT is a name and a version, such as "CRI-O 1.34.0"."""
    if text not in _noted:
        _noted.append(text)


def start(name, make, version):
    """Returns what MAKE starts, and notes NAME with the answer of VERSION to it. If it does not start, the failure still
    counts for NAME."""
    try:
        started = make()
    except BaseException:
        note(f"{name} (not started)")
        raise
    note(f"{name} {version(started).removeprefix('v')}")
    return started


def take():
    """All notes since the last call."""
    taken = _noted[:]
    _noted.clear()
    return taken
