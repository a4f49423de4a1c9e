"""`/openapi.json`, made of the signature of the network."""

from __future__ import annotations

from typing import Any

from .model import Model
from .settings import Settings

OBJECT: dict[str, Any] = {"type": "object"}
STATUSES = {
    "400": "The body is no JSON.",
    "401": "The token is missing, or another one.",
    "403": "A page of another site asked.",
    "408": "The body arrived too slowly.",
    "413": "The body is too large, or has too many rows.",
    "421": "The name of the host is not this machine's.",
    "422": "Rows have mistakes: all of them, with the row, the column and the cure.",
    "500": "The server failed.",
    "503": "Too many rows are waiting already.",
    "504": "There was no answer in time.",
}


def document(model: Model, settings: Settings) -> dict[str, Any]:
    """OpenAPI 3.1 of a server."""
    shown = (model.shown or {}).get("rows", [])[:2]
    body: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Request"}}
    answer: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Answer"}}
    if shown:
        body["example"] = {"rows": shown}
        answer["example"] = {"predictions": (model.shown or {})["predictions"][: len(shown)]}
    predict = {
        "summary": f"Predictions of {model.name}",
        "operationId": "predict",
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {"description": "A prediction for each row.", "content": {"application/json": answer}},
            **{status: _error(text, "Errors") for status, text in STATUSES.items()},
        },
    }
    name = [{"name": "name", "in": "path", "required": True, "schema": {"const": model.name}}]
    tensors = {"required": True, "content": {"application/json": {"schema": OBJECT}}}
    inferred = {
        "200": _json("The output as a tensor.", OBJECT),
        **{status: _error(text, "ProtocolError") for status, text in {"400": "", **STATUSES}.items()},
    }
    paths: dict[str, Any] = {
        "/predict": {"post": predict},
        "/signature": {"get": _get("What the network takes and gives", OBJECT)},
        "/metrics": {"get": _get("Counts, as Prometheus reads them", {"type": "string"}, "text/plain")},
        "/reload": {"post": _get("Loads the network anew", OBJECT)},
        "/v2": {"get": _get("The server", OBJECT)},
        "/v2/health/live": {"get": _get("Whether it runs", OBJECT)},
        "/v2/health/ready": {"get": _get("Whether it answers", OBJECT)},
        "/v2/models/{name}": {"get": {**_get("The inputs and the output", OBJECT), "parameters": name}},
        "/v2/models/{name}/ready": {"get": {**_get("Whether it answers", OBJECT), "parameters": name}},
        "/v2/models/{name}/infer": {
            "post": {
                "summary": "Predictions by the Open Inference Protocol",
                "parameters": name,
                "requestBody": tensors,
                "responses": inferred,
            }
        },
    }
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": model.name, "version": model.version, "description": f"A network served by {model.runtime}."},
        "paths": paths,
        "components": {"schemas": _schemas(model, settings)},
    }
    if settings.token is not None:
        found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
    return found


def _json(description: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _error(description: str, schema: str) -> dict[str, Any]:
    return _json(description, {"$ref": f"#/components/schemas/{schema}"})


def _get(summary: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _json(summary, schema, kind)}}


def _schemas(model: Model, settings: Settings) -> dict[str, Any]:
    rows = {
        "type": "array",
        "minItems": 1,
        "maxItems": settings.most_rows,
        "items": {"$ref": "#/components/schemas/Row"},
    }
    problem = {
        "type": "object",
        "properties": {
            "row": {"type": "integer", "minimum": 1},
            "column": {"type": "string"},
            "message": {"type": "string"},
            "help": {"type": "string", "description": "what to write instead"},
        },
        "required": ["message"],
    }
    problems = {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}}
    return {
        "Row": row_schema(model.signature),
        "Request": {
            "anyOf": [
                {"type": "object", "properties": {"rows": rows}, "required": ["rows"], "additionalProperties": False},
                {"$ref": "#/components/schemas/Row"},
                rows,
                {
                    "type": "object",
                    "properties": {"columns": {"type": "object", "additionalProperties": {"type": "array"}}},
                    "required": ["columns"],
                    "additionalProperties": False,
                },
            ]
        },
        "Prediction": prediction_schema(model.signature["outputs"]),
        "Problem": problem,
        "Errors": {"type": "object", "properties": {"errors": problems}, "required": ["errors"]},
        "ProtocolError": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
        "Answer": {
            "type": "object",
            "properties": {
                "predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}},
                "warnings": problems,
            },
            "required": ["predictions"],
        },
    }


def row_schema(signature: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of one row."""
    inputs = signature["inputs"]
    if all(given["shape"] == [1] and "column" in given for given in inputs):
        return _object({given["column"]: _column(given) for given in inputs})
    whole = {given["name"]: _nested(given["shape"], {"type": "number"}) for given in inputs}
    if len(inputs) > 1:
        return _object(whole)
    (given,), (array,) = inputs, whole.values()
    others: list[dict[str, Any]] = [_object(whole), array]
    named = {column["column"]: {"type": "number"} for column in given.get("columns", [])}
    if named and given.get("timesteps") is not None:
        others.append({"type": "array", "items": _object(named)})
        others.append(_object({name: {"type": "array", "items": {"type": "number"}} for name in named}))
    elif named and given["shape"] == [len(named)]:
        others.insert(0, _object(named))
    elif not named or len(named) == 1:
        called = next(iter(named), given.get("column"))
        media = {"type": "string", "description": "a picture or a sound as `data:image/png;base64,...`"}
        others += [_object({key: {"anyOf": [array, media]}}) for key in {given["name"], called} - {None}]
    return {"anyOf": others}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _nested(shape: list[int | None], items: dict[str, Any]) -> dict[str, Any]:
    for size in reversed(shape):
        items = {"type": "array", "items": items}
        if size is not None:
            items |= {"minItems": size, "maxItems": size}
    return items


def _column(given: dict[str, Any]) -> dict[str, Any]:
    kind = given.get("kind", "number")
    types = {"number": ["number"], "word": ["string", "boolean", "number"], "text": ["string", "boolean", "number"]}
    found: dict[str, Any] = {"type": types.get(kind, ["string", "number"])}
    if given.get("may_be_missing"):
        found["type"] = [*found["type"], "null"]
    notes = [] if not given.get("unit") else [f"in {given['unit']}"]
    if kind == "number" and "min" in given:
        notes.append(f"{given['min']:g} to {given['max']:g} in the training data")
    if kind == "time":
        notes.append(f"a date, {given.get('from')} to {given.get('to')} in the training data, or seconds since 1970")
    if given.get("words"):
        found["examples"] = given["words"][:20]
    if notes:
        found["description"] = "; ".join(notes)
    return found


def prediction_schema(target: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of one prediction; see `naming.named`."""
    number: dict[str, Any] = {"type": ["number", "null"]}
    if target["kind"] == "class":
        shares = _object(dict.fromkeys(target["classes"], number))
        return _object({target["name"]: {"enum": [*target["classes"], None]}, "probabilities": shares})
    if target["kind"] == "labels":
        shares = _object({label["name"]: number for label in target["labels"]})
        word: dict[str, Any] = {"type": ["string", "null"]}
        names = [target["name"]] if target["separator"] is not None else [label["column"] for label in target["labels"]]
        return _object({**dict.fromkeys(names, word), "probabilities": shares})
    if target["kind"] == "number":
        units = dict(zip(target["values"], target["units"], strict=True))
        return _object({name: number | ({"description": f"in {unit}"} if unit else {}) for name, unit in units.items()})
    return _object({"values": {"type": ["array", "number", "null"]}})
