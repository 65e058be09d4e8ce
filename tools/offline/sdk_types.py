"""What a Pulumi SDK knows about a resource type: the names, types and required flags of its properties, read from the SDK's own source.

A provider's schema comes with its plugin; where the plugin can't be downloaded, the generated Python SDK is the only truth at hand. The
source is parsed instead of imported: one class of a few hundred lines takes milliseconds, importing `pulumi_aws.ec2` takes a second.
"""

import ast
import gc
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Optional

from tools.offline.names import did_you_mean, snake

PRIMITIVES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


class UnknownType(LookupError):
    """The SDK has no such resource type or function."""


@dataclass(frozen=True)
class Type:
    """A property's type.

    `kind` is string, integer, number, boolean, list, map (string keys), object, enum, union, asset, resource or any.
    """

    kind: str
    item: Optional["Type"] = None
    """Element type of a list or map."""
    options: tuple["Type", ...] = ()
    """Alternatives of a union."""
    choices: tuple[object, ...] = ()
    """Values of an enum."""
    home: Optional["Module"] = field(default=None, repr=False)
    class_name: str = ""

    @cached_property
    def properties(self) -> Mapping[str, "Property"]:
        """Properties of an object by their camelCase name; looked up late, because object types may contain themselves."""
        assert self.home is not None, f"a {self.kind} has no properties"
        return _properties(self.home, self.class_name)

    def __str__(self) -> str:
        if self.kind in ("list", "map"):
            return f"{self.kind} of {self.item}"
        if self.kind == "union":
            return " or ".join(map(str, self.options))
        return (
            "one of " + ", ".join(map(repr, self.choices[:12])) + (", …" if len(self.choices) > 12 else "")
            if self.kind == "enum"
            else self.kind
        )


@dataclass(frozen=True)
class Property:
    name: str
    """camelCase, as on the wire."""
    type: Type
    required: bool
    optional: bool = False
    """The annotation says Optional; for an output: absent unless given, where others are computed by the provider."""
    doc: str = field(default="", repr=False)


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs of a resource type or function, by camelCase name."""

    token: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Property]


@dataclass(frozen=True)
class Module:
    """One folder of an SDK, e.g. pulumi_aws/ecs."""

    folder: Path
    file: str = ""
    """File in which a class is looked for first."""

    def find_class(self, name: str) -> ast.ClassDef | None:
        for file in (self.file, "_inputs.py", "_enums.py", "outputs.py"):
            text = _text(self.folder / file) if file else ""
            start = max(text.find(f"\nclass {name}:"), text.find(f"\nclass {name}("))
            if start >= 0:
                # Top-level statements start in column 0, everything inside the class is indented.
                end = re.compile(r"\n(?=[@\w])").search(text, start + 1)
                return _statement(text[start + 1 : end.start() if end else None])  # type: ignore[return-value]
        return None


def _statement(text: str) -> ast.stmt:
    """The first statement of a text. Without the garbage collector: when it runs others' finalizers in the middle, and one of them parses too,
    CPython before 3.13 loses count of its depth and fails with "AST constructor recursion depth mismatch" (python/cpython issue 106905)."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text).body[0]
    finally:
        if collecting:
            gc.enable()


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@cache
def _root(package: str) -> Path:
    """Folder of an SDK, found without importing it. Raises ModuleNotFoundError."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed: pip install {package.replace('_', '-')}")
    return Path(spec.origin).parent


@cache
def resource_tokens(package: str) -> Mapping[str, tuple[str, str]]:
    """Every resource token of an SDK -> (folder below the SDK, class name), from the registry in its `__init__.py`."""
    found = re.search(r'resource_modules="""(.*?)"""', _text(_root(package) / "__init__.py"), re.DOTALL)
    modules = json.loads(found.group(1)) if found else []
    return {
        token: (module["fqn"].removeprefix(package).strip(".").replace(".", "/"), name)
        for module in modules
        for token, name in module["classes"].items()
    }


@cache
def resource(package: str, token: str) -> Signature:
    """Signature of a resource type, e.g. `resource("pulumi_aws", "aws:ecs/service:Service")`. Raises UnknownType."""
    tokens = resource_tokens(package)
    if token not in tokens:
        raise UnknownType(f"{package} has no resource type {token!r}{did_you_mean(token, tokens)}")
    below, class_name = tokens[token]
    folder = _root(package) / below
    module = Module(folder, _file_with(folder, class_name, f"'{token}'"))
    # Where another resource's property has a type of this name, the generator calls the resource's own arguments InitArgs.
    own = f"{class_name}InitArgs"
    arguments = own if f"\nclass {own}:" in _text(folder / module.file) else f"{class_name}Args"
    return Signature(token, _properties(module, arguments), _properties(module, class_name))


@cache
def function(package: str, token: str) -> Signature:
    """Signature of a function (invoke), e.g. `function("pulumi_aws", "aws:iam/getPolicyDocument:getPolicyDocument")`. Raises UnknownType."""
    _, path, name = token.split(":")
    folder = _root(package) / path.rpartition("/")[0].removeprefix("index")
    file = _file_with(folder, name, f"'{token}'") if folder.is_dir() else ""
    if not file:
        raise UnknownType(f"{package} has no function {token!r}")
    text = _text(folder / file)
    module = Module(folder, file)
    # The function sends every argument as __args__['camelCase'] = snake_case: that is where both names are.
    start = text.index(f"\ndef {snake(name)}(")
    definition = _statement(text[start + 1 : text.index(f"'{token}'", start)].rpartition("\n")[0])
    assert isinstance(definition, ast.FunctionDef)
    names = {
        node.value.id: node.targets[0].slice.value
        for node in definition.body  # type: ignore[attr-defined]
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript) and isinstance(node.value, ast.Name)
    }
    required = len(definition.args.args) - len(definition.args.defaults)
    inputs = {
        names[arg.arg]: Property(names[arg.arg], parse_type(arg.annotation, module), index < required)
        for index, arg in enumerate(definition.args.args)
        if arg.arg in names
    }
    return Signature(token, inputs, _properties(module, name[0].upper() + name[1:] + "Result"))


@cache
def provider(package: str) -> Mapping[str, Property]:
    """The provider's own configuration, e.g. region."""
    return _properties(Module(_root(package), "provider.py"), "ProviderArgs")


