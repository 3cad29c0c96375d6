"""What `make docs` brings in step with the code: the generated pages of docs/, the template's routes, the events' schemas."""

from local import ROOT
from local.process import console


def write() -> None:
    """
    Write every generated file.

    Raises:
        LocalError: an event has changed so that it would break a consumer (`schemas`); nothing was written.
    """
    from local.docs import (
        event_types,
        events,
        gateway,
        openapi,
        schemas,
        stock_rules,
        tables,
    )  # what these import, no other command needs

    schemas.write()
    for page in (event_types, gateway, openapi, events, stock_rules, tables):
        page.PATH.write_text(page.text())
        console.print(f"{page.PATH.relative_to(ROOT)}")
