from tests.functions.world import world

__all__ = ["world"]
