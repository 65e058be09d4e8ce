"""Grafana: the stack's dashboards in Grafana, for those who want more than the board; its image must be pullable."""

from collections.abc import Mapping
from typing import Any, NotRequired, Optional, TypedDict
from urllib.parse import parse_qs, unquote, urlsplit

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_at
from .task import HealthCheck, SecretSource, TaskSpec, Volume
from .timeseries_urls import DATABASE, public_part, url_mistake

PORT = 3000
DATA = "/var/lib/grafana"
SECRETS = ("influx_url", "loki_url", "admin_password")
LEAST_PASSWORD = 12
# Of a server that asks for no user: an empty value can't be a secret everywhere.
NOBODY = "none"


class GrafanaArgs(TypedDict):
    """Arguments of Grafana."""

    host: HostArgs
    """Where it runs."""
    secrets: Mapping[str, pulumi.Input[str]]
    """influx_url: where points are read, with credentials of a user that may only read (TimeseriesStack's influx_read_url). loki_url: Loki, with
    credentials if it wants some. admin_password: of the user admin, 12 characters or more; taken when the volume is new."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none. On Fargate people use a tunnel."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""


class Grafana(pulumi.ComponentResource):
    """Grafana with the stack's stores and dashboards, in the private network alone: nobody gets in without a password, and it calls nobody."""

    url: pulumi.Output[str]
    """Address to open in a browser: on this machine's loopback where a port is published, else in the private network."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    volume_name: pulumi.Output[str]
    """Docker volume or EFS access point with Grafana's own database: users and what they made. The dashboards of the stack are in the image."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: GrafanaArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("grafana", name, args, GrafanaArgs, argument_mistakes)
        influx_url, loki_url = (pulumi.Output.from_input(args["secrets"][key]) for key in ("influx_url", "loki_url"))
        spec = TaskSpec(
            name=name,
            component="Grafana",
            image=image_at("grafana"),
            environment={
                "GRAFANA_INFLUX_URL": public_part(influx_url, path=True).apply(lambda url: url.removesuffix("/query")),
                "GRAFANA_INFLUX_DATABASE": _public(influx_url, database_of),
                "GRAFANA_LOKI_URL": public_part(loki_url, path=True),
                "GRAFANA_LOKI_BASIC_AUTH": _public(loki_url, lambda url: str(credentials(url)[1] != NOBODY).lower()),
            },
            secrets={
                "GRAFANA_INFLUX_USER": SecretSource(value=influx_url.apply(lambda url: credentials(url)[0])),
                "GRAFANA_INFLUX_PASSWORD": SecretSource(value=influx_url.apply(lambda url: credentials(url)[1])),
                "GRAFANA_LOKI_USER": SecretSource(value=loki_url.apply(lambda url: credentials(url)[0])),
                "GRAFANA_LOKI_PASSWORD": SecretSource(value=loki_url.apply(lambda url: credentials(url)[1])),
                "GF_SECURITY_ADMIN_PASSWORD": SecretSource(value=args["secrets"]["admin_password"]),
            },
            volumes=(Volume(name="data", mount_path=DATA, backup=False),),
            port=PORT,
            published_port=args.get("published_port"),
            cpu=args.get("cpu") or 256,
            memory=args.get("memory") or 512,
            health=HealthCheck(command=("wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/api/health"), start_period=120),
            stop_timeout=30,
            # Its database is one SQLite file.
            single_writer=True,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:Grafana", name, {}, opts)
        task = run_task(spec, args["host"], self)
        published = args.get("published_port")
        inside = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.url = pulumi.Output.from_input(f"http://127.0.0.1:{published}") if published else inside
        self.service = task.service
        self.logs = task.logs
        self.volume_name = task.volumes["data"]
        self.monthly_cost = task.monthly_cost
        self.register_outputs(
            {
                "url": self.url,
                "service": self.service,
                "logs": self.logs,
                "volumeName": self.volume_name,
                "monthlyCost": self.monthly_cost,
            }
        )


def credentials(url: str) -> tuple[str, str]:
    """User and password of a URL; a token alone is the password; NOBODY for what there is not."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return user or NOBODY, password or user or NOBODY


def database_of(read_url: str) -> str:
    """The database that a read URL names."""
    return (parse_qs(urlsplit(read_url).query).get("db") or [DATABASE])[0]


def argument_mistakes(args: GrafanaArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    secrets = args["secrets"]
    mistakes = [f"secrets.{key}: is missing" for key in SECRETS if secrets.get(key) in (None, "")]
    mistakes += [f"secrets.{key}: unknown; use {', '.join(SECRETS)}" for key in sorted(set(secrets) - set(SECRETS))]
    for key in ("influx_url", "loki_url"):
        if secrets.get(key) and (wrong := url_mistake(secrets[key], ("http", "https"))):
            mistakes.append(f"secrets.{key}: {wrong}")
    password = secrets.get("admin_password")
    if isinstance(password, str) and 0 < len(password) < LEAST_PASSWORD:
        mistakes.append(f"secrets.admin_password: has {len(password)} characters: use {LEAST_PASSWORD} or more")
    return mistakes


def _public(url: pulumi.Output[str], part: Any) -> pulumi.Output[str]:
    """A part of a secret URL that is no secret."""
    return pulumi.Output.unsecret(url.apply(part))
