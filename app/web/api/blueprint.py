"""The API's blueprint and its description. A resource registers its calls here. `@described` checks requests and
responses against pydantic models, and OpenAPI is generated from the same models."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper, wraps
from typing import Any, TypeVar, cast, get_type_hints

from flask import Blueprint, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from app.web import ids
from app.web.api import access, errors
from app.web.api.shapes import Error

F = TypeVar("F", bound=Callable[..., Any])

#: An id in an address.
ID = "<int:id>"

#: The errors of any call: an unreadable request, no token, not found, too large, not JSON, an invalid value, too many
#: calls, no database.
_ANY_CALL = (400, 401, 404, 413, 415, 422, 429, 503)

bp = Blueprint("api", __name__, url_prefix="/api/v1")
bp.before_request(access.check_caller)
bp.before_request(ids.check_address)
bp.before_request(access.check_body)
errors.init_blueprint(bp)


def described(
    tag: str, answer: type[BaseModel] | None = None, status: int = 200, *, also: tuple[int, ...] = ()
) -> Callable[[F], F]:
    """A successful call returns `answer` with `status`; `also` are further statuses. The annotations of the view's
    parameters `json` and `query` decide how these are read and checked."""
    checked = _spec.validate(resp=_answers({status: answer}, also), tags=[tag], after=_after, before=_before)

    def decorate(view: F) -> F:
        @wraps(view)
        def written(*args: Any, **kwargs: Any) -> Any:
            return _written(view(*args, **kwargs))

        written.__annotations__ = get_type_hints(view, include_extras=True)
        return cast(F, checked(written))

    return decorate


def streamed(tag: str, *statuses: int) -> Callable[[F], F]:
    """For a call that streams bytes: described like the others, but its response is not checked."""

    def decorate(view: F) -> F:
        checked = _spec.validate(resp=_answers({}, statuses), tags=[tag])(view)
        return cast(F, update_wrapper(lambda *args, **kwargs: view(*args, **kwargs), checked))

    return decorate


def _answers(answer: dict[int, type[BaseModel] | None], also: tuple[int, ...]) -> Answers:
    """Every error has the same shape, for every call."""
    plain = [f"HTTP_{status}" for status in also if status < 400]
    wrong = {status: Error for status in (*_ANY_CALL, *also) if status >= 400}
    return Answers(*plain, **{f"HTTP_{status}": model for status, model in (answer | wrong).items()})


def description() -> dict[str, Any]:
    """The description of every call."""
    document: dict[str, Any] = _spec.spec
    return document


def _written(answer: Any) -> Any:
    """As JSON text: checking and sending a document is several times faster than with the values it is made of."""
    if isinstance(answer, dict):
        return to_json(answer)
    if isinstance(answer, tuple) and isinstance(answer[0], dict):
        return to_json(answer[0]), *answer[1:]
    return answer


def _before(_request: Request, _response: Response, error: Exception | None, _view: Any, _adapter: Any) -> None:
    if error is not None:
        raise error


def _after(_request: Request, _response: Response, error: Exception | None, _view: Any, _adapter: Any) -> None:
    """If our response does not match our own description, the fault is ours, never the caller's."""
    if error is not None:
        raise RuntimeError("An answer does not fit its description.") from error


_spec = SpecTree(
    "flask",
    title="Signalbox",
    version="v1",
    description="The team inbox that lives in your mailbox. Lists give `next`, the cursor of the page that follows.",
    mode="strict",
    validation_error_model=Error,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
    security={"token": []},
)
