"""LocalCluster: this machine's Docker engine as a host, with a private network for a stack's tasks."""

from collections.abc import Mapping
from typing import NotRequired, Optional, TypedDict

import pulumi
import pulumi_docker as docker

from .arguments import refuse_mistakes
from .hosts.args import HostArgs


class LocalClusterArgs(TypedDict):
    """Arguments of LocalCluster."""

    base_images: NotRequired[Mapping[str, str]]
    """Official base image -> the image to build on instead. Default: the official ones."""
    fluentd_address: NotRequired[pulumi.Input[str]]
    """`host:port` of a forward-protocol log router. Default: logs stay with Docker."""


class LocalCluster(pulumi.ComponentResource):
    """A Docker network, and the host arguments that put tasks on it."""

    network: pulumi.Output[str]
    """Name of the Docker network."""

    def __init__(self, name: str, args: LocalClusterArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("local cluster", name, args, LocalClusterArgs)
        super().__init__("tradestack:index:LocalCluster", name, {}, opts)
        network = docker.Network(
            f"{name}-network",
            labels=[
                docker.NetworkLabelArgs(label="tradestack.project", value=pulumi.get_project()),
                docker.NetworkLabelArgs(label="tradestack.stack", value=pulumi.get_stack()),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.network = network.name
        self._args = args
        self.register_outputs({"network": self.network})

    @property
    def host(self) -> HostArgs:
        """Host arguments for the components of the same program."""
        return {"docker": {"network": self.network, **self._args}}
