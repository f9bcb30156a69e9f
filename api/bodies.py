"""Bodies of requests: JSON or a form, read into a model that refuses what it does not know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from flask import request
from pydantic import BaseModel, ValidationError

from api.problems import Problem, of_validation
from indexer.text import shown

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    Model = TypeVar("Model", bound=BaseModel)

JSON = "application/json"
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"
_NAME_CHARACTERS = 100


def read_body(model: type[Model], *, forms: bool = False) -> Model:
    """Return the request's body as a model: JSON, or with `forms` a form without files.

    Raises Problem `content_type`; a body that does not fit is answered as `invalid`.
    """
    from flask import abort

    if request.mimetype == JSON:
        try:
            content = json.loads(request.get_data(), object_pairs_hook=_members)
        except (ValueError, RecursionError) as error:
            raise Problem("bad_request", "The body is no JSON.") from error
        if not isinstance(content, dict):
            raise Problem("invalid", "The body is not a JSON object.")
    elif forms and request.mimetype in (MULTIPART, FORM):
        content = _of_form(model, request.form)
    else:
        allowed = (JSON, MULTIPART) if forms else (JSON,)
        raise Problem("content_type", f"The body must be {' or '.join(allowed)}.")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        abort(of_validation(error))


def _of_form(model: type[BaseModel], form: MultiDict[str, str]) -> dict[str, Any]:
    """Return a form's fields; those that are lists in the model as lists."""
    require_single(form, model)
    lists = _lists(model)
    return {
        name: values if name in lists else values[-1]
        for name, values in form.lists()
        # A browser sends a field that was left empty; it was not given.
        if values != [""]
    }


def require_single(given: MultiDict[str, str], model: type[BaseModel]) -> None:
    """Raise Problem `invalid` if something is given more than once that is no list in the model."""
    lists = _lists(model)
    for name, values in given.lists():
        if len(values) > 1 and name not in lists:
            raise _repeated(name)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises Problem `invalid` if it names a member twice."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise _repeated(name)
        members[name] = value
    return members


def _repeated(name: str) -> Problem:
    return Problem("invalid", f"{shown(name)[:_NAME_CHARACTERS]}: it is given more than once.")


def _lists(model: type[BaseModel]) -> set[str]:
    fields = model.model_fields
    return {name for name, field in fields.items() if _is_list(field.annotation)}


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_is_list(part) for part in get_args(annotation))


def documented(**models: type[BaseModel]) -> dict[str, Any]:
    """Return the `requestBody` of an operation for OpenAPI: models by `json` and `multipart`."""
    mimetypes = {"json": JSON, "multipart": MULTIPART}
    content = {mimetypes[kind]: {"schema": _schema(model)} for kind, model in models.items()}
    return {"requestBody": {"required": True, "content": content}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    assert not definitions, f"{model.__name__} must not refer to other models"
    return schema
