"""Messages of WebSocket APIs find their route, whatever is in them."""

from __future__ import annotations

from ministack.services import apigateway


def install() -> None:
    """In place of MiniStack's choice, which ends the connection at JSON that nests deeper than Python reads. "API
    Gateway calls the $default route if the route selection expression cannot be evaluated against the message"
    (developer guide, "Create routes for WebSocket APIs")."""
    chosen = apigateway._evaluate_route_selection

    def choose(expression: str, message: str) -> str:
        try:
            return str(chosen(expression, message))
        except RecursionError:
            return "$default"

    apigateway._evaluate_route_selection = choose
