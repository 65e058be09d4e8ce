"""An image's tag comes from its content: same content, same tag; anything that reaches the image, another tag."""

from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from components.hosts.images import content_files, content_tag
from components.image_folders import base_image, shared_folders

IMAGES = Path(__file__).parents[2] / "images"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE=a:1\nFROM ${BASE_IMAGE}\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "bot.py").write_text("print(1)\n")
    return tmp_path


def tag(context: Path, arguments: dict[str, str] | None = None, platform: str | None = None) -> str:
    return content_tag(str(context), arguments or {}, platform)


def test_same_content_same_tag_wherever_it_lies(context: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    for path in context.rglob("*"):
        if path.is_file():
            (other / path.relative_to(context)).parent.mkdir(parents=True, exist_ok=True)
            (other / path.relative_to(context)).write_bytes(path.read_bytes())
    assert tag(context) == tag(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: (c / "code" / "bot.py").write_text("print(2)\n"),
        lambda c: (c / "code" / "bot.py").rename(c / "code" / "bot2.py"),
        lambda c: (c / "code" / "new.py").write_text(""),
        lambda c: (c / "code" / "bot.py").chmod(0o755),
        lambda c: (c / "Dockerfile").write_text("ARG BASE_IMAGE=a:2\nFROM ${BASE_IMAGE}\n"),
    ],
)
def test_any_change_changes_the_tag(context: Path, change: object) -> None:
    before = tag(context)
    change(context)
    assert tag(context) != before


def test_arguments_and_platform_count(context: Path) -> None:
    assert len({tag(context), tag(context, {"A": "1"}), tag(context, {"A": "2"}), tag(context, platform="linux/arm64")}) == 4


def test_what_never_reaches_the_image_does_not_count(context: Path) -> None:
    before = tag(context)
    (context / "tests").mkdir()
    (context / "tests" / "test_bot.py").write_text("")
    (context / "code" / "__pycache__").mkdir()
    (context / "code" / "__pycache__" / "bot.pyc").write_text("")
    assert tag(context) == before


def test_folder_without_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no Dockerfile"):
        tag(tmp_path)


def test_base_image_is_read_from_the_dockerfile(context: Path) -> None:
    assert base_image(str(context)) == "a:1"
    (context / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ValueError, match="ARG BASE_IMAGE"):
        base_image(str(context))


def test_shared_folders_are_read_from_the_ignore_file_and_count(context: Path) -> None:
    image, beside = context / "service", context / "kit"
    for folder in (image, beside):
        folder.mkdir()
    (image / "Dockerfile").write_text("ARG BASE_IMAGE=a:1\nFROM ${BASE_IMAGE}\nCOPY kit ./kit\n")
    assert shared_folders(str(image)) == ()
    (image / "Dockerfile.dockerignore").write_text("*\n!service\n!kit\n**/tests\n")
    assert shared_folders(str(image)) == ("kit",)
    (beside / "kit.py").write_text("1\n")
    before = content_tag(str(image), {}, None, ("kit",))
    (beside / "kit.py").write_text("2\n")
    assert content_tag(str(image), {}, None, ("kit",)) != before
    with pytest.raises(FileNotFoundError, match="shares 'gone': no such folder"):
        content_tag(str(image), {}, None, ("gone",))


@pytest.mark.parametrize("folder", sorted(path.parent for path in IMAGES.glob("*/Dockerfile")), ids=lambda folder: folder.name)
def test_everything_that_docker_is_sent_counts(folder: Path) -> None:
    """Otherwise a changed file would be in the image without changing its tag, and the old image would go on running."""
    shared = shared_folders(str(folder))
    root, ignore = (IMAGES, folder / "Dockerfile.dockerignore") if shared else (folder, folder / ".dockerignore")
    patterns = [line for line in ignore.read_text().splitlines() if line and not line.startswith("#")]
    sent = {root / name for name in exclude_paths(str(root), patterns) if (root / name).is_file()}
    counted = {part / name for part in (folder, *(IMAGES / name for name in shared)) for name in content_files(part)}
    assert sent - counted <= {folder / ".dockerignore", folder / "Dockerfile.dockerignore"}
