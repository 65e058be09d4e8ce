"""The two tasks of a WebhookService: one image, two roles. Many accept, one executes."""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from .image_folders import image_at
from .ingress import HttpApi, LoadBalancer
from .task import HealthCheck, Image, Permission, Scaling, TaskSpec
from .webhook_args import WebhookIngress
from .webhook_environment import (
    ACCEPT_SECRETS,
    EXECUTE_SECRETS,
    accept_environment,
    execute_environment,
    secret_sources,
    shared_environment,
)
from .webhook_queue import permissions

PORT = 8000
COMPONENT = "WebhookService"
ROUTES = ("market", "notional", "limit", "stop_limit", "bracket", "trailing", "reverse", "aristocrats")
PATHS = tuple(f"/{one}" for one in (*ROUTES, "control"))
SOURCE_IP_HEADER = "x-tradestack-source-ip"
# TradingView's documentation of webhooks, "Webhook alerts".
TRADINGVIEW_IPS = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")


def slanger_image(args: Mapping[str, Any]) -> Image:
    """The published image, or the library's folder to build. Raises FileNotFoundError when there is none."""
    if args.get("image") is not None:
        return Image(reference=args["image"])
    return image_at("slanger")


def accept_task(name: str, args: Mapping[str, Any], queue: Mapping[str, Any], image: Image) -> TaskSpec:
    """Takes alerts, checks them and puts them into the queue (a WebhookQueue). Any number of it."""
    at_least, at_most = args.get("accept_min") or 1, args.get("accept_max") or 0
    ingress = WebhookIngress(args.get("ingress") or WebhookIngress.NONE)
    return TaskSpec(
        name=name,
        image=image,
        environment={
            **shared_environment(args, queue),
            **accept_environment(args, _trusted_proxies(args), SOURCE_IP_HEADER if ingress == WebhookIngress.HTTP_API else None),
        },
        secrets=secret_sources(args, ACCEPT_SECRETS),
        port=PORT,
        published_port=args.get("published_port"),
        http_api=HttpApi(paths=PATHS, source_ip_header=SOURCE_IP_HEADER) if ingress == WebhookIngress.HTTP_API else None,
        load_balancer=_load_balancer(args) if ingress == WebhookIngress.ALB else None,
        stop_timeout=30,
        desired_count=at_least,
        scaling=Scaling(max_count=at_most) if at_most > at_least else None,
        # A single task on Spot is away for a minute at each interruption: longer than TradingView sends an alert again.
        spot=at_least > 1 if args.get("spot") is None else bool(args["spot"]),
        permissions=_permissions(queue)[0],
        **_same(args, "accept", start_period=30),
    )


def execute_task(name: str, args: Mapping[str, Any], queue: Mapping[str, Any], image: Image) -> TaskSpec:
    """Takes alerts from the queue, in order, and trades. Never two of it: its limits count what it has ordered itself."""
    return TaskSpec(
        name=f"{name}-worker",
        image=image,
        environment={**shared_environment(args, queue), **execute_environment(args)},
        secrets=secret_sources(args, EXECUTE_SECRETS),
        single_writer=True,
        # An alert's orders are at the broker within seconds; what isn't done by then goes back to the queue.
        stop_timeout=60,
        spot=args.get("worker_spot", True) is not False,
        permissions=_permissions(queue)[1],
        **_same(args, "execute", start_period=60),
    )


def _permissions(queue: Mapping[str, Any]) -> tuple[tuple[Permission, ...], tuple[Permission, ...]]:
    # A server of one's own asks nobody who may do what.
    return ((), ()) if queue.get("endpoint") is not None else permissions(queue)


def _same(args: Mapping[str, Any], role: str, start_period: int) -> dict[str, Any]:
    """What both tasks have in common."""
    return {
        "component": COMPONENT,
        "command": (role,),
        "cpu": args.get("cpu") or 256,
        "memory": args.get("memory") or 512,
        "architecture": args.get("architecture"),
        "health": HealthCheck(command=("python3", "-m", "slanger.health"), interval=10, timeout=5, start_period=start_period),
        "execute_command": bool(args.get("execute_command")),
        "read_only_root": not args.get("execute_command"),
    }


def _trusted_proxies(args: Mapping[str, Any]) -> Optional[pulumi.Input[str]]:
    """Comma list of CIDRs. A load balancer and a VPC link have addresses of the VPC, which change."""
    if args.get("ingress") in (WebhookIngress.HTTP_API, WebhookIngress.ALB):
        return (args["host"].get("fargate") or {}).get("vpc_cidr")
    return ",".join(args["trusted_proxies"]) if args.get("trusted_proxies") else None


def _load_balancer(args: Mapping[str, Any]) -> LoadBalancer:
    alb = args["alb"]
    return LoadBalancer(
        paths=PATHS,
        certificate_arn=alb["certificate_arn"],
        public_subnet_ids=alb["public_subnet_ids"],
        source_ips=tuple(args.get("source_ips") or TRADINGVIEW_IPS),
        # Not /ready: without its queue a task answers 503 to alerts, and another one in its place could do no better.
        health_path="/health",
        trust_store_arn=alb.get("trust_store_arn"),
        protect=bool(args.get("protect")),
    )
