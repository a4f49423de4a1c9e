"""JSON Schema (draft 7) of the language, for editors: completion, explanations and checks while one types.

It says what each key may hold. What goes by several keys at once, by shapes or by the data is left to `validate`. Where
a spec has `blocks`, or `extends` another one, any name passes for a block, and what it extends may hold required keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from dlspec.data.section import DataSpec, UnlabeledSpec
from dlspec.language.fields import SpecModel
from dlspec.language.registry import Kind
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.layers import LAYERS
from dlspec.model.layers.base import Group
from dlspec.pretraining import PRETRAINING, PretrainingMethod
from dlspec.spec.spec import VERSION, Spec
from dlspec.training.optimizers.base import CLIPS
from dlspec.training.section import GradientClipping
from dlspec.views.reference.catalogue import Argument, Category, Entry, categories, describe, plain
from dlspec.views.reference.field_forms import PREFIX, Form, any_of, form_of, mentioned, ref, registry_name
from dlspec.views.reference.type_words import range_words, type_words

REFERENCE: Form = {"type": "string", "pattern": r"\$"}
"""A variable, `$name`, or arithmetic, `$(width * 2)`."""

ONE_KEY: Form = {"type": "object", "minProperties": 1, "maxProperties": 1}

EXACTLY_ONE: Mapping[type[SpecModel], Iterable[str]] = {
    DataSpec: DataSpec.sources,
    UnlabeledSpec: UnlabeledSpec.sources,
    GradientClipping: tuple(CLIPS),
}
"""Classes of keys of which one key, and no other of these, must be there."""

LAYER, ITEM, ACTIVATION, ARGUMENT = "layer", "layer_or_block", "activation", "argument."

FORMS_OF_KEYS: Mapping[tuple[type[SpecModel], str], Form] = {
    (Spec, "dlspec"): {"const": VERSION, "errorMessage": f"the version of the language is {VERSION}"},
    (DataSpec, "labels"): {"type": ["number", "null"], "exclusiveMinimum": 0},
}
"""Keys whose check says more than their type."""


def make_schema() -> dict[str, Any]:
    """The schema as plain values."""
    return _Schema().root()


def write_schema() -> str:
    """The schema as JSON text."""
    return json.dumps(make_schema(), ensure_ascii=False, indent=1) + "\n"


class _Schema:
    def __init__(self) -> None:
        self.definitions: dict[str, Form] = {}
        self.models: dict[str, type[SpecModel]] = {}
        for category in categories():
            self._define(category)
        self._share_arguments()
        self._allow_blocks()

    # --- the top level

    def root(self) -> dict[str, Any]:
        sections = self._properties(Spec)
        required = [name for name, field in Spec.keys().items() if field.is_required()]
        ours = _composition_keys()
        for name, field in Spec.keys().items():
            if isinstance(field.get_default(), SpecModel):  # a section may stand without anything behind it
                sections[name] = any_of([sections[name], {"type": "null"}])
        model = sections.pop("model")
        with_blocks = _rename(model, LAYER, ITEM)
        partial = {name: self._without_required(form) for name, form in sections.items()}
        partial["model"] = self._without_required(with_blocks)
        extends, blocks = {"required": ["extends"]}, {"required": ["blocks"]}
        strict = {"if": blocks, "then": _keys(model=with_blocks), "else": _keys(model=model)}
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "description": f"A spec of dlspec, version {VERSION}: which data, which layers, how they are trained.",
            "type": "object",
            "properties": {**{name: {} for name, _ in Spec.keys().items()}, **ours},
            "additionalProperties": False,
            "if": extends,
            "then": {"properties": partial},
            "else": {"properties": sections, "required": required, "allOf": [strict]},
            "definitions": self.definitions,
        }

    # --- keys

    def _properties(self, model: type[SpecModel]) -> dict[str, Form]:
        """What may be written for each key of a class."""
        self._note_models(model)
        properties = {}
        for name, field in model.keys().items():
            form = FORMS_OF_KEYS.get((model, name)) or form_of(field)
            description = describe(model.__name__, name, field)
            default = None if field.is_required() else plain(field.get_default())
            properties[name] = self._property(form, description, default)
        return properties

    def _note_models(self, model: type[SpecModel]) -> None:
        """Remembers the classes of keys that its fields hold, which forms refer to by name."""
        for field in model.keys().values():
            for part in mentioned(field.annotation, field.metadata):
                if isinstance(part, type):
                    self.models[part.__name__] = part

    def _property(self, form: Form, description: str, default: Any) -> Form:
        """A form as the value of a key: explained, with its default, and with names of variables in it."""
        shown = self._refer(self._inline(form))
        default = None if isinstance(default, dict) else default
        # editors merge what stands beside a `$ref` with it; a validator goes by the `$ref` alone
        shown = {**_describe(_about(form, description, default)), **_say(shown, _wanted(form))}
        return shown if default is None else {**shown, "default": default}

    def _inline(self, form: Form) -> Form:
        """The form with classes of keys in place of references to them."""
        name = str(form.get("$ref", "")).removeprefix(PREFIX)
        if name in self.models:
            return self._model(self.models[name])
        if form.get("title") == ACTIVATION:
            return ref(ACTIVATION)
        if "anyOf" in form:
            return any_of(self._inline(option) for option in form["anyOf"])
        return {
            key: self._inline(value) if key in ("items", "additionalProperties") and isinstance(value, dict) else value
            for key, value in form.items()
        }

    def _model(self, model: type[SpecModel]) -> Form:
        form: Form = {"type": "object", "properties": self._properties(model), "additionalProperties": False}
        required = [name for name, field in model.keys().items() if field.is_required() or name in model.needed]
        if required:
            form["required"] = required
        if model in EXACTLY_ONE:
            names = list(EXACTLY_ONE[model])
            form["anyOf"] = [{"required": [name]} for name in names]
            form["dependencies"] = {name: _keys(**{other: False for other in names if other != name}) for name in names}
        return form

    def _refer(self, form: Form) -> Form:
        """The form, with names of variables wherever a value may stand."""
        if "$ref" in form:
            return form  # its definition has them
        form = {
            key: self._refer(value) if key in ("items", "additionalProperties") and isinstance(value, dict) else value
            for key, value in form.items()
        }
        if "const" in form or form == {}:
            return form
        if any("$ref" in option for option in form.get("anyOf", ())):
            return {**form, "anyOf": [self._refer_inside(option) for option in form["anyOf"]]}
        if "string" in _types(form):
            return {**form, "pattern": rf"({form['pattern']})|\$"} if "pattern" in form else form
        return any_of([form, REFERENCE])

    def _refer_inside(self, form: Form) -> Form:
        """An option of a form, one of which takes names of variables already."""
        return {key: self._refer(value) if key == "items" else value for key, value in form.items()}

    # --- what registries hold

    def _define(self, category: Category) -> None:
        """The definition of one sort of thing, and of each that there is."""
        name = registry_name(category.registry) if category.registry is not None else category.noun
        if category.registry is PRETRAINING:
            self.definitions[name] = self._pretraining(category.entries())
            return
        entries = category.entries()
        if category.registry is None:
            self.definitions[name] = {"anyOf": [_words(entries), REFERENCE]}
            return
        for entry in entries:
            self.definitions[f"{name}.{entry.name}"] = self._kind(entry)
        bare = [entry for entry in entries if not any(argument.required for argument in entry.arguments)]
        self.definitions[name] = {
            "type": ["object", "string"],
            "properties": {entry.name: ref(f"{name}.{entry.name}") for entry in entries},
            "additionalProperties": False,
            "anyOf": [*([_words(bare)] if bare else []), any_of([ONE_KEY, REFERENCE])],
        }

    def _kind(self, entry: Entry) -> Form:
        """What may stand behind a name: its arguments, one value in short, or nothing."""
        if entry.kind is not None:
            self._note_models(entry.kind)
        keys = {
            "type": "object",
            "properties": {each.name: self._argument(each) for each in entry.arguments},
            "additionalProperties": False,
        }
        required = [each.name for each in entry.arguments if each.required]
        if required:
            keys["required"] = required
        options = [keys, *self._short_forms(entry), *self._named_above(entry, keys["properties"])]
        if not required:
            options.append({"type": "null"})
        short = [_wanted(each.form) for each in entry.arguments if each.primary]
        form = _say(self._refer(any_of(options)), " or ".join(["its arguments", *short]))
        return {**_describe(_explained(entry)), **form}

    def _named_above(self, entry: Entry, properties: Any) -> list[Form]:
        """`{NAME: {…}}` of a kind that may have one of its arguments as a key, with the others below it."""
        above = entry.kind.names_above() if entry.kind is not None else None
        if above is None:
            return []
        key, names = above
        others = {name: form for name, form in properties.items() if name != key}
        title = f"{entry.name}.below"
        keys = {"type": "object", "properties": others, "additionalProperties": False}
        what = f"A network for `{entry.name}`, with arguments or alone."
        self.definitions[title] = {**_describe(what), **any_of([keys, {"type": "null"}])}
        named = {name: ref(title) for name in names}
        return [{"type": "object", "properties": named, "additionalProperties": False, "minProperties": 1,
                 "maxProperties": 1}]  # fmt: skip

    def _short_forms(self, entry: Entry) -> list[Form]:
        primary = next((each for each in entry.arguments if each.primary), None)
        if primary is None or entry.kind is None:
            return []
        form = self._inline(primary.form)
        if "$ref" in form and form != ref(ACTIVATION) and not _takes_the_name_inside(entry.kind, form):
            return []
        return form["anyOf"] if list(form) == ["anyOf"] else [form]

    def _argument(self, argument: Argument) -> Form:
        return self._property(argument.form, argument.description, argument.default)

    def _share_arguments(self) -> None:
        """Puts arguments that mean the same in several places into definitions of their own."""
        places: dict[str, list[tuple[Form, str]]] = {}
        for definition in self.definitions.values():
            for keys in (definition, *definition.get("anyOf", ())):
                for name, form in keys.get("properties", {}).items():
                    text = json.dumps([name, form])
                    if len(text) > 200 and ref(LAYER) != form.get("items"):
                        places.setdefault(text, []).append((keys["properties"], name))
        for found in places.values():
            (properties, name), *others = found
            if others:
                title = next(title for title in _numbered(f"{ARGUMENT}{name}") if title not in self.definitions)
                self.definitions[title] = properties[name]
                for properties, name in found:
                    properties[name] = ref(title)

    def _pretraining(self, methods: list[Entry]) -> Form:
        """The section `pretrain`: `method` says which other keys there are."""
        every: dict[str, Form] = {}
        for method in methods:
            if method.kind is not None:
                self._note_models(method.kind)
            for argument in method.arguments:
                every.setdefault(argument.name, self._argument(argument))
        of_layer = {name: form for name, form in every.items() if name not in PretrainingMethod.of_whole}
        settings = {"type": "object", "minProperties": 1, "properties": of_layer, "additionalProperties": False}
        every["per_layer"] = {**every["per_layer"], "additionalProperties": settings}
        rules: list[Form] = [{"anyOf": [{"required": ["method"]}, {"required": ["from"]}]}]
        for method in methods:
            others = [name for name in every if all(argument.name != name for argument in method.arguments)]
            if others:
                named = {"properties": {"method": {"const": method.name}}, "required": ["method"]}
                rules.append({"if": named, "then": {"properties": dict.fromkeys(others, False)}})
        form = {
            "type": "object",
            "properties": {"method": {"description": "How layers are pretrained.", **_words(methods)}, **every},
            "additionalProperties": False,
        }
        return {**form, "allOf": rules}

    # --- blocks, and specs that extend others

    def _allow_blocks(self) -> None:
        """The definition of an item of the model that may also be a block, whose name is the spec's own."""
        layer = self.definitions[LAYER]
        item = {**layer, "properties": dict(layer["properties"]), "additionalProperties": {}}
        for name in LAYERS:
            if issubclass(LAYERS[name], Group):
                changed = f"{ITEM}.{name}"
                self.definitions[changed] = _rename(self.definitions[f"{LAYER}.{name}"], LAYER, ITEM)
                item["properties"][name] = ref(changed)
        item["anyOf"] = [layer["anyOf"][0], any_of([ONE_KEY, {"type": "string"}])]
        self.definitions[ITEM] = item

    def _without_required(self, form: Form) -> Form:
        """The form for a spec that extends another: what is missing may stand there. Lists are replaced as a whole."""
        changed: Form = {}
        for key, value in form.items():
            if key == "$ref" and value.startswith(PREFIX + ARGUMENT):
                changed[key] = value
            elif key == "$ref":
                changed[key] = PREFIX + self._partial(value.removeprefix(PREFIX))
            elif key == "properties":
                changed[key] = {name: self._without_required(each) for name, each in value.items() if each is not False}
            elif key in ("anyOf", "allOf"):
                changed[key] = [option if "if" in option else self._without_required(option) for option in value]
            elif key != "required":
                changed[key] = value
        return changed

    def _partial(self, name: str) -> str:
        partial = f"{name}.partial"
        if partial not in self.definitions:
            self.definitions[partial] = {}  # stops where one leads back to itself
            self.definitions[partial] = self._without_required(self.definitions[name])
        if self.definitions[partial] == self.definitions[name]:
            del self.definitions[partial]
            return name
        return partial


