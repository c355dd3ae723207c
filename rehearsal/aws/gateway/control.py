"""The gateway's own API under `/_candlefish/`: health, kept objects, reset, accounts, faults, cluster authentication.

GET    /_candlefish/health                                   {"incarnation", "port"}
GET    /_candlefish/accounts                                 {"accounts": [{"account", "region"}]}: seen in requests
GET    /_candlefish/changes?service=&after=                  {"count", "accounts"}: see `changes`
GET, PUT, DELETE /_candlefish/faults                         see `faults`
GET    /_candlefish/kept?account=&region=&type=&id=          properties, or 404
GET    /_candlefish/kept?account=&region=&type=              {"objects": [{account, region, type, id, properties}]}
PUT    /_candlefish/kept?account=&region=&type=&id=          body: properties
DELETE /_candlefish/kept?account=&region=&type=&id=          {"deleted": bool}
POST   /_candlefish/reset                                    empties both emulators and what is kept
POST   /_candlefish/eks/authenticate/CLUSTER                 TokenReview v1
POST   /_candlefish/eks/authorize                            SubjectAccessReview v1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from rehearsal.aws.gateway import eks
from rehearsal.aws.routing import Server

if TYPE_CHECKING:
    from rehearsal.aws.gateway.app import Gateway

PREFIX = "/_candlefish/"


async def handle(gateway: Gateway, request: web.BaseRequest) -> web.Response:
    match (request.method, request.path.removeprefix(PREFIX)):
        case ("GET", "health"):
            return web.json_response({"incarnation": gateway.incarnation, "port": gateway.port})
        case ("GET", "accounts"):
            return web.json_response({"accounts": [{"account": account, "region": region}
                                                   for account, region in sorted(gateway.accounts.seen)]})
        case ("GET", "changes"):
            return await gateway.changes.answer(request)
        case (_, "faults"):
            return await gateway.faults.answer(request)
        case ("POST", "reset"):
            return await _reset(gateway)
        case ("POST", path) if path.startswith("eks/authenticate/"):
            return await eks.authenticate(gateway, request)
        case ("POST", "eks/authorize"):
            return await eks.authorize(request)
        case (_, "kept"):
            return await _kept(gateway, request)
    return web.json_response({"message": f"{request.method} {request.path}: no such control operation"}, status=404)


async def _kept(gateway: Gateway, request: web.BaseRequest) -> web.Response:
    query = request.query
    key = (query.get("account", ""), query.get("region", ""), query.get("type", ""), query.get("id", ""))
    if not key[2]:  # account and region may be empty: bucket names are global
        return web.json_response({"message": "kept: the query needs `type`"}, status=400)
    if "id" not in query:
        objects = gateway.kept.list(*key[:3])
        names = ("account", "region", "type", "id")
        return web.json_response({"objects": [dict(zip(names, place, strict=True)) | {"properties": properties}
                                              for place, properties in objects]})
    match request.method:
        case "GET":
            found = gateway.kept.get(key)
            return web.json_response(found) if found is not None else web.json_response({}, status=404)
        case "PUT":
            gateway.kept.put(key, await request.json())
            return web.json_response({})
        case "DELETE":
            return web.json_response({"deleted": gateway.kept.delete(key)})
    return web.json_response({"message": f"kept: {request.method} is not one of GET, PUT, DELETE"}, status=405)


async def _reset(gateway: Gateway) -> web.Response:
    for server, path in ((Server.MINISTACK, "/_ministack/reset"), (Server.MOTO, "/moto-api/reset")):
        async with gateway.session.post(gateway.upstream[server] + path) as response:
            if response.status != 200:
                text = await response.text()
                return web.json_response({"message": f"{server} was not reset: {text[:500]}"}, status=502)
    gateway.kept.clear()
    gateway.replay.clear()
    gateway.accounts.clear()
    gateway.faults.order(0, [])
    await gateway.changes.clear()
    return web.json_response({"reset": True})
