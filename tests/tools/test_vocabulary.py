"""Names in the code are words of Kubernetes, OCI, containerd, the kubelet or C++, or stand in docs/glossary.md. These
earlier names have such a word now. They are found as whole identifiers and as words within an identifier."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# earlier name -> the name to use
TERMS = {
    "PolicySight": "PolicyFreshness", "RoomTest": "FreeSpaceTargetTest", "ExamineTest": "ValidateEvidenceTest",
    "SightOverride": "OverrideRead", "TellSight": "NotifyRead", "OnSight": "OnReadStatus", "on_sight": "on_read_status",
    "WithSight": "WithReadStatus", "kSightCheck": "kFreshnessCheck", "believed_version": "accepted_version",
    "beliefs": "accepted_heads", "TellIfBack": "NotifyIfBack", "Heard": "OnProgress", "HeardAt": "LastProgressAt",
    "heard_at": "last_progress_at", "grave_": "lost_events_", "twins_alive": "duplicates_alive", "TwinGroup": "DuplicateGroup",
    "twin_groups": "duplicate_groups", "twins_dropped": "duplicates_dropped", "CheckWithoutKubernetes": "CheckRemovalAllowed",
    "in_hand_": "in_progress_", "to_low_marks": "to_low_threshold", "to_safety": "below_critical", "Picking": "SpaceReason",
    "kAccounts": "kUsageCategories", "KeepRun": "RecordRun", "kToldAfter": "kReportedAfter", "told_after": "report_after",
    "TellPolicy": "ReportPolicy", "TellIfChanged": "ReportIfChanged", "told_why": "reported_why", "kLook": "kPollInterval",
    "CollectorOptions": "MetadataReaderOptions", "most_pages": "max_pages", "most_names": "max_names",
    "most_bytes": "max_bytes", "most_shard_bytes": "max_shard_bytes", "most_stale": "max_stale",
    "Scene": "PlanContext", "Standing": "TagRanking", "NameStanding": "TagRanking", "Gains": "ReclaimEstimator",
    "Marginal": "IncrementalReclaim", "ChooseForRoom": "PlanForFreeSpace", "RoomWatch": "FreeSpaceMonitor",
    "LastLook": "Rechecker", "Looked": "RecheckResult", "kMaxLooksInVain": "kMaxStaleRechecks",
    "Question": "VerdictRule", "kSpared": "kSkipped", "spared": "skipped", "Marks": "Thresholds",
    "in_force": "effective_policy", "override_for": "matched_override", "Stranger": "NonCriContainer",
    "ReadStrangers": "ReadNonCriContainers", "WhyNotBlindly": "CheckRemovalAllowed",
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
# As words within an identifier, these are right in other names.
WHOLE_ONLY = {"Marks", "Meant", "World", "grave_", "in_force", "kLook"}
# Names of tests are sentences.
TEST_NAME = re.compile(r"\bTEST(?:_[FP])?\(\s*\w+,\s*\w+\s*\)")


def anywhere(term):
    """The pattern of a term that is a word, or several, of an identifier."""
    return rf"(?<![A-Za-z]){term}(?![A-Za-z])" if term.islower() else rf"(?<![A-Z]){term}(?![a-z])"


NAME = re.compile("(" + "|".join(rf"\b{term}\b" if term in WHOLE_ONLY else anywhere(term)
                                for term in sorted(TERMS, key=len, reverse=True)) + ")")


def earlier_names(text):
    """(line, name) of each earlier name in code; comments and strings are prose and belong to tests/docs."""
    code = COMMENT_OR_STRING.sub(lambda match: "\n" * match[0].count("\n"), text)
    code = TEST_NAME.sub(lambda match: "\n" * match[0].count("\n"), code)
    return [(code.count("\n", 0, match.start()) + 1, match[1]) for match in NAME.finditer(code)]


def test_finds_a_name_and_no_prose():
    text = '// Several images.\nScene scene("Collector");\nint gains = in_force;\n'
    assert earlier_names(text) == [(2, "Scene"), (3, "in_force")]


def test_finds_a_name_within_an_identifier_and_none_in_a_longer_word():
    text = "struct PlanScene;\nint kStrangerLimit, scene_;\nint obscene, Scenery;\nint policy_in_force;\n"
    assert earlier_names(text) == [(1, "Scene"), (2, "Stranger")]
    assert earlier_names("int spared_images;\nTEST_F(AnyTest, TheStrangerStays) {}\n") == [(1, "spared")]


@pytest.mark.parametrize("folder", ["agent", "tests", "bench"])
def test_the_code_uses_the_terms_of_the_field(folder):
    found = [f"{path.relative_to(ROOT)}:{line}: {name}: use {TERMS[name]}"
             for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".h", ".cpp")
             for line, name in earlier_names(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)
