# Another client of AWS than ours, for specs: reads a JSON list of [service, operation, parameters, region] from stdin,
# makes these calls with boto3 one after the other, and prints the list of answers as JSON; a refused call answers
# {"error": CODE}. Ends with status 3 where there is no boto3. Used by spec/support/moto.lua.
import functools
import json
import sys

try:
    import boto3
    from botocore.exceptions import ClientError
except ImportError:
    sys.exit(3)


client = functools.cache(lambda service, region: boto3.client(service, region_name=region))


def answer(service, operation, parameters, region):
    try:
        return getattr(client(service, region), operation)(**parameters)
    except ClientError as error:
        return {"error": error.response["Error"]["Code"]}


json.dump([answer(*call) for call in json.load(sys.stdin)], sys.stdout, default=str)
