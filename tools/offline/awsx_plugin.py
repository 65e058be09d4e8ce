"""Stands in for Pulumi's awsx provider where it can't be downloaded: awsx.ec2.Vpc, made of real `aws` children that the engine registers."""

import importlib.metadata
from typing import Any

from pulumi import Resource
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import ConstructRequest, Provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as proto

from tools.offline import awsx_vpc
from tools.offline.sdk_check import check
from tools.offline.sdk_types import resource
from tools.offline.serve import Refused, Servicer, main, sentence
from tools.offline.wire import decode

SDK = "pulumi_awsx"
VERSION = importlib.metadata.version("pulumi-awsx")


class AwsxProvider(Provider):
    async def construct(self, request: ConstructRequest) -> proto.ConstructResponse:  # type: ignore[override]
        if request.resource_type != "awsx:ec2:Vpc":
            raise Refused(f"the offline awsx plugin has only awsx:ec2:Vpc, not {request.resource_type}: preview it with the real plugin")
        inputs = decode(PropertyValue.marshal_map(request.inputs))
        found = check(inputs, resource(SDK, request.resource_type).inputs)
        if found:
            raise ValueError(
                f"{request.resource_type} resource {request.name!r} has a problem: "
                + "; ".join(f"{path}: {reason}" for path, reason in found)
            )
        component, outputs = await awsx_vpc.create(request.name, inputs, request.options)
        resources: dict[str, list[Resource]] = {}
        state = await rpc.serialize_properties(outputs, resources)
        dependencies = {
            key: proto.ConstructResponse.PropertyDependencies(urns=[str(await each.urn.future()) for each in found])
            for key, found in resources.items()
        }
        return proto.ConstructResponse(urn=str(await component.urn.future()), state=state, stateDependencies=dependencies)


class AwsxServicer(Servicer):
    def _construct_response(self, result: proto.ConstructResponse) -> proto.ConstructResponse:  # type: ignore[override]
        # Already in the engine's form: PropertyValue can't hold unknown values together with their dependencies.
        return result

    @sentence
    async def Construct(self, request: proto.ConstructRequest, context: Any) -> proto.ConstructResponse:
        # Construct sets the SDK's globals: one at a time.
        async with self._lock:
            return await self._construct(request, context)


if __name__ == "__main__":
    main(AwsxServicer, VERSION, AwsxProvider())