def _file_with(folder: Path, name: str, marker: str) -> str:
    guess = f"{snake(name)}.py"
    if marker in _text(folder / guess):
        return guess
    return next((path.name for path in sorted(folder.glob("[a-z]*.py")) if marker in _text(path)), "")


@cache
def _properties(module: Module, class_name: str) -> Mapping[str, Property]:
    node = module.find_class(class_name)
    required: set[str] = set()
    found = {}
    for item in node.body if node else ():
        if not isinstance(item, ast.FunctionDef):
            continue
        if item.name == "__init__":
            required = {arg.arg for arg, default in zip(item.args.kwonlyargs, item.args.kw_defaults) if default is None}
        getter = next((text for text in map(ast.unparse, item.decorator_list) if text.startswith("pulumi.getter")), None)
        if getter:
            renamed = re.search(r"name='(.*?)'", getter)
            name = renamed.group(1) if renamed else item.name
            optional = item.returns is not None and "Optional[" in ast.unparse(item.returns)[:25]
            found[name] = Property(name, parse_type(item.returns, module), item.name in required, optional, ast.get_docstring(item) or "")
    return found


def parse_type(node: ast.expr | None, module: Module) -> Type:
    """An annotation of the generated SDK (`pulumi.Input[Optional[Sequence['XArgs']]]`) as a Type."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _named(node.value, module)
    if isinstance(node, ast.Subscript):
        head = ast.unparse(node.value).rpartition(".")[2]
        if head in ("Input", "Output", "Optional", "InputType"):
            return parse_type(node.slice, module)
        if head == "Sequence":
            return Type("list", parse_type(node.slice, module))
        if head == "Mapping" and isinstance(node.slice, ast.Tuple):
            return Type("map", parse_type(node.slice.elts[1], module))
        if head == "Union" and isinstance(node.slice, ast.Tuple):
            # Beside each XArgs the SDK offers XArgsDict and outputs.X, the same properties written differently.
            nodes = [
                element
                for element in node.slice.elts
                if not (isinstance(element, ast.Constant) and re.search(r"Dict$|^outputs\.", str(element.value)))
            ]
            options = tuple(parse_type(element, module) for element in nodes)
            return options[0] if len(options) == 1 else Type("union", options=options)
    name = ast.unparse(node).rpartition(".")[2] if node is not None else ""
    if name in ("Asset", "Archive", "AssetOrArchive"):
        return Type("asset")
    return Type(PRIMITIVES.get(name, "any"))


@cache
def _named(name: str, module: Module) -> Type:
    scope, _, class_name = name.rpartition(".")
    home = module
    if scope.startswith("pulumi_"):
        package, _, below = scope.partition(".")
        home = Module(_root(package) / below.replace(".", "/"))
    elif scope in ("_root_inputs", "_root_enums"):
        home = Module(module.folder.parent)
    elif scope.startswith("_"):
        home = Module(module.folder.parent / scope[1:])
    node = home.find_class(class_name)
    if node is None:
        # Neither an Args class nor an enum: a resource of another package.
        return Type("resource" if scope else "any")
    if any(ast.unparse(base) == "Enum" for base in node.bases):
        values = tuple(item.value.value for item in node.body if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant))
        return Type("enum", choices=values)
    if any("Resource" in ast.unparse(base) for base in node.bases):
        return Type("resource")
    return Type("object", home=home, class_name=class_name)
