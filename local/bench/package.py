"""The functions as `sam build` packages them, and a stand-in for the Lambda runtime to run them in."""

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped] # it knows CloudFormation's tags; ships no types

from local import ROOT, STATE, LocalError, process
from local.bench import answers, people
from local.platform import sam
from local.platform.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.shop.samples import sample

type Json = dict[str, Any]

BUILT = ROOT / ".aws-sam" / "build"
# boto3 comes from the emulator's Python, as it does from the Lambda runtime.
RUNTIME = STATE / "emulator" / "bin" / "python"
PROGRAM = Path(__file__).parent / "runtime.py"
AUTHORIZE = "identity/authorize"
NO_VALUE = {"Ref": "AWS::NoValue"}

# `.pyc` files of a zip must not be checked by date (PEP 552): bit 0 says hash-based, bit 1 that the hash is checked.
_UNCHECKED_HASH = 0b01


@dataclass(frozen=True)
class Function:
    """
    A packaged function: *name* is `<context>/<function>`, *folder* its own code, *layers* the shared one and others.

    *by_session*: to the authorizer comes a session's token, under ES256, in place of an issued one.
    """

    name: str
    folder: Path
    layers: tuple[Path, ...]
    environment: Mapping[str, str]
    by_session: bool = False

    @property
    def label(self) -> str:
        """What it is called in a table."""
        return f"{self.name}, ES256" if self.by_session else self.name

    @property
    def module(self) -> str:
        """The module that has the handler."""
        return self.name.partition("/")[2]

    @property
    def event(self) -> Json:
        """The function's sample event; to the authorizer comes what most requests carry."""
        if self.name != AUTHORIZE:
            return people.event(self.name)
        token = people.access_token() if self.by_session else answers.token()
        return sample(self.name) | {"headers": {"Authorization": f"Bearer {token}"}}


def build(into: Path) -> dict[str, Function]:
    """
    Build the tree and return its functions by name, from a copy in *into*: others may build again meanwhile.

    Raises:
        LocalError: the build failed, or a layer's bytecode is not usable from a zip.
    """
    with sam.built(STATE / "logs" / "build.log", {}):
        shutil.copytree(BUILT, into, dirs_exist_ok=True)
    layers = {name: into / name / "python" for name in ("SharedLayer", "IdentityLayer", "EventFlowLayer")}
    for layer in layers.values():
        _check_bytecode(layer)
    template = yaml_parse((ROOT / "template.yaml").read_text())
    parameters = {name: str(each.get("Default", "")) for name, each in template["Parameters"].items()}
    of_all = template["Globals"]["Function"]["Environment"]["Variables"]
    found = {}
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            own = resource["Properties"].get("Environment", {}).get("Variables", {})
            variables = {name: _text(value, parameters) for name, value in (of_all | own).items() if value != NO_VALUE}
            name = _name(resource["Properties"])
            own = [layers[each["Ref"]] for each in resource["Properties"].get("Layers", []) if "Ref" in each]
            found[name] = Function(name, into / logical_id, (layers["SharedLayer"], *own), variables)
    return found


def with_session(functions: Mapping[str, Function]) -> dict[str, Function]:
    """Return *functions* by their labels, and the authorizer once more, to which a session's token comes."""
    by_session = replace(functions[AUTHORIZE], by_session=True)
    return dict(functions) | {by_session.label: by_session}


def _name(properties: Json) -> str:
    return f"{Path(properties['CodeUri']).name}/{properties['Handler'].partition('.')[0]}"


def _text(value: Any, parameters: Mapping[str, str]) -> str:
    """Return a variable's value; a reference to a resource becomes its logical id."""
    if isinstance(value, dict):
        ((_, target),) = value.items()
        # A nested stack names its outputs after its resources.
        name = target if isinstance(target, str) else target[1].removeprefix("Outputs.")
        return parameters.get(name, name)
    return str(value)


def _check_bytecode(layer: Path) -> None:
    for source in layer.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if not compiled.exists() or int.from_bytes(compiled.read_bytes()[4:8], "little") != _UNCHECKED_HASH:
            raise LocalError(f"{source.relative_to(layer)} has no bytecode in the layer that a zip could use")


def run(job: Json, environment: Mapping[str, str], *options: str) -> tuple[Json, str]:
    """
    Let the runtime do *job* in a fresh process; return its answer and what it wrote to stderr.

    Raises:
        LocalError: it failed; the message has the end of its stderr.
    """
    lambda_ = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        # A developer's own files are not there on Lambda.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # A layer is read-only on Lambda: what is not compiled yet is compiled each time.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(RUNTIME), "-P", *options, str(PROGRAM)]
    done = subprocess.run(
        command,
        input=json.dumps(job),
        env=process.environment(lambda_ | dict(environment)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalError(f"{job.get('module', job['job'])} failed:\n{done.stderr[-3000:]}")
    answer: Json = json.loads(done.stdout)
    return answer, done.stderr
