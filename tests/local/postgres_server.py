"""A PostgreSQL server for tests: the official image, or one made from packages where no registry answers; reachable on its network only."""

import hashlib
import io
import json
import os
import secrets
import tarfile
import time
from typing import Any

import docker

from tests.local.waiting import DEADLINE
from tools.setup import base_images, reach
from tools.setup.progress import Step

OFFICIAL = "postgres:17"
PYTHON = "python:3.13-slim-bookworm"
USER, DATABASE = "bot", "trades"
# Starts as the official image does: makes the database on the first start, from the same variables.
ENTRYPOINT = """#!/bin/sh
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf %s "$POSTGRES_PASSWORD" > /tmp/password
    initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -j postgres
fi
exec postgres -c listen_addresses=*
"""
DOCKERFILE = """ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
ENV PGDATA=/var/lib/postgresql/data
COPY entrypoint /entrypoint
USER postgres
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "/entrypoint"]
"""


def image_for(official: str) -> str:
    """What set-up chose for an official image; the image itself when set-up chose nothing."""
    chosen = json.loads(base_images.RESULT.read_text()) if base_images.RESULT.is_file() else {}
    return chosen.get(official, official)


def image(engine: docker.DockerClient) -> str:
    """The official image when the engine has it or can pull it, else a stand-in, built once."""
    if base_images.has(engine, OFFICIAL):
        return OFFICIAL
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if reach.remembered(base_images.REGISTRY) is None and base_images.pull(Step(1, 1, "postgres"), host, OFFICIAL) is None:
        return OFFICIAL
    base = image_for(PYTHON)
    tag = "tradestack-test/postgres:" + hashlib.sha256((base + DOCKERFILE + ENTRYPOINT).encode()).hexdigest()[:12]
    if not base_images.has(engine, tag):
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, text in (("Dockerfile", DOCKERFILE), ("entrypoint", ENTRYPOINT)):
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        context.seek(0)
        engine.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True, buildargs={"BASE_IMAGE": base})
    return tag


class Server:
    """A running server. SQL runs inside its container, as its owner."""

    def __init__(self, engine: docker.DockerClient, network: str, name: str) -> None:
        self.name = name
        self.password = secrets.token_urlsafe(18) + "/@:%"  # characters that a URL must encode
        variables = {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": self.password, "POSTGRES_DB": DATABASE}
        self.container: Any = engine.containers.run(image(engine), name=name, network=network, environment=variables, detach=True)

    def sql(self, statement: str, database: str = DATABASE) -> list[list[str]]:
        """Rows of a statement, as text. AssertionError when it fails."""
        done = self.container.exec_run(["psql", "-U", USER, "-d", database, "-v", "ON_ERROR_STOP=1", "-AtF", "\t", "-c", statement])
        assert done.exit_code == 0, done.output.decode()
        return [line.split("\t") for line in done.output.decode().splitlines()]

    def wait(self, seconds: float = DEADLINE) -> "Server":
        """Wait until it answers over the network; returns itself."""
        deadline = time.monotonic() + seconds
        while self.container.exec_run(["pg_isready", "-h", self.name, "-U", USER, "-d", DATABASE]).exit_code != 0:
            assert time.monotonic() < deadline, self.container.logs().decode()
            time.sleep(0.2)
        return self
