"""What whoever deploys may give: refused before anything is made, with words that say what to do."""

import re
import tomllib

import pytest

from local.platform import sam
from tests import template

PARAMETERS = template.written(template.ROOT_TEMPLATE)["Parameters"]
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def taken(parameter: str, value: str) -> bool:
    return re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value) is not None


@pytest.mark.parametrize("given", ["", f"{SECRET}stripe-AbC123", f"{SECRET}prod/stripe_key@2-a1B2c3"])
def test_a_secret_s_whole_arn_or_none_is_taken(given: str) -> None:
    assert taken("StripeSecretArn", given)


@pytest.mark.parametrize(
    "given",
    [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",  # the key itself: it would stand in the stack's parameters for all to read
        "stripe",
        f"{SECRET}stripe",  # without the six characters no policy fits it
        f"{SECRET}stripe-AbC123:api_key::",
        SECRET.replace("secretsmanager", "ssm") + "stripe-AbC123",
        f" {SECRET}stripe-AbC123",
    ],
)
def test_what_would_fail_every_order_is_refused_before_there_is_one(given: str) -> None:
    assert not taken("StripeSecretArn", given)
    assert "aws secretsmanager describe-secret" in PARAMETERS["StripeSecretArn"]["ConstraintDescription"]


@pytest.mark.parametrize(("given", "is_taken"), [("", True), (KEY, True), ("alias/stripe", False), (f"{KEY} ", False)])
def test_a_key_is_given_by_its_arn(given: str, *, is_taken: bool) -> None:
    assert taken("StripeKmsKeyArn", given) is is_taken


@pytest.mark.parametrize("environment", ["prod", "local"])
def test_what_samconfig_gives_is_a_parameter_and_allowed(environment: str) -> None:
    config = tomllib.loads((template.ROOT / "samconfig.toml").read_text())
    given = dict(each.split("=") for each in config[environment]["deploy"]["parameters"]["parameter_overrides"].split())

    assert given.keys() <= PARAMETERS.keys()
    assert all(value in map(str, PARAMETERS[name].get("AllowedValues", [value])) for name, value in given.items())


def test_what_samconfig_gives_a_laptop_make_up_gives_it_too() -> None:
    config = tomllib.loads((template.ROOT / "samconfig.toml").read_text())
    given = dict(each.split("=") for each in config["local"]["deploy"]["parameters"]["parameter_overrides"].split())

    assert given == sam.LOCAL