def _takes_the_name_inside(kind: type[Kind], inside: Form) -> bool:
    """Whether `{lstm: 64}` may stand for `{layer: {lstm: 64}}`."""
    named = next(each for each in categories() if each.registry and ref(registry_name(each.registry)) == inside)
    return kind.unfold({named.entries()[0].name: {}})[1] is not None


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}.{number}" for number in count(2))


def _keys(**properties: Form | bool) -> Form:
    return {"properties": properties}


def _rename(form: Any, old: str, new: str) -> Any:
    """The form with lists of `old` become lists of `new`."""
    if isinstance(form, list):
        return [_rename(each, old, new) for each in form]
    if not isinstance(form, dict):
        return form
    return {
        key: ref(new) if key == "items" and value == ref(old) else _rename(value, old, new)
        for key, value in form.items()
    }


def _composition_keys() -> dict[str, Form]:
    """The keys that make a spec out of others, and of parts with names."""
    items = {"type": "array", "items": ref(ITEM), "minItems": 1}
    block = {
        "type": ["array", "object"],
        "items": ref(ITEM),
        "minItems": 1,
        "properties": {
            "parameters": {
                "description": "Names and defaults; nothing behind a name means that it must be given.",
                "type": ["object", "null"],
            },
            "layers": {"description": "The layers; `$name` stands for a parameter.", **items},
        },
        "required": ["layers"],
        "additionalProperties": False,
    }
    return {
        "extends": {
            "description": "The spec, or the list of specs, that this one changes.",
            "type": ["string", "array", "null"],
            "items": {"type": "string"},
        },
        "variables": {
            "description": "Names for values, used as `$name`, or in arithmetic as `$(name * 2)`.",
            "type": ["object", "null"],
            "propertyNames": {"pattern": r"^[A-Za-z_]\w*$"},
        },
        "blocks": {
            "description": "Lists of layers with parameters, used in the model by their names.",
            "type": ["object", "null"],
            "propertyNames": {"not": {"enum": list(LAYERS)}},
            "additionalProperties": block,
        },
    }


