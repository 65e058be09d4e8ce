"""Run as a plugin. Pulumi runs the folder (`python FOLDER ENGINE`), which makes it no package: it is loaded as `tradestack` first."""

import importlib.util
import sys
from pathlib import Path


def load_folder(folder: Path) -> None:
    """Make `folder` importable as the package `tradestack`, and its modules only as parts of it."""
    # Python put the folder itself on the path, where a module such as `task` would hide a package of that name.
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location("tradestack", folder / "__init__.py", submodule_search_locations=[str(folder)])
    package = importlib.util.module_from_spec(spec)
    sys.modules["tradestack"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    if __package__:
        from .plugin import run
    else:
        load_folder(Path(__file__).resolve().parent)
        from tradestack.plugin import run
    run()
