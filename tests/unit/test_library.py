"""The library's own rules: what it exports, that every argument is explained, and that it stands by itself."""

import ast
import importlib
import importlib.util
import sys
import tomllib
import typing
from pathlib import Path
from types import ModuleType

import pulumi
import pytest
import yaml
from packaging.requirements import Requirement

import components

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "components"
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if "venv" not in path.relative_to(LIBRARY).parts)
CLASSES = [getattr(components, name) for name in components.__all__ if isinstance(getattr(components, name), type)]
MAX_LINES = 250


def by_path(path: Path) -> str:
    return path.relative_to(LIBRARY).as_posix()


def undocumented(cls: type) -> list[str]:
    """Annotated names and enum members of a class without a docstring behind them."""
    module = ast.parse(Path(importlib.import_module(cls.__module__).__file__).read_text())
    (body,) = (node.body for node in module.body if isinstance(node, ast.ClassDef) and node.name == cls.__name__)
    names = []
    for node, following in zip(body, [*body[1:], None]):
        if isinstance(node, (ast.AnnAssign, ast.Assign)):
            explained = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant) and str(following.value.value).strip()
            if not explained:
                names.append(ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]))
    return names


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_class_explains_itself_and_its_keys(cls: type) -> None:
    assert cls.__doc__ and cls.__doc__.strip()
    assert undocumented(cls) == []


def test_every_component_has_its_arguments_beside_it() -> None:
    found = [cls for cls in CLASSES if issubclass(cls, pulumi.ComponentResource)]
    assert found
    for cls in found:
        args = getattr(components, f"{cls.__name__}Args")
        assert typing.is_typeddict(args)
        hints = cls.__init__.__annotations__
        assert hints["args"] is args and hints["opts"] == typing.Optional[pulumi.ResourceOptions]


def test_the_installed_name_exports_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tradestack = as_tradestack(monkeypatch)
    assert tradestack.__all__ == components.__all__ == sorted(components.__all__)
    for name in tradestack.__all__:
        module = getattr(tradestack, name).__module__
        assert module.startswith("tradestack."), f"{name} comes from {module}: import it relatively"


def as_tradestack(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """components/ imported as the package `tradestack`, as the wheel lays it out."""
    spec = importlib.util.spec_from_file_location("tradestack", LIBRARY / "__init__.py", submodule_search_locations=[str(LIBRARY)])
    package = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "tradestack", package)
    spec.loader.exec_module(package)
    for name in [name for name in sys.modules if name.startswith("tradestack.")]:
        monkeypatch.setitem(sys.modules, name, sys.modules.pop(name))
    return package


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_a_module_keeps_to_the_rules(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert (ast.get_docstring(tree) or "").strip(), "the first line says the module's idea"
    assert len(text.splitlines()) <= MAX_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            # The analyzer of Pulumi reads annotations as types, not as text.
            assert node.module != "__future__"
        imported = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
        imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not {name.split(".")[0] for name in imported} & {"components", "tools", "tests", "settings", "images"}, imported
    # Nothing here knows of the stand-ins for plugins that can't be downloaded.
    assert "offline" not in text.lower() and "tools/" not in text


def test_every_module_is_in_the_wheel() -> None:
    """setuptools takes what pyproject.toml names: a new sub-package has to be added there."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    expected = {".".join(["tradestack", *path.parent.relative_to(LIBRARY).parts]) for path in MODULES}
    assert expected == set(packages) - {"tradestack.images"}


def test_it_needs_what_the_checkout_pins() -> None:
    """Each requirement of the library allows the version that the checkout is tested with."""
    pinned = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line)
    lines = [line for line in (LIBRARY / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        needed = Requirement(line)
        assert needed.specifier.contains(pinned[needed.name].strip()), line
        assert any(one.operator == "<" for one in needed.specifier), f"{line}: bound it below the next major version"


def test_what_the_library_imports_is_what_it_asks_for() -> None:
    names = {line.split(">")[0].replace("-", "_") for line in (LIBRARY / "requirements.txt").read_text().splitlines() if ">" in line}
    imported = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
    assert imported - set(sys.stdlib_module_names) - {"tradestack"} == names


def test_the_plugin_is_a_python_plugin() -> None:
    assert yaml.safe_load((LIBRARY / "PulumiPlugin.yaml").read_text())["runtime"]["name"] == "python"
    assert (LIBRARY / "__main__.py").is_file() and (LIBRARY / "requirements.txt").is_file()


def test_type_checkers_may_read_its_types() -> None:
    assert (LIBRARY / "py.typed").is_file()