def _explained(entry: Entry) -> str:
    """What an editor shows of a kind, as Markdown."""
    shapes = "  \n".join(f"{name}: {shape}" for name, shape in entry.shapes.items())
    example = f"```yaml\n{entry.as_yaml(entry.examples[0])}\n```" if entry.examples else ""
    return "\n\n".join(part for part in (entry.summary, *entry.details, shapes, example) if part)


def _words(entries: Sequence[Entry]) -> Form:
    """One of these names."""
    names = [entry.name for entry in entries]
    form: Form = {"type": "string", "enum": names, "markdownEnumDescriptions": [entry.summary for entry in entries]}
    return {**form, "errorMessage": f"needed: name of {_a(entries[0].category)}"} if len(names) > 8 else form


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _wanted(form: Form) -> str:
    """In words, what a form takes."""
    return ", ".join(part for part in (type_words(form).replace("`", ""), range_words(form)) if part)


def _say(form: Form, wanted: str) -> Form:
    """The form with what editors say of a value that is none. Of keys they know better what to say."""
    said = {}
    if "type" in form and "object" not in _types(form) and "anyOf" not in form:
        said["errorMessage"] = f"needed: {wanted}"
    if form.get("pattern") == REFERENCE["pattern"]:
        said["patternErrorMessage"] = f"needed: {wanted}"
    return {**said, **form}


def _about(form: Form, description: str, default: Any) -> str:
    """What an editor shows of a key: what it means, what it takes, what it is when it is left out."""
    wanted = _wanted(form)
    wanted = "" if "enum" in form or wanted == "mapping" else wanted
    parts = [description, wanted, "" if default is None else f"Default: {to_inline_yaml(default)}"]
    return "  \n".join(f"{_capital(part)}." for part in parts if part)


def _describe(text: str) -> Form:
    """As plain text, and as Markdown where that shows it better."""
    if not text:
        return {}
    plain_text = text.partition("\n\n")[0].replace("`", "").replace("  \n", " ")
    return {"description": plain_text, "markdownDescription": text} if plain_text != text else {"description": text}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _types(form: Form) -> list[str]:
    kinds = form.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)
