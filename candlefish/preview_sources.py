"""Where a preview comes from: a ref, a deployment's export, or the real engine's own preview."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from candlefish import preview_refs as refs
from candlefish.preview_evaluate import Job, Recorded, record
from candlefish.preview_rules import ProviderRules
from candlefish.preview_timing import states, timed
from infra.plans.prices import book
from infra.plans.stack_costs import estimate
from infra.settings.errors import SettingsError
from infra.settings.load import load_file
from operations.errors import NotAcceptable
from operations.preview import deployment, digest, engine_steps
from operations.preview.compare import compare
from operations.preview.model import Cost, Finding, Graph, Level, Preview, StackPreview
from rehearsal.engine.errors import EngineError
from rehearsal.timing.graph import recorded

Say = Callable[[str], None]
ALL = "all"


def against(project: Path, stack: str, ref: str, say: Say) -> Preview:
    """The working copy against a commit. A stack whose program and settings are the same is evaluated once."""
    commit = refs.commit_of(project, ref)
    here, there = refs.files_here(project), refs.files_of(project, commit)
    stacks = _chosen(stack, list(dict.fromkeys([*refs.stacks_of(here), *refs.stacks_of(there)])))
    for each in stacks:
        if refs.file_of(each) in here:
            load_file(project / refs.file_of(each))  # wrong settings are told as such, before anything runs
    same = {each for each in stacks if refs.program(here, each) == refs.program(there, each)}
    with ExitStack() as closing:
        # All that is equal needs no second tree.
        tree = project if same == {*stacks} else closing.enter_context(refs.checkout(project, commit))
        new = {each: Job(each, project) for each in stacks if refs.file_of(each) in here}
        old = {each: Job(each, project if each in same else tree) for each in stacks if refs.file_of(each) in there}
        found = record([*dict.fromkeys([*old.values(), *new.values()])],
                       lambda job: say(f"{job.stack}: recorded {'here' if job.directory == project else ref}"))
        return Preview(ref, tuple(compared(
            each, ref, found[old[each]] if each in old else None, found[new[each]] if each in new else None,
            cost(tree, project, each)) for each in stacks))


def here(project: Path, stack: str) -> list[str]:
    """The stacks of the working copy that are meant. Raises WrongInput, or SettingsError for one of them."""
    found = refs.files_here(project)
    stacks = _chosen(stack, refs.stacks_of(found))
    for each in stacks:
        load_file(project / refs.file_of(each))
    return stacks


def compared(stack: str, ref: str, before: Recorded | None, after: Recorded | None, priced: Cost) -> StackPreview:
    """Raises EngineError when the version of the working copy does not run."""
    if after is not None and after.failure:
        raise EngineError(f"{stack}: the program here does not run, so there is nothing to compare: {after.failure}")
    note = ""
    if before is None:
        note = f"`{ref}` has no `{refs.file_of(stack)}`: the stack is new."
    elif before.failure:
        note = (f"The program of `{ref}` does not run for this stack, so what it has is not known and the new graph is "
                f"shown alone: {_last_line(before.failure)}")
    elif after is None:
        note = f"`{refs.file_of(stack)}` is gone: all that the stack has would be deleted with it."
    old = before.graph if before else Graph(())
    new = after.graph if after else Graph(())
    changes, same = compare(old, new, ProviderRules())
    known = {(each.id, each.resource) for each in before.policies} if before else set()
    policies = tuple(replace(each, known=(each.id, each.resource) in known) for each in after.policies) if after else ()
    return timed(StackPreview(stack, changes, same, new, priced, _ordered(policies), note), states(old))


def _ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first, and what is new before what is known."""
    levels = [*Level]
    return tuple(sorted(findings, key=lambda each: (levels.index(each.level), each.known, each.id, each.resource)))


def _last_line(failure: str) -> str:
    lines = [line for line in failure.splitlines() if line.strip()]
    return lines[-1].strip() if lines else failure


def _chosen(stack: str, known: Sequence[str]) -> list[str]:
    if stack == ALL:
        return list(known)
    if stack not in known:
        raise NotAcceptable(f"--stack {stack}: there is none; {ALL} or one of {', '.join(known)}")
    return [stack]


def cost(tree: Path, project: Path, stack: str) -> Cost:
    """Both versions' settings at the price book's prices of here."""
    before, why_before = _estimated(tree, stack)
    after, why_after = _estimated(project, stack)
    one, two = before.components() if before else {}, after.components() if after else {}
    return Cost(
        _total(before), _total(after),
        {name: (one.get(name, 0.0), two.get(name, 0.0)) for name in sorted({*one, *two})},
        tuple(f"{row.line.component}: {row.line.what}" for row in after.unpriced) if after else (),
        "; ".join(filter(None, (why_before and f"before: {why_before}", why_after and f"after: {why_after}"))))


def _total(estimated: Any) -> float | None:
    return None if estimated is None else estimated.platform + estimated.serverless


def _estimated(directory: Path, stack: str) -> tuple[Any, str]:
    path = directory / refs.file_of(stack)
    if not path.exists():
        return None, "no settings"
    try:
        return estimate(load_file(path), book()), ""
    except SettingsError as error:
        return None, f"its settings are none to this version: {_last_line(str(error))}"


def from_pulumi(path: Path) -> Preview:
    """The real engine's own preview of one stack."""
    stack = digest.read(read_json(path, "the output of `pulumi preview --json --diff`"), str(path))
    return Preview(path.name, (timed(stack, ()),))


def deployed(project: Path, stack: str, path: Path, say: Say) -> Preview:
    """The working copy against a deployment. What the engine would do, of which secrets are no part."""
    if stack == ALL:
        raise NotAcceptable("--state is of one stack: say which with --stack")
    settings = load_file(project / refs.file_of(stack))
    export = deployment.parse(read_json(path, "the output of `pulumi stack export`"), str(path), stack)
    with TemporaryDirectory(prefix="candlefish-preview-") as folder:
        state = Path(folder) / "state.json"
        state.write_text(json.dumps(export.document), encoding="utf-8")
        state.chmod(0o600)
        zone = export.zone(settings.domain.name)
        job = Job(stack, project, state, {settings.domain.name: zone} if zone else {}, export.account)
        found = record([job], lambda job: say(f"{job.stack}: previewed against {path.name}"))[job]
        before = recorded(state)
    if found.failure:
        raise EngineError(f"{stack}: the program can't be previewed against {path.name}: {found.failure}")
    changes, same = engine_steps.read(found.steps, found.graph)
    note = "Secrets are not compared: the export has them encrypted." if export.secrets else ""
    after, why = _estimated(project, stack)
    priced = Cost(None, _total(after), note=why or "what is deployed has no settings to estimate")
    shown = StackPreview(stack, changes, same, found.graph, priced, _ordered(found.policies), note)
    return Preview(path.name, (timed(shown, before),))


def read_json(path: Path, what: str) -> Any:
    """Raises NotAcceptable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotAcceptable(f"{path}: cannot be read: {error.strerror}; {what} is wanted") from None
    except ValueError as error:
        raise NotAcceptable(f"{path}: is not JSON ({error}); {what} is wanted") from None
