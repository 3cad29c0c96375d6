"""The base of our pydantic models, and what one found wrong, in words a client can act on."""

from pydantic import BaseModel, ConfigDict, ValidationError

_TOLD = 3


class Model(BaseModel):
    """A model whose validator is built when it is first used: of a module's models, a function's start needs few."""

    model_config = ConfigDict(defer_build=True)


def problems(error: ValidationError) -> str:
    """Return what is wrong, field by field, without repeating what was sent (it may be secret)."""
    told = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_input=False)]
    more = f" (and {len(told) - _TOLD} more)" if len(told) > _TOLD else ""
    return "; ".join(told[:_TOLD]) + more
