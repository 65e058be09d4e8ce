"""Images: built when something changed, never in a preview; what goes wrong in a build is shown."""

import pytest

from tests.offline_docker.conftest import PREFIX
from tools.offline import docker_engine as engine
from tools.offline import docker_image

pytestmark = [pytest.mark.docker, pytest.mark.engine]

NAME = f"{PREFIX}/built:1"


def program(image, name=NAME, skip_push=True, args=""):
    return f"""
import pulumi, pulumi_docker as docker
built = docker.Image("{PREFIX}-image", image_name="{name}", skip_push={skip_push}, build=docker.DockerBuildArgs(context="context", args={{
    "BASE_IMAGE": "{image}", {args}}}))
pulumi.export("digest", built.repo_digest)
pulumi.export("name", built.image_name)
pulumi.export("base", built.base_image_name)
pulumi.export("dockerfile", built.dockerfile)
"""


@pytest.fixture
def context(tmp_path):
    """The build context of the first project of a test."""
    folder = tmp_path / "project0" / "context"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY note /note\nRUN cat /note\n")
    (folder / "note").write_text("one\n")
    (folder / ".dockerignore").write_text("*.tmp\n")
    return folder


@pytest.fixture
def no_image(client):
    yield
    for built in client.images.list(f"{PREFIX}/built"):
        client.images.remove(built.id, force=True)


def test_an_image_is_built_again_when_its_files_change(pulumi_project, client, image, context, no_image):
    project = pulumi_project(program(image))
    project.preview()
    assert not client.images.list(NAME), "a preview built the image"
    project.up()
    first = project.outputs()
    assert first == {"digest": client.images.get(NAME).id, "name": NAME, "base": NAME, "dockerfile": "Dockerfile"}
    (context / "scratch.tmp").write_text("not in the image")
    assert project.up().changes == {}

    (context / "note").write_text("two\n")
    assert project.preview().changes == {"update": 1}
    assert project.up().changes == {"update": 1}
    assert project.outputs()["digest"] == client.images.get(NAME).id != first["digest"]
    assert client.containers.run(NAME, ["cat", "/note"], remove=True) == b"two\n"

    client.images.remove(NAME, force=True)
    assert project.refresh().changes == {"delete": 1} and project.up().changes == {"create": 1}
    project.destroy()
    assert client.images.list(NAME), "the real provider leaves a destroyed resource's image, so does this one"


def test_a_dockerfile_with_an_ignore_file_of_its_own(pulumi_project, client, image, context, no_image):
    """As BuildKit and the real provider: that file decides what of the context is sent and counts, not the context's own."""
    (context / "service").mkdir()
    (context / "kit").mkdir()
    (context / "kit" / "code").write_text("kit\n")
    (context / "service" / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY . /seen\nRUN cat /seen/kit/code\n")
    (context / "service" / "Dockerfile.dockerignore").write_text("*\n!kit\n")
    own = program(image).replace('context="context",', 'context="context", dockerfile="context/service/Dockerfile",')
    project = pulumi_project(own)
    project.up()
    # The Dockerfile is always sent.
    assert client.containers.run(NAME, ["ls", "/seen"], remove=True).split() == [b"kit", b"service"]
    (context / "note").write_text("not sent\n")
    assert project.up().changes == {}
    (context / "kit" / "code").write_text("other\n")
    assert project.up().changes == {"update": 1}
    project.destroy()


def test_a_failing_build_ends_with_its_last_lines(pulumi_project, client, image, context, no_image):
    (context / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nARG TOKEN\nRUN echo no TA-Lib for $TOKEN here; exit 7\n")
    project = pulumi_project(program(image, args='"TOKEN": pulumi.Output.secret("hunter22"),'))
    result = project.up(fails=True)
    assert f"the build of {NAME} failed" in result.error and "no TA-Lib for [secret] here" in result.error
    assert "hunter22" not in result.error

    (context / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN cat /bin/cat > /dev/full\n")
    assert "the disk that Docker keeps its data on is full" in project.up(fails=True).error
    assert not client.images.list(NAME)


class Interfered:
    """The engine while another stack's `make down` removes layers: the first builds end in the engine's own words for that (20.10)."""

    def __init__(self, api, times, error):
        self._api, self.left, self._error = api, times, error

    def build(self, **options):
        if self.left:
            self.left -= 1
            return iter([{"stream": "Step 1/3 : ARG BASE_IMAGE"}, {"error": self._error}])
        return self._api.build(**options)

    def __getattr__(self, name):
        return getattr(self._api, name)


REMOVED = (
    "failed to get digest sha256:17dc54c5: open /var/lib/docker/image/overlay2/imagedb/content/sha256/17dc54c5: no such file or directory"
)


@pytest.mark.parametrize("error", [REMOVED, "No such image: sha256:17dc54c5"])
def test_a_layer_that_another_stack_removes_meanwhile_is_built_again(client, image, context, no_image, error):
    inputs = {"imageName": NAME, "skipPush": True, "build": {"context": str(context), "args": {"BASE_IMAGE": image}}}
    said = []
    docker_image.create(inputs, Interfered(client.api, docker_image.TRIES - 1, error), said.append)
    assert client.images.get(NAME) and sum("building again" in line for line in said) == docker_image.TRIES - 1
    with pytest.raises(engine.Problem, match="sha256:17dc54c5"):
        docker_image.create(inputs, Interfered(client.api, docker_image.TRIES, error), said.append)


def test_a_build_that_fails_for_another_reason_is_not_tried_again(client, image, context, no_image):
    inputs = {"imageName": NAME, "skipPush": True, "build": {"context": str(context), "args": {"BASE_IMAGE": image}}}
    interfered = Interfered(client.api, 2, "pull access denied for nothing, repository does not exist")
    with pytest.raises(engine.Problem, match="pull access denied"):
        docker_image.create(inputs, interfered, lambda line: None)
    assert interfered.left == 1


def test_a_synthetic_image_is_neither_built_nor_pushed(pulumi_project, client, context):
    name = "registry.invalid/built:1"
    project = pulumi_project(
        program("base:1", name=name, skip_push=False),
        environment={"TRADESTACK_OFFLINE_SYNTHETIC": "1", "DOCKER_HOST": "unix:///nowhere/docker.sock"},
    )
    project.up()
    digest = project.outputs()["digest"]
    assert digest.startswith("registry.invalid/built@sha256:") and len(digest) == len("registry.invalid/built@sha256:") + 64
    assert project.up().changes == {} and project.refresh().changes == {}
    (context / "note").write_text("two\n")
    project.up()
    assert project.outputs()["digest"] != digest


def test_credentials_that_expire_are_no_change_and_never_plain(pulumi_project, context):
    registry = ', registry=docker.RegistryArgs(server="registry.invalid", username="AWS", password="%s")'
    text = program("base:1", name="registry.invalid/built:1", skip_push=False)
    project = pulumi_project(
        text.replace(", build=", registry % "token-one" + ", build="), environment={"TRADESTACK_OFFLINE_SYNTHETIC": "1"}
    )
    project.up()
    assert "token-one" not in str(project.state())
    project.program(text.replace(", build=", registry % "token-two" + ", build="))
    assert project.preview().changes == {}


def test_a_push_that_fails_names_the_registry(pulumi_project, image, context, no_image, client):
    name = f"localhost:1/{PREFIX}/built:1"
    project = pulumi_project(program(image, name=name, skip_push=False))
    try:
        assert f"the push of {name} to localhost:1 failed" in project.up(fails=True).error
    finally:
        client.images.remove(name, force=True)
