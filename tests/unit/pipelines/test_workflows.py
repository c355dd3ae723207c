"""The workflows: what they may do, what they run, and that nothing of a pull request becomes a command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from candlefish.app import VERBS, loaded
from operations.preview.markdown import MARKER

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
# What a workflow may do beyond reading the repository.
WRITES = {"comment": {"actions": "read", "pull-requests": "write"}}
# What one may do with AWS: its jobs run main's code, or what a member of the repository asks for.
OIDC = {"deploy": {"contents": "read", "deployments": "read", "id-token": "write"},
        "drift": {"contents": "read", "id-token": "write", "issues": "write"},
        "drill": {"contents": "read", "id-token": "write"}, "monthly": {"contents": "read", "id-token": "write"}}
# Of a workflow's job. Those that write are in the environment that asks for an approval.
WRITERS = {("deploy", "deploy"), ("monthly", "restore")}
SECRETS = {"sonar": ["secrets.SONAR_TOKEN"]}
OTHERS = {"aquasecurity/setup-trivy", "aws-actions/configure-aws-credentials", "grafana/setup-k6-action",
          "pulumi/actions", "SonarSource/sonarqube-scan-action"}
LONGEST = {"deploy": 120, "drill": 180, "monthly": 120, "rehearsal": 300}  # minutes; else an hour
# Of an event, what somebody outside can't choose: numbers, ids, the base's own names, what only members can ask for.
TRUSTED = re.compile(
    r"github\.(token|ref|base_ref|event\.pull_request\.number|event\.workflow_run\.(id|event|conclusion))$"
    r"|^(inputs|vars|matrix|steps)\.|^secrets\.SONAR_TOKEN$")


@pytest.fixture(params=FILES, ids=[file.stem for file in FILES])
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(request.param.read_text())
    found["on"] = found.pop(True)  # YAML 1.1 reads `on` so
    assert found["name"] == request.param.stem
    return found


def jobs(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [*workflow["jobs"].values()]


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in jobs(workflow):
        yield from job["steps"]


def test_actions_are_pinned_by_commit_and_say_which_version(workflow: dict[str, Any]) -> None:
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[a-z0-9-]+@[0-9a-f]{40}", step["uses"])
            assert step["uses"].startswith("actions/") or step["uses"].partition("@")[0] in OTHERS
    text = (ROOT / f".github/workflows/{workflow['name']}.yml").read_text()
    assert len(re.findall(r"uses: \S+ # v\d+\.\d+\.\d+\n", text)) == text.count("uses: ")


def test_one_action_has_one_pin() -> None:
    used = {found for file in FILES for found in re.findall(r"uses: (\S+)@(\S+)", file.read_text())}
    assert len({name for name, _ in used}) == len(used)


def test_permissions_are_the_least(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {**WRITES, **OIDC}.get(workflow["name"], {"contents": "read"})
    assert not [job for job in jobs(workflow) if "permissions" in job]


def test_no_workflow_has_a_secret_or_an_access_key(workflow: dict[str, Any]) -> None:
    text = (ROOT / f".github/workflows/{workflow['name']}.yml").read_text()
    assert not re.search(r"ACCESS_KEY|SECRET_KEY|pull_request_target", text)
    assert re.findall(r"secrets\.\w+", text) == SECRETS.get(workflow["name"], [])


def test_nothing_of_a_pull_request_becomes_a_command(workflow: dict[str, Any]) -> None:
    for step in steps(workflow):
        for text in (step.get("run", ""), str((step.get("with") or {}).get("script", ""))):
            assert "${{" not in text
        for value in (step.get("env") or {}).values():
            for expression in re.findall(r"\$\{\{\s*(.+?)\s*\}\}", str(value)):
                assert TRUSTED.search(expression), expression


def test_what_may_write_runs_no_code_of_a_pull_request(workflow: dict[str, Any]) -> None:
    if workflow["name"] in WRITES:
        assert not [step for step in steps(workflow) if "run" in step or "checkout" in step.get("uses", "")]
    for step in steps(workflow):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_every_job_ends_and_runs_on_a_named_image(workflow: dict[str, Any]) -> None:
    assert workflow["concurrency"]["group"].startswith(workflow["name"])
    for job in jobs(workflow):
        assert job["timeout-minutes"] <= LONGEST.get(workflow["name"], 60)
        assert job["runs-on"] == "ubuntu-24.04" or job["runs-on"][:2] == ["self-hosted", "linux"]


def test_what_a_job_runs_can_be_run_on_a_laptop(workflow: dict[str, Any]) -> None:
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    for step in steps(workflow):
        if str(step.get("run", "")).startswith("make "):
            assert next(word for word in step["run"].split()[1:] if not word.startswith("-")) in targets
        elif "run" in step:
            assert step["run"].startswith("printf ")


def test_the_comment_is_found_again_by_its_mark() -> None:
    assert f'marker = "{MARKER}"' in (ROOT / ".github/workflows/comment.yml").read_text()


def test_the_comment_follows_the_preview() -> None:
    text = (ROOT / ".github/workflows/comment.yml").read_text()
    assert yaml.safe_load(text)[True]["workflow_run"]["workflows"] == ["preview"]
    made = yaml.safe_load((ROOT / ".github/workflows/preview.yml").read_text())["jobs"]["preview"]["steps"][-1]
    assert {*re.findall(r"preview/([\w.-]+)", text)} <= {*made["with"]["path"].split()}


def test_what_takes_a_role_is_in_the_environment_that_the_role_trusts(workflow: dict[str, Any]) -> None:
    """infra/components/roles.py: `deploy` trusts the environment of the stack, `preview` that of the stack's reads."""
    for name, job in workflow["jobs"].items():
        writes = (workflow["name"], name) in WRITERS
        role = "DEPLOY_ROLE_ARN" if writes else "PREVIEW_ROLE_ARN"
        roles = [step["with"]["role-to-assume"] for step in job["steps"] if "configure-aws" in step.get("uses", "")]
        assert roles == ([f"${{{{ vars.{role} }}}}"] if "environment" in job else [])
        if "environment" in job and not writes:
            assert job["environment"].endswith("-read")
    if workflow["name"] in OIDC:
        assert not {"pull_request", "workflow_run"} & {*workflow["on"]}


