"""`candlefish rehearse`: a whole environment on this machine, offline."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from candlefish import browse, clock, policing, runtime, timing, tools
from candlefish.exits import Exit
from candlefish.interrupts import interruptible
from candlefish.options import STAGING, Json, Stack
from candlefish.project import home_directory, project_directory
from candlefish.runtime import Rehearsal, Servers
from candlefish.screen import Screen, emit, plain, show_steps, steps_json, summary
from candlefish.verify import Verification, show
from kube.client import Client
from operations.verify.model import State
from rehearsal.aws.coverage import report
from rehearsal.engine.errors import EngineError
from rehearsal.engine.results import EventKind, Result
from rehearsal.engine.values import Secret
from rehearsal.kubernetes.coverage import report as report_of_kubernetes

app = typer.Typer(no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="names and faults that are drawn come out the same for the same seed")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Unasked = Annotated[bool, typer.Option("--yes", "-y", help="for scripts; nothing is asked")]
Changes = Annotated[list[str] | None, typer.Option(
    "--config", "-c", metavar="PATH=VALUE", help="a setting for this run, such as network.natGatewayCount=3")]
NoChanges = Annotated[bool, typer.Option("--expect-no-changes", help="exit 4 if anything would change or has changed")]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="leave out what `candlefish verify` checks")]
PolicyPacks = Annotated[list[Path] | None, typer.Option(
    "--policy-pack", metavar="FOLDER", help="a policy pack, such as policy; exit 3 if it is violated")]
PolicyConfig = Annotated[Path | None, typer.Option("--policy-pack-config", metavar="FILE.json",
                                                   help="levels and settings of the packs' policies")]
app.command()(clock.clock)
app.command()(timing.timing)


@app.command()
def up(stack: Stack = STAGING, seed: Seed = 0, as_json: Json = False, config: Changes = None,
       expect_no_changes: NoChanges = False, no_verify: NoVerify = False, clock: timing.Clocks = timing.Clock.HERE,
       yes: Unasked = False, policy_pack: PolicyPacks = None, policy_pack_config: PolicyConfig = None) -> None:
    """Builds the environment, or brings it up to date, verifies it and leaves it running.

    Exit code 1 when a check fails: the environment is there, and not fit. With policy packs it previews first, as
    `pulumi up` does, so that nothing is made of what they refuse."""
    screen = Screen(quiet=as_json)
    rehearsal = Rehearsal(stack, seed=seed, changes=config or (), report=screen.say)
    packs = policing.packs(policy_pack, policy_pack_config)
    with interruptible(screen.say) as cancelling, screen.progress(), policing.told(stack, as_json):
        settings = rehearsal.settings
        screen.say(f"{stack}: {settings.region}, {len(settings.services)} services")
        endpoint = rehearsal.start_aws()
        engine = cancelling(rehearsal.engine(endpoint, screen.on_event))
        rehearsal.remember(endpoint)
        engine.packs = packs
        if packs.folders:
            engine.preview()
        result, servers = rehearsal.build(engine, endpoint)
    rehearsal.note_coverage()
    outputs = servers.shown(result.outputs)
    tools.write_outputs(rehearsal, outputs)
    found = None if no_verify else _verified(rehearsal, servers, outputs)
    predicted = timing.of_run(result, engine.states, rehearsal.seed) if clock is timing.Clock.AWS else {}
    if as_json:
        emit({**_report(stack, rehearsal.seed, result, outputs), "verification": found and found.document, **predicted})
    else:
        screen.say(summary(result), "bold")
        if predicted:
            screen.say(timing.said(predicted))
        if found is not None:
            show(screen, found, (State.FAILED, State.SKIPPED))
        tools.show(screen, rehearsal, outputs)
    if found is not None and not found.passed:
        raise typer.Exit(Exit.FAILED)
    _expect(expect_no_changes, result)


@app.command()
def preview(stack: Stack = STAGING, seed: Seed = 0, as_json: Json = False, config: Changes = None,
            expect_no_changes: NoChanges = False, policy_pack: PolicyPacks = None,
            policy_pack_config: PolicyConfig = None) -> None:
    """Shows what `up` would do. Changes nothing."""
    screen = Screen(quiet=as_json)
    rehearsal = Rehearsal(stack, seed=seed, changes=config or (), report=screen.say)
    packs = policing.packs(policy_pack, policy_pack_config)
    _ = rehearsal.settings
    with interruptible(screen.say) as cancelling, screen.progress(), policing.told(stack, as_json):
        servers = rehearsal.start(kubernetes=False)
        engine = cancelling(rehearsal.engine(servers.aws, _failures_only(screen)))
        engine.packs = packs
        result = engine.preview()
    if as_json:
        emit({**_report(stack, rehearsal.seed, result, result.outputs), "steps": steps_json(result.steps)})
    else:
        show_steps(screen.console, result.steps)
        screen.say(f"preview: {summary(result)}", "bold")
    _expect(expect_no_changes, result)


@app.command()
def refresh(stack: Stack = STAGING, as_json: Json = False, expect_no_changes: NoChanges = False) -> None:
    """Reads every resource and corrects the state; what is gone will be made again by the next `up`."""
    screen = Screen(quiet=as_json)
    rehearsal = Rehearsal(stack, report=screen.say)
    with interruptible(screen.say) as cancelling, screen.progress():
        servers = rehearsal.start()
        result = cancelling(rehearsal.engine(servers.aws, screen.on_event)).refresh()
        rehearsal.remember(servers.aws)
    if as_json:
        emit({**_report(stack, rehearsal.seed, result, result.outputs), "steps": steps_json(result.steps)})
    else:
        screen.say(f"refresh: {summary(result)}", "bold")
    _expect(expect_no_changes, result)


@app.command()
def destroy(stack: Stack = STAGING, seed: Seed = 0, as_json: Json = False, yes: Yes = False) -> None:
    """Takes the environment down as a rehearsed teardown: protection is lifted by an `up` first, then all is deleted.

    Asks first on a terminal. The servers keep running; `down` stops them.
    """
    screen = Screen(quiet=as_json)
    rehearsal = Rehearsal(stack, seed=seed, changes=TEARDOWN, report=screen.say)
    _ = rehearsal.settings
    if not rehearsal.state.path.exists():
        nothing = Result(dict.fromkeys(("create", "update", "replace", "delete", "same"), 0), [], {}, 0.0,
                         rehearsal.seed)
        _tell_destroyed(screen, stack, nothing, as_json)
        return
    if sys.stdin.isatty() and not (yes or typer.confirm(f"Destroy the rehearsal of {stack} with its data?", err=True)):
        raise typer.Exit(Exit.INTERRUPTED)
    with interruptible(screen.say) as cancelling, screen.progress():
        servers = rehearsal.start()
        engine = cancelling(rehearsal.engine(servers.aws, screen.on_event))
        if any(resource.get("protect") for resource in engine.export()["deployment"].get("resources", [])):
            screen.say("lifting the protection", "dim")
            engine.up()
        result = engine.destroy()
        rehearsal.remember(servers.aws, destroyed=True)
    _tell_destroyed(screen, stack, result, as_json)


TEARDOWN = ("lifecycle.rehearsedTeardown=true", "lifecycle.protect=false", "lifecycle.deletionProtection=false",
            "lifecycle.finalSnapshot=false", "lifecycle.forceDestroyBuckets=true")


@app.command()
def status(stack: Stack = STAGING, as_json: Json = False) -> None:
    """What is running and what the state holds."""
    rehearsal = Rehearsal(stack)
    servers = rehearsal.running()
    resources = _resources(rehearsal)
    document = {
        "stack": stack,
        "aws": servers.aws.url if servers else None,
        "kubernetes": servers.cluster.endpoint if servers and servers.cluster else None,
        "agent": servers.agent.front_door_url if servers and servers.agent else None,
        "resources": len(resources),
        "current": bool(servers) and rehearsal.incarnation == servers.aws.incarnation if servers else False,
    }
    if as_json:
        emit(document)
        return
    for key, value in document.items():
        print(f"{key:12}{value if value is not None else 'not running'}")


@app.command()
def outputs(stack: Stack = STAGING, as_json: Json = False, show_secrets: Annotated[bool, typer.Option(
        "--show-secrets", help="secrets in plain text")] = False) -> None:
    """The stack's outputs, URLs as they answer on this machine."""
    rehearsal = Rehearsal(stack)
    servers = rehearsal.running()
    if servers is None:
        raise EngineError(f"{stack} is not running; `candlefish rehearse up --stack {stack}` starts it")
    stored = rehearsal.engine(servers.aws, lambda event: None).outputs()
    values = servers.shown(stored)
    if show_secrets:
        values = {key: value.value if isinstance(value, Secret) else value for key, value in values.items()}
    if as_json:
        emit(values)
        return
    for key in sorted(values):
        print(f"{key:20}{plain(values[key])}")


