"""What both halves make of their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import httpx

from tillflow_client.wire import Request

USER_AGENT = f"tillflow-client/{version('tillflow-client')} python-httpx/{httpx.__version__}"

# API Gateway gives up after 29 seconds; a connection is there sooner, or not at all.
TIMEOUT_SECONDS = 30.0
CONNECT_SECONDS = 5.0


def base_url(url: str) -> str:
    """
    Return the API's *url*, stage and all, without a slash at its end.

    Raises:
        ValueError: it is none.
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"the API's URL begins with https:// (or http://), not as {url!r}")
    return url.rstrip("/")


def headers_of(credential: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of every request."""
    return {"Content-Type": "application/json", "User-Agent": USER_AGENT, **credential}


def timeout_of(seconds: float, request: Request) -> httpx.Timeout:
    """Return what *request* may take."""
    return httpx.Timeout(seconds + request.longer, connect=min(seconds, CONNECT_SECONDS))


def producer_credential(api_key: str) -> dict[str, str]:
    """Return a producer's header."""
    return {"X-Api-Key": api_key}


def consumer_credential(service_token: str | None, token: str | None) -> dict[str, str]:
    """
    Return a consumer's header: a service's token, or the bearer *token* of an administrator.

    Raises:
        ValueError: there is neither, or both.
    """
    if (service_token is None) == (token is None):
        raise ValueError("give either service_token or token (an administrator's)")
    return {"X-Service-Token": service_token} if service_token is not None else {"Authorization": f"Bearer {token}"}
