"""The live stream of metrics (F4): browsers subscribe over WebSocket, new events reach them as they are kept."""