def test_what_talks_to_a_cluster_runs_inside_its_network(workflow: dict[str, Any]) -> None:
    for job in jobs(workflow):
        commands = {str(step.get("run", "")) for step in job["steps"]}
        inside = not {f"make {target}" for target in (
            "deploy", "verify", "drift", "release", "kubeconfig")}.isdisjoint(commands)
        assert (job["runs-on"] != "ubuntu-24.04") is inside


def test_every_image_of_the_repository_is_built_and_scanned() -> None:
    made = yaml.safe_load((ROOT / ".github/workflows/images.yml").read_text())["jobs"]["image"]
    assert made["strategy"]["matrix"]["image"] == sorted(path.parent.name for path in ROOT.glob("images/*/Dockerfile"))
    assert [step["run"] for step in made["steps"] if "run" in step] == ["make image", "make scan"]


def test_production_is_verified_and_goes_back_by_itself() -> None:
    found = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    steps = found["jobs"]["deploy"]["steps"]
    order = [step["run"] for step in steps if "run" in step]
    assert order == ["make policy", 'make --no-print-directory deployed >> "$GITHUB_OUTPUT"', "make deploy",
                     "make kubeconfig", "make release", "make verify", "make back"]
    back = next(step for step in steps if step.get("run") == "make back")
    assert back["if"] == "${{ failure() && steps.verify.outcome == 'failure' }}"
    assert back["env"]["COMMIT"] == "${{ steps.before.outputs.commit }}"
    assert found["concurrency"] == {"group": "deploy-${{ inputs.environment || 'staging' }}"}  # one after another
    assert found["jobs"]["admit"]["if"] == "${{ inputs.environment == 'production' && !inputs.force_deploy }}"


def test_every_target_of_the_page_exists() -> None:
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    page = (ROOT / "docs/pipelines.md").read_text()
    [block] = re.findall(r"(?s)```sh\n(.*?)```", page)
    named = [word for line in block.splitlines() for word in line.split()[1:] if "=" not in word]
    assert len(named) >= 14
    assert {*named, *re.findall(r"`make ([a-z-]+)", page)} <= {*targets}
    assert {file.stem for file in FILES} <= {*re.findall(r"`([a-z]+)`", page)}


# The candlefish commands of the Makefile, which workflows run, and of the page about policies.
COMMANDS = [*re.findall(r"\$\(BIN\)/candlefish ([a-z][^;|>\n]+)", (ROOT / "Makefile").read_text()),
            *re.findall(r"(?m)^candlefish ([^#\n]+)", (ROOT / "docs/policies.md").read_text())]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_candlefish_command_exists(line: str) -> None:
    words = shlex.split(re.sub(r"\$\$?[({]\w+(:\+([^)}]*))?[)}]|\$\$\w+", r"\2", line.replace('"', "")))
    assert words[0] in VERBS
    command = loaded(words[0])
    if hasattr(command, "commands"):
        assert words[1] in command.commands
        command = command.commands[words[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
