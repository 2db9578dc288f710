"""Names in the code are words of Kubernetes, OCI, containerd, the kubelet or C++, or stand in docs/glossary.md. These
earlier names have such a word now."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# earlier name -> the name to use
TERMS = {
    "Scene": "PlanContext", "Standing": "TagRanking", "NameStanding": "TagRanking", "Gains": "ReclaimEstimator",
    "Marginal": "IncrementalReclaim", "ChooseForRoom": "PlanForFreeSpace", "RoomWatch": "FreeSpaceMonitor",
    "LastLook": "Rechecker", "Looked": "RecheckResult", "kMaxLooksInVain": "kMaxStaleRechecks",
    "Question": "VerdictRule", "kSpared": "kSkipped", "spared": "skipped", "Marks": "Thresholds",
    "in_force": "effective_policy", "override_for": "matched_override", "Stranger": "NonCriContainer",
    "ReadStrangers": "ReadNonCriContainers", "WhyNotBlindly": "CheckWithoutKubernetes",
    "ListWithoutTheRemoved": "WaitUntilUnlisted", "LookAfterwards": "Verify", "ChooseUnpressed": "PlanByPolicy",
    "PassOver": "SkipLowYield", "RestoreWish": "RestoreSelector", "World": "MetadataSnapshot",
    "Collection": "SnapshotBuilder", "Collector": "MetadataReader", "DocumentReader": "ContentReader",
    "RecentGraph": "CachedGraphReader", "ReadAnew": "Refresh", "SpokenOf": "DanglingRef", "Meant": "Resolve",
    "AskStream": "StreamingCall", "Several": "ParallelFor", "kWantsMore": "kNeedMore", "Scavenge": "CollectImages",
    "Ballast": "kIgnoredFields", "deaf": "disconnected", "WatchedLedger": "GapAwareAgeStore", "Ledger": "AgeStore",
    "LookTime": "ObservationTime", "SettleBy": "Reconcile", "Nominate": "MarkCandidates",
    "Candidacies": "MarkCandidates", "Complaints": "ValidationErrors", "Clash": "Conflict", "Blame": "ReportOrder",
    "Contradiction": "ValidateFlags", "NotExpected": "UnusedFlags", "BetterComplaint": "ExplainUsageError",
    "TextTable": "StringMultimap", "MilderSetting": "SuggestPolicyChange", "TakeLook": "EvaluateNode",
    "AgentShared": "AgentContext", "Referrer": "ImageUser", "ReferrerKind": "ImageUserKind", "wanted_by": "needed_by",
    "GiveBack": "RestoreNames",
}
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL)
NAME = re.compile(r"\b(" + "|".join(TERMS) + r")\b")


def earlier_names(text):
    """(line, name) of each earlier name in code; comments and strings are prose and belong to tests/docs."""
    code = COMMENT_OR_STRING.sub(lambda match: "\n" * match[0].count("\n"), text)
    return [(code.count("\n", 0, match.start()) + 1, match[1]) for match in NAME.finditer(code)]


def test_finds_a_name_and_no_prose():
    text = '// Several images.\nScene scene("Collector");\nint gains = in_force;\n'
    assert earlier_names(text) == [(2, "Scene"), (3, "in_force")]


@pytest.mark.parametrize("folder", ["agent", "tests", "bench"])
def test_the_code_uses_the_terms_of_the_field(folder):
    found = [f"{path.relative_to(ROOT)}:{line}: {name}: use {TERMS[name]}"
             for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".h", ".cpp")
             for line, name in earlier_names(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)
