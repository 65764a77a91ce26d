"""Prints, as JSON, where botocore's endpoint rule sets send every service: for spec/aws/endpoints_botocore_spec.lua.

[ { "id": serviceId, "prefix", "signing_name", "endpoints": [
  { "region", "variant", "url", "signing_name", "signing_region" }, ... ] }, ... ]; where there is no endpoint, "url"
is absent; what the rule set leaves to the region in use and to the model's name, "signing_region" and "signing_name".
Arguments: regions.
"""

import gzip
import json
import os
import re
import sys

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError

VARIANTS = {
    "plain": (False, False, False),
    "fips": (True, False, False),
    "dual": (False, True, False),
    "both": (True, True, False),
    "legacy": (False, False, True),
}

# Parameters that come from the operation: those of most of the service's operations.
OPERATION = {"ApiType": "ControlPlane"}


def endpoint(provider, known, region, variant):
    fips, dual, legacy = VARIANTS[variant]
    wanted = {"Region": region, "UseFIPS": fips, "UseDualStack": dual, "UseGlobalEndpoint": legacy, **OPERATION}
    found = {"region": region, "variant": variant}
    try:
        resolved = provider.resolve_endpoint(**{k: v for k, v in wanted.items() if k in known})
    except BotoCoreError:
        return found
    schemes = resolved.properties.get("authSchemes", [])
    scheme = next((s for s in schemes if s["name"] == "sigv4"), {})
    signing = {"signing_name": scheme.get("signingName"), "signing_region": scheme.get("signingRegion")}
    return {**found, "url": resolved.url, **{k: v for k, v in signing.items() if v}}


def metadata(loader, name):
    """The metadata of a service's model, without the rest of it, which is a hundred times as long."""
    version = loader.determine_latest_version(name, "service-2")
    with gzip.open(os.path.join(loader.BUILTIN_DATA_PATH, name, version, "service-2.json.gz"), "rt") as model:
        start = model.read(16384)
    return json.JSONDecoder().raw_decode(start, re.search(r'"metadata":\s*', start).end())[0]


def services(regions):
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    partitions = loader.load_data("partitions")
    for name in session.get_available_services():
        rules = loader.load_service_model(name, "endpoint-rule-set-1")
        model = metadata(loader, name)
        provider = EndpointProvider(rules, partitions)
        variants = [v for v in VARIANTS if v != "legacy" or "UseGlobalEndpoint" in rules["parameters"]]
        yield {
            "id": model["serviceId"],
            "prefix": model["endpointPrefix"],
            "signing_name": model.get("signingName", model["endpointPrefix"]),
            "endpoints": [endpoint(provider, rules["parameters"], r, v) for r in regions for v in variants],
        }


json.dump(list(services(sys.argv[1:])), sys.stdout)
