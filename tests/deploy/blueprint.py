"""What Render allows in a render.yaml, as far as ours goes.

From https://render.com/docs/blueprint-spec and https://render.com/schema/render.yaml.json, as both were in
September 2026. What is not listed here is refused, also where Render would take it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

PLANS = {"starter", "standard", "pro", "0.5c-512mb", "1c-2g", "2c-4g", "2c-8g", "4c-8g", "4c-16g"}
DATABASE_PLANS = {"basic-256mb", "basic-1gb", "basic-4gb", "0.1c-256mb", "0.5c-1g", "1c-2g", "1c-4g", "2c-4g"}
REGIONS = {"oregon", "ohio", "virginia", "frankfurt", "singapore"}
ROOT_KEYS = {"services", "databases", "envVarGroups"}
SERVICE_KEYS = {
    *("type", "name", "runtime", "image", "plan", "region", "envVars"),
    *("preDeployCommand", "dockerCommand", "healthCheckPath", "maxShutdownDelaySeconds", "autoDeployTrigger"),
}
DATABASE_KEYS = {"name", "plan", "region", "postgresMajorVersion", "databaseName", "user", "ipAllowList"}
# One of these beside `key`, and nothing else.
SOURCES = {"value", "generateValue", "sync", "fromDatabase", "fromService"}
# What every service of Render's has in its environment by itself.
RENDERS_OWN = {"RENDER_EXTERNAL_URL", "RENDER_EXTERNAL_HOSTNAME"}

Blueprint = Mapping[str, Any]


def problems(blueprint: Blueprint) -> Iterator[str]:
    """Yield what Render would refuse, or pass over in silence."""
    yield from _others(blueprint, ROOT_KEYS, "the file")
    for service in blueprint["services"]:
        yield from _service(service)
        yield from _settings(service, blueprint)
    for database in blueprint["databases"]:
        yield from _database(database)
    for group in blueprint["envVarGroups"]:
        yield from _group(group)
    names = [one["name"] for kind in ROOT_KEYS for one in blueprint[kind]]
    if len(set(names)) < len(names):
        yield "two things have one name"


def _others(thing: Mapping[str, Any], known: set[str], what: str) -> Iterator[str]:
    yield from (f"{what} has {key!r}, which Render does not know there" for key in set(thing) - known)


def _service(service: Mapping[str, Any]) -> Iterator[str]:
    name = service.get("name", "a service")
    yield from _others(service, SERVICE_KEYS, name)
    if service.get("type") not in {"web", "worker"} or service.get("runtime") != "image":
        yield f"{name} is neither a web service nor a worker of an image"
    if set(service.get("image", {})) != {"url"}:
        yield f"{name} does not say where its image is, or more than that"
    if service.get("plan") not in PLANS or service.get("region") not in REGIONS:
        yield f"{name} is of a plan or in a region that there is none of"
    if not 1 <= service.get("maxShutdownDelaySeconds", 30) <= 300:
        yield f"{name} is given a time to end that Render does not give"
    if service.get("autoDeployTrigger") not in {"off", "commit", "checksPass"}:
        yield f"{name} deploys itself at no known moment (YAML reads a bare off as a falsehood)"
    if "healthCheckPath" in service and (service["type"] != "web" or service["healthCheckPath"][0] != "/"):
        yield f"{name} has a health check where there is none, or no path for it"


def _settings(service: Mapping[str, Any], blueprint: Blueprint) -> Iterator[str]:
    for entry in service["envVars"]:
        if "fromGroup" in entry:
            if len(entry) > 1 or entry["fromGroup"] not in {one["name"] for one in blueprint["envVarGroups"]}:
                yield f"{service['name']} takes from a group that is not there, or renames it"
            continue
        yield from _entry(entry, SOURCES, service["name"])
        yield from _reference(entry, blueprint)


def _entry(entry: Mapping[str, Any], sources: set[str], where: str) -> Iterator[str]:
    if len(entry) != 2 or "key" not in entry or not set(entry) & sources:
        yield f"{where}: {entry} is no setting with one source"
    if not isinstance(entry.get("value", ""), str):
        yield f"{where}: {entry['key']} is no text"


def _reference(entry: Mapping[str, Any], blueprint: Blueprint) -> Iterator[str]:
    if wanted := entry.get("fromDatabase"):
        if wanted["name"] not in {one["name"] for one in blueprint["databases"]}:
            yield f"{entry['key']} comes from a database that is not there"
        if set(wanted) != {"name", "property"} or wanted["property"] != "connectionString":
            yield f"{entry['key']} is no address of a database"
    if wanted := entry.get("fromService"):
        found = [one for one in blueprint["services"] if one["name"] == wanted["name"]]
        if set(wanted) != {"name", "type", "envVarKey"} or [one["type"] for one in found] != [wanted["type"]]:
            yield f"{entry['key']} comes from a service that is not there"
        elif wanted["envVarKey"] not in RENDERS_OWN | {one.get("key") for one in found[0]["envVars"]}:
            yield f"{entry['key']} comes from a setting that its service does not have"


def _database(database: Mapping[str, Any]) -> Iterator[str]:
    yield from _others(database, DATABASE_KEYS, database["name"])
    if database.get("plan") not in DATABASE_PLANS or database.get("region") not in REGIONS:
        yield f"{database['name']} is of a plan or in a region that there is none of"
    if database.get("postgresMajorVersion") not in {"15", "16", "17", "18"}:
        yield f"{database['name']} is of a version that is none, or a number where a text is wanted"


def _group(group: Mapping[str, Any]) -> Iterator[str]:
    yield from _others(group, {"name", "envVars"}, group["name"])
    for entry in group["envVars"]:
        # A group may refer to nothing, and Render passes over what it should ask for there.
        yield from _entry(entry, {"value", "generateValue"}, group["name"])
