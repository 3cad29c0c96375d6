"""Who may do what: authorization.py, the functions and the template say the same, and the handlers do it."""

import re

import pytest

from local.docs import gateway
from tests import template
from tests.world import World
from tillflow.values.ids import new
from tillflow.web.authorization import (
    AUTHENTICATED,
    FRESH,
    PUBLIC,
    ROUTES,
    SCOPES,
    KeyScope,
    Role,
    ServiceScope,
    credentials_of,
    scopes_of,
)

SERVED: dict[str, list[str]] = {route: [] for route in ROUTES}
for _path in sorted((template.ROOT / "functions").glob("*/*.py")):
    for _call in re.findall(r"@(?:api\.route|note)\((.*?)\)\ndef ", _path.read_text(), re.DOTALL):
        for _route in re.findall(r'"([A-Z]+ [^"]*)"', _call):
            SERVED.setdefault(_route, []).append(f"{_path.parent.name}/{_path.stem}")

DEPLOYED = {route: name for name, function in template.functions().items() for route in function.routes}
MATRIX = [(route, role) for route in ROUTES for role in (None, *Role)]


def allowed(route: str, role: Role | None) -> int | None:
    """Return the status that the tables say a caller is turned away with, or None."""
    demand = ROUTES[route]
    if demand == PUBLIC:
        return None
    if role is None:
        return 401
    return None if demand == AUTHENTICATED or demand in SCOPES[role] else 403


@pytest.mark.parametrize(("route", "role"), MATRIX, ids=str)
def test_a_role_is_let_in_or_turned_away_as_the_tables_say(world: World, route: str, role: Role | None) -> None:
    path = {"orderId": new(), "id": new(), "userId": "user-2", "variantId": new()}
    answer = world.call(route, roles=None if role is None else [role], path=path, body={}, headers={"Idempotency-Key": "k"})

    # Which warehouse is whose, and whether there is a login behind it, the function checks.
    owner = answer.status == 403 and answer.json["error_code"] in {"WAREHOUSE_FORBIDDEN", "NO_SESSION"}
    turned_away = answer.status if answer.status in (401, 403) and not owner else None
    assert turned_away == allowed(route, role), answer
    if turned_away:
        assert answer.json["error_code"] == {401: "UNAUTHORIZED", 403: "FORBIDDEN"}[turned_away]


def test_the_template_the_functions_and_the_table_have_the_same_routes() -> None:
    assert set(DEPLOYED) == set(SERVED) == set(ROUTES)


def test_the_template_s_routes_are_what_make_docs_writes() -> None:
    assert gateway.PATH.read_text() == gateway.text(), "run `make docs`"


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_is_served_by_one_function_the_one_that_the_template_sends_it_to(route: str) -> None:
    assert SERVED[route] == [DEPLOYED[route]]


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_s_authorizer_fits_its_demand(route: str) -> None:
    authorizer = template.functions()[DEPLOYED[route]].routes[route]

    # Tokens are issued to a service token or to an admin's bearer token: two headers, so an authorizer without a cache.
    takes = {
        ("authorization",): "Bearer",
        ("authorization", "x-service-token"): "AnyCredential",
        ("x-api-key",): "ApiKey",
    }[credentials_of(route)]
    assert authorizer == ("NONE" if ROUTES[route] == PUBLIC else "Fresh" if route in FRESH and takes == "Bearer" else takes)


def test_what_hurts_is_allowed_by_nothing_that_is_kept() -> None:
    authorizers = template.resources("AWS::Serverless::Api")["Api"]["Auth"]["Authorizers"]
    kept = {name: each["Identity"]["ReauthorizeEvery"] for name, each in authorizers.items()}

    assert {kept[template.functions()[DEPLOYED[route]].routes[route]] for route in FRESH} == {0}
    # The worst case that README.md and docs/adr/0009 state.
    assert max(kept.values()) == 60


def test_a_service_s_own_token_can_have_the_scopes_of_the_routes_that_take_one_and_no_others() -> None:
    taking = {demand for route, demand in ROUTES.items() if "x-service-token" in credentials_of(route)}

    assert taking == set(ServiceScope)


def test_an_authorizer_reads_the_credential_that_it_is_named_after() -> None:
    authorizers = template.resources("AWS::Serverless::Api")["Api"]["Auth"]["Authorizers"]
    headers = {name: each["Identity"].get("Headers", []) for name, each in authorizers.items()}

    assert headers == {"Bearer": ["Authorization"], "Fresh": ["Authorization"], "ApiKey": ["X-Api-Key"], "AnyCredential": []}
    # Without an identity source an answer must not be kept: it would be everybody's.
    assert authorizers["AnyCredential"]["Identity"]["ReauthorizeEvery"] == 0
    # A key that is revoked is out at once.
    assert authorizers["ApiKey"]["Identity"]["ReauthorizeEvery"] == 0
    assert all(each["FunctionArn"] == {"Fn::GetAtt": ["AuthorizeFunction", "Arn"]} for each in authorizers.values())


def test_a_preflight_request_needs_no_credential() -> None:
    auth = template.resources("AWS::Serverless::Api")["Api"]["Auth"]

    assert auth["AddDefaultAuthorizerToCorsPreflight"] is False


def test_what_anybody_may_ask_and_costs_something_is_not_given_often() -> None:
    settings = template.resources("AWS::Serverless::Api")["Api"]["MethodSettings"]
    slowed = {f"{each['HttpMethod']} {each['ResourcePath'].replace('~1', '/')}".replace("//", "/") for each in settings}

    assert slowed == {"GET /docs", "GET /readyz"} <= {route for route, demand in ROUTES.items() if demand == PUBLIC}
    assert all(each["ThrottlingRateLimit"] <= 5 and each["ThrottlingBurstLimit"] <= 20 for each in settings)


def test_every_scope_that_a_route_demands_is_carried_by_some_role_and_the_other_way_round() -> None:
    demanded = set(ROUTES.values()) - {PUBLIC, AUTHENTICATED}
    sources = [path.read_text() for path in template.ROOT.glob("functions/*/*.py")]
    in_code = {scope for source in sources for scope in re.findall(r'may\("([a-z:]+)"\)', source)}

    assert demanded | in_code == set().union(KeyScope, *SCOPES.values())


def test_every_role_has_its_scopes() -> None:
    assert set(SCOPES) == set(Role)
    assert scopes_of(("buyer",)) == frozenset()


def test_operators_and_admins_may_write_orders_and_nobody_else() -> None:
    assert [role for role in Role if "orders:write" in SCOPES[role]] == [Role.OPERATOR, Role.ADMIN]


def test_scopes_add_up_and_unknown_roles_carry_none() -> None:
    assert scopes_of(("seller", "operator")) == SCOPES[Role.SELLER] | SCOPES[Role.OPERATOR]
    assert scopes_of(("root", "", "ADMIN")) == frozenset()
    assert scopes_of(()) == frozenset()