@app.command()
def export(stack: Stack = STAGING) -> None:
    """The state as Pulumi's deployment JSON, version 3: what `pulumi stack import` reads."""
    rehearsal = Rehearsal(stack)
    endpoint = rehearsal.aws.ensure()
    emit(rehearsal.engine(endpoint, lambda event: None).export())


@app.command(name="import")
def import_(file: Annotated[Path, typer.Option("--file", help="what `export` wrote")], stack: Stack = STAGING) -> None:
    """Puts a state in the place of the present one, as `pulumi stack import` does."""
    Rehearsal(stack).put_back(file)


@app.command()
def env(stack: Stack = STAGING) -> None:
    """Lines for `eval "$(candlefish rehearse env)"`: then your own `aws` and `kubectl` work on the environment."""
    rehearsal = Rehearsal(stack)
    servers = rehearsal.running()
    if servers is None or servers.cluster is None:
        raise EngineError(f"{stack} is not running; `candlefish rehearse up --stack {stack}` starts it")
    for name, value in tools.environment(rehearsal, servers).items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"export PATH={shlex.quote(str(tools.wrappers(rehearsal)))}:\"$PATH\"")


@app.command()
def coverage(as_json: Json = False) -> None:
    """How each resource type and property is served: emulated, kept by us, or unknown."""
    rows = [*report(), *report_of_kubernetes()]
    if as_json:
        emit(rows)
        return
    for row in rows:
        print(f"{row['type']:60}{row['property']:40}{row['served']}")


