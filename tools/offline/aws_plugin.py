"""Stands in for Pulumi's aws provider where it can't be downloaded: a truthful `pulumi preview`, and no deployment.

Every input is checked against the pulumi_aws SDK; names, default tags, changes and replacements are computed as the real provider does.
`up` is refused, unless TRADESTACK_OFFLINE_SYNTHETIC=1 asks for resources that exist in Pulumi's state alone (for tests).
"""

import importlib.metadata
import json
import os
import random
from collections.abc import Mapping
from typing import Any

from google.protobuf.empty_pb2 import Empty
from pulumi.provider.experimental.provider import Provider
from pulumi.runtime.proto import provider_pb2 as proto

from tools.offline import aws_invokes, aws_replace, aws_rules, aws_synthetic
from tools.offline.diff import diff
from tools.offline.sdk_check import check
from tools.offline.sdk_types import function, provider, resource
from tools.offline.serve import Refused, Servicer, failures, main, sentence
from tools.offline.wire import UNKNOWN, bare, decode, encode, has_unknown

SDK = "pulumi_aws"
VERSION = importlib.metadata.version("pulumi-aws")
REFUSAL = (
    "the offline aws plugin only previews: install the real one (pulumi plugin install resource aws "
    f"v{VERSION}) on a machine that can download it to deploy, refresh or destroy"
)


class AwsServicer(Servicer):
    """One provider instance: the default one, or an explicit `aws.Provider`."""

    region = ""
    default_tags: Mapping[str, Any] = {}

    async def CheckConfig(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        given = _config(decode(request.news))
        found = check({name: value for name, value in given.items() if name not in ("version", "pluginDownloadURL")}, provider(SDK))
        if given.get("region") is None and not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
            found.append(("region", "missing; set it: pulumi config set aws:region us-east-1"))
        return proto.CheckResponse(inputs=request.news, failures=failures(found))

    async def DiffConfig(self, request: proto.DiffRequest, context: Any) -> proto.DiffResponse:
        # Resources of one region can't be moved to another by changing the provider.
        return diff(_old_inputs(request), decode(request.news), {"region"})

    async def Configure(self, request: proto.ConfigureRequest, context: Any) -> proto.ConfigureResponse:
        config = bare(_config(decode(request.args)))
        region = config.get("region")
        self.region = (
            region if isinstance(region, str) else os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        )
        tags = config.get("defaultTags")
        self.default_tags = (tags.get("tags") or {}) if isinstance(tags, dict) else {}
        return await super().Configure(request, context)

    @sentence
    async def Check(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        olds, news = decode(request.olds), decode(request.news)
        token, name = _type_and_name(request.urn)
        signature = resource(SDK, token)
        aws_rules.merge_tags(signature, news, self.default_tags)
        found = aws_rules.fill_name(signature, name, olds, news, random.Random(request.randomSeed or name))
        found += check(news, signature.inputs)
        found += aws_rules.check(token, news) if not found else []
        return proto.CheckResponse(inputs=encode(news), failures=failures(found))

    @sentence
    async def Diff(self, request: proto.DiffRequest, context: Any) -> proto.DiffResponse:
        token, _ = _type_and_name(request.urn)
        olds, news = _old_inputs(request), decode(request.news)
        response = diff(olds, news, aws_replace.replacing(resource(SDK, token)), aws_rules.JSON_PROPERTIES)
        aws_rules.check_change(token, response.diffs, news)
        # Two resources can't bear one typed name at a time; generated names differ.
        response.deleteBeforeReplace = bool(response.replaces) and aws_rules.keeps_name(resource(SDK, token), olds, news)
        return response

    @sentence
    async def Create(self, request: proto.CreateRequest, context: Any) -> proto.CreateResponse:
        token, _ = _type_and_name(request.urn)
        inputs = decode(request.properties)
        if request.preview:
            return proto.CreateResponse(properties=encode(_outputs(token, inputs, {})))
        _only_synthetic()
        identity = aws_synthetic.identity(token, request.urn, bare(inputs), self.region)
        computed = aws_synthetic.outputs(resource(SDK, token), identity, bare(inputs), self.region)
        return proto.CreateResponse(id=identity, properties=encode(_outputs(token, inputs, computed)))

    @sentence
    async def Update(self, request: proto.UpdateRequest, context: Any) -> proto.UpdateResponse:
        if not request.preview:
            _only_synthetic()
        token, _ = _type_and_name(request.urn)
        inputs, were_given = decode(request.news), _old_inputs(request)
        # What was computed stays: an update keeps the ARN, the ids, the addresses.
        computed = {name: value for name, value in decode(request.olds).items() if name not in were_given}
        computed["tagsAll"] = inputs.get("tags") or {}
        return proto.UpdateResponse(properties=encode(_outputs(token, inputs, computed)))

    @sentence
    async def Read(self, request: proto.ReadRequest, context: Any) -> proto.ReadResponse:
        if not request.properties.fields:
            raise Refused(
                f"the offline aws plugin can't look up {request.id!r} at AWS: pass its id or ARN as a plain value, or preview with the real one"
            )
        _only_synthetic()
        return proto.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    @sentence
    async def Delete(self, request: proto.DeleteRequest, context: Any) -> Empty:
        _only_synthetic()
        return Empty()

    @sentence
    async def Invoke(self, request: proto.InvokeRequest, context: Any) -> proto.InvokeResponse:
        args = decode(request.args)
        found = check(args, function(SDK, request.tok).inputs)
        answer = {} if found or has_unknown(args) else aws_invokes.invoke(request.tok, bare(args), self.region)
        return proto.InvokeResponse(**{"return": encode(answer), "failures": failures(found)})


def _outputs(token: str, inputs: Mapping[str, Any], computed: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as given; every other output computed, or unknown."""
    outputs: dict[str, Any] = {}
    for name, prop in resource(SDK, token).outputs.items():
        if inputs.get(name) is not None:
            outputs[name] = inputs[name]
        elif name in computed or not prop.optional:
            outputs[name] = computed.get(name, UNKNOWN)
    return outputs


def _old_inputs(request: Any) -> dict[str, Any]:
    return decode(request.old_inputs if request.HasField("old_inputs") else request.olds)


def _type_and_name(urn: str) -> tuple[str, str]:
    types, name = urn.split("::", 3)[2:]
    return types.rpartition("$")[2], name


def _config(given: dict[str, Any]) -> dict[str, Any]:
    """Provider configuration: everything but strings arrives as JSON text."""
    properties = provider(SDK)
    return {
        name: json.loads(value) if isinstance(value, str) and name in properties and properties[name].type.kind != "string" else value
        for name, value in given.items()
    }


def _only_synthetic() -> None:
    if os.environ.get("TRADESTACK_OFFLINE_SYNTHETIC") != "1":
        raise Refused(REFUSAL)


if __name__ == "__main__":
    main(AwsServicer, VERSION, Provider())
