"""The reports of plan, its --profile and --diff, and analyze on one node."""
import pytest

from lab.agent import policy
from lab.containerd import LATEST

pytestmark = pytest.mark.containerd(LATEST)


def verdicts(plan):
    return {image["id"]: (image["verdict"], image["code"]) for image in plan["images"]}


def options(analysis):
    return {option["name"]: option["goes"]["images"] for option in analysis["options"]}


def test_evaluates_a_profile_as_if_the_policy_named_it(node):
    old = node.load("registry.example/shop/old:v1")
    for fields in ({"maximumAge": "1s"}, {"maximumAge": "900h"}):
        node.write_policy(**fields)
        node.age()
        tried = node.json("plan", "--profile=Aggressive")
        node.write_policy(profile="Aggressive", **fields)
        written = node.json("plan")
        assert verdicts(tried) == verdicts(written) and tried["policy"]["profile"] == "Aggressive"
        assert (tried["policy"]["source"]) == written["policy"]["source"] + ", with profile Aggressive"
        assert (verdicts(tried)[old.id][0] == "Remove") == (fields["maximumAge"] == "1s")


def test_a_profile_that_contradicts_the_policy_is_a_usage_error_and_no_option(node):
    node.write_policy(minimumAge="48h", maximumAge="0s")  # 0s disables it, for any minimum
    node.run("plan", "--profile=Aggressive")
    text = policy(minimumAge="48h").replace(' "maximumAge": "1s",\n', "")
    node.policy_file.write_text(text)
    assert "with profile Aggressive the policy is invalid: minimumAge" in \
        node.run("plan", "--profile=Aggressive", code=2).stderr
    assert "not possible: " in node.run("analyze").stdout


def test_lists_existing_tags_when_a_tag_is_missing(node):
    node.load("registry.example/shop/old:v1")
    for name in ("old", "shop/old:v2", "registry.example/shop/old@sha256:" + 64 * "0"):
        assert "available tags: registry.example/shop/old:v1" in node.run("explain", name, code=1).stderr
    assert "`imagesweep images` lists" in node.run("explain", "ld", code=1).stderr


def test_a_difference_says_what_it_compares_with(node):
    node.load("registry.example/shop/old:v1")
    node.age()
    candidate = node.json("plan", "--diff")
    assert candidate["now"]["policy"] == "defaults" and candidate["then"]["policy"] == str(node.policy_file)
    assert "Compared with the defaults" in node.run("plan", "--diff").stdout
    profile = node.json("plan", "--diff", "--profile=Aggressive")
    assert profile["now"]["policy"] == f"file:{node.policy_file}"
    assert profile["then"]["policy"] == f"file:{node.policy_file} with profile Aggressive"
    node.put_configmap(maximumAge="900h")
    both = node.json("plan", "--diff", policy_configmap="imagesweep-system/imagesweep-policy")
    assert both["now"]["policy"] == "configmap/imagesweep-system/imagesweep-policy"
    assert both["then"]["policy"] == str(node.policy_file) and len(both["changes"]) == 1


def test_the_policy_in_force_is_an_option_beside_the_profiles(node):
    node.load("registry.example/shop/old:v1")
    node.age()
    goes = options(node.json("analyze"))
    assert list(goes) == ["in force", "Conservative", "Balanced", "Aggressive", "everything unused"]
    assert goes["in force"] == 1
    node.write_policy(suspend=True)
    assert "SUSPENDED" in node.run("plan").stdout


def test_a_run_by_hand_says_that_it_overrode_dry_run_and_what_waits(node):
    for number in range(2):
        node.load(f"registry.example/shop/old:v{number}")
    node.write_policy(dryRun=True, limits={"maxImages": 1})
    node.age()
    text = node.run("sweep", "--dry-run=false").stdout
    assert "the command line overrides dryRun: true of the policy" in text
    assert "Deferred: 1 image (" in text and "this run has reached limits.maxImages 1." in text
    assert "the command line overrides dryRun: true of the policy" in node.run("report").stdout
