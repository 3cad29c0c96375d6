"""`python -m local <command>`: what the Makefile's targets run."""

import argparse
import os
import sys
from urllib.parse import urlsplit

from botocore.exceptions import ConnectionError as NoConnection
from rich.markup import escape

from local import STATE, LocalError, bench, docs
from local.platform import aws, container, deploy, emulator, stack
from local.process import aside, console, step
from local.shop import demo
from local.watch import logs

MOST_PORT = 65_535
DOCKER = "docker"


def main() -> int:
    """Run one command; return the exit code."""
    arguments = _parser().parse_args()
    try:
        _run(arguments)
    except LocalError as error:
        aside.print(f"[red]✗[/] {arguments.command}: {escape(str(error))}")
        return 1
    except NoConnection as error:
        aside.print(f"[red]✗[/] {arguments.command}: the emulator went away: `make up` starts it ({escape(str(error))})")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    match arguments.command:
        case "up":
            up(arguments.endpoint or aws.named_endpoint(), arguments.port, arguments.host)
        case "down":
            down(arguments.endpoint or aws.named_endpoint())
        case "invoke":
            from local.shop import invoke  # what this imports, no other command needs

            invoke.check()
        case "bench":
            bench.run(arguments)
        case "docs":
            docs.write()
        case _:
            _look(arguments, _deployed())


def _look(arguments: argparse.Namespace, deployed: stack.Stack) -> None:
    """Run a command on the stack that is there. Each imports what no other needs."""
    match arguments.command:
        case "logs":
            logs.show(deployed, follow=arguments.follow)
        case "demo":
            demo.run(deployed)
        case "audit":
            from local.shop import audit

            audit.run(deployed, anew=arguments.anew, repair=arguments.repair)
        case "event":
            from local.shop import fresh

            fresh.show(deployed, arguments.function)
        case "tail":
            from local.watch import tail

            tail.run(deployed, arguments.types)
        case "trace" if arguments.open:
            from local.watch import page

            page.show(deployed, arguments.order, STATE / "orders")
        case "trace":
            from local.watch import tell

            tell.run(deployed, arguments.order)


def up(endpoint: str | None, port: str | None, host: str | None) -> None:
    """Deploy to *endpoint*, or to an emulator of our own, which is started if it does not run yet."""
    where = _own_emulator(_port(port), host).endpoint if endpoint is None else _running(endpoint)
    deployed = deploy.deploy(where, STATE)
    console.print(f"API       {deployed.api_url}\nemulator  {deployed.endpoint_url}")
    console.print(f"all else  {stack.path_in(STATE)}")


def down(endpoint: str | None) -> None:
    """Delete the stack from *endpoint*, or stop our own emulator, which forgets it."""
    if endpoint is not None:
        deploy.delete(_running(endpoint), STATE)
    elif emulator.stop(STATE):
        deploy.forget(STATE)
        console.print("stopped the emulator")
    else:
        console.print("no emulator is running")


def _deployed() -> stack.Stack:
    """Return the stack that `make up` deployed, if what it runs on is still there."""
    deployed = stack.read(STATE)
    if not emulator.answers(deployed.endpoint_url):
        raise LocalError(f"no emulator answers at {deployed.endpoint_url}, where the stack was: run `make up`")
    return deployed


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST_PORT:
        raise LocalError(f"TILLFLOW_PORT must be a number from 1 to {MOST_PORT}, not {text}")
    return int(text)


def _own_emulator(port: int | None, host: str | None) -> emulator.Emulator:
    host = container.host() if host == DOCKER else host
    running = emulator.find(STATE)
    if running is None:
        with step("start the emulator"):
            return emulator.start(STATE, port, host=host or emulator.LOOPBACK)
    at = urlsplit(running.endpoint)
    if port not in (None, at.port) or host not in (None, at.hostname):
        raise LocalError(f"the emulator already runs at {running.endpoint}: `make down` first")
    return running


def _running(endpoint: str) -> str:
    endpoint = endpoint.rstrip("/")
    if not endpoint.startswith(("http://", "https://")):
        raise LocalError(f"ENDPOINT must be a URL, e.g. http://{endpoint}")
    if not emulator.answers(endpoint):
        names = " or ".join(name for name in ("ENDPOINT", *aws.NAMED_BY) if os.environ.get(name))
        raise LocalError(f"no emulator answers at {endpoint}: start it, or leave {names or '--endpoint'} out")
    return endpoint


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "down"):
        command = commands.add_parser(name)
        # Make passes its variables on as environment, empty or not.
        command.add_argument("--endpoint", default=os.environ.get("ENDPOINT") or None)
        command.add_argument("--port", default=os.environ.get("TILLFLOW_PORT") or None)
        command.add_argument("--host", default=os.environ.get("TILLFLOW_HOST") or None)
    commands.add_parser("logs").add_argument("--follow", action="store_true")
    commands.add_parser("demo")
    audit = commands.add_parser("audit")
    audit.add_argument("--anew", action="store_true")
    audit.add_argument("--repair", action="store_true")
    commands.add_parser("event").add_argument("function")
    commands.add_parser("invoke")
    bench.add_to(commands)
    commands.add_parser("docs")
    commands.add_parser("tail").add_argument("types")
    trace = commands.add_parser("trace")
    trace.add_argument("order")
    trace.add_argument("--open", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