@app.command(name="open")
def open_(stack: Stack = STAGING, port: Annotated[int, typer.Option(help="0: any free one")] = 0) -> None:
    """Serves a browser view of the account and of the cluster until interrupted."""
    rehearsal = Rehearsal(stack)
    servers = rehearsal.running()
    if servers is None:
        raise EngineError(f"{stack} is not running; `candlefish rehearse up --stack {stack}` starts it")
    browse.serve(rehearsal, servers, port)


@app.command()
def down(stack: Annotated[str | None, typer.Option("--stack", "-s", help="one cluster; none: everything")] = None
         ) -> None:
    """Stops what `up` left running. The embedded AWS forgets what it held; the next `up` makes it again."""
    screen = Screen()
    root = home_directory(project_directory())
    stacks = [stack] if stack else [path.name for path in sorted((root / "stacks").glob("*"))]
    for name in stacks:
        runtime.stop_cluster(root, name)
    if stack is None:
        runtime.stop_aws(root)
    screen.say("stopped")


@app.command()
def reset(yes: Yes = False) -> None:
    """Stops everything and forgets all states, clusters and certificates of this project's rehearsals."""
    root = home_directory(project_directory())
    if not root.exists():
        return
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("this forgets every rehearsal of this project; say --yes")
        typer.confirm(f"Remove {root} with every rehearsal's state?", abort=True, err=True)
    down(None)
    shutil.rmtree(root)


def _verified(rehearsal: Rehearsal, servers: Servers, outputs: dict[str, Any]) -> Verification:
    assert servers.cluster is not None
    kubeconfig = servers.cluster.kubeconfig
    return Verification(rehearsal.stack, rehearsal.settings, plain(outputs), lambda: Client.from_kubeconfig(kubeconfig))


def _tell_destroyed(screen: Screen, stack: str, result: Result, as_json: bool) -> None:
    if as_json:
        emit(_report(stack, result.seed, result, {}))
    else:
        screen.say(f"destroy: {summary(result)}", "bold")


def _report(stack: str, seed: int, result: Result, values: dict[str, Any]) -> dict[str, Any]:
    return {"stack": stack, "changes": result.changes, "outputs": values, "seconds": round(result.seconds, 3),
            "seed": seed, "policies": policing.listed(result.violations)}


def _resources(rehearsal: Rehearsal) -> Sequence[Any]:
    if not rehearsal.state.path.exists():
        return ()
    resources: Sequence[Any] = runtime.read_state(rehearsal.state.path)["deployment"].get("resources", [])
    return resources


def _failures_only(screen: Screen) -> Any:
    def take(event: Any) -> None:
        if event.kind in (EventKind.FAILED, EventKind.DIAGNOSTIC):
            screen.on_event(event)

    return take


def _expect(no_changes: bool, result: Result) -> None:
    if no_changes and result.changed:
        raise typer.Exit(Exit.CHANGED)
