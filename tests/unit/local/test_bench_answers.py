"""What the benches answer in AWS's place is enough for every function: a new read needs its answer there."""

import sys
from collections.abc import Iterator

import pytest

from local.bench import answers, people
from local.bench.runtime import Network
from tests import template
from tests.world import World
from tillflow.runtime import aws

_SERVICES = ("cloudwatch", "dynamodb", "events", "kms", "secretsmanager", "sqs", "stepfunctions")


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    """The benches' stand-in for AWS, before which no request comes through."""
    world.database.stand_aside()
    network = Network({})
    hooks = [aws.client(service).meta.events for service in _SERVICES]  # type: ignore[call-overload] # of names, not of each name

    def send(request: object, **_: object) -> object:
        return network.send(request)

    for each in hooks:
        each.register_first("before-send", send)
    try:
        yield network
    finally:
        for each in hooks:
            each.unregister("before-send", send)
        sys.meta_path.remove(network)


@pytest.mark.parametrize("name", template.functions())
def test_a_function_gets_all_its_answers_in_the_benches(world: World, network: Network, name: str) -> None:
    network.learn(answers.answers(name))
    # There, a secret's ARN is its name.
    names = {arn: secret for secret, arn in world.secret_arns.items()}
    variables = {variable: names.get(value, value) for variable, value in world.environments[name].items()}
    world.environments[name] = variables | answers.ENVIRONMENT
    event = people.event(name)
    if name == "identity/authorize":
        event |= {"headers": {"Authorization": f"Bearer {answers.token()}"}}

    answer = world.invoke(name, event) or {}

    assert network.unanswered == set()
    assert answer.get("statusCode", 200) < 300, answer
    assert not answer.get("batchItemFailures")
