"""What a deployed function finds in its process's environment: what Lambda documents, its own variables, and what leads
it to the emulated AWS; nothing of the server that it runs beside.

Source: AWS Lambda's developer guide, "Defined runtime environment variables". Left out of those: X-Ray's daemon and the
runtime API, which do not exist here, and the folders of the runtime (`LD_LIBRARY_PATH`, `LAMBDA_RUNTIME_DIR`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A function cannot set these; CreateFunction refuses them in Lambda.
RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})
# The gateway's address, and a switch that keeps botocore from putting a host's prefix before it.
_TO_THE_GATEWAY = frozenset({"AWS_ENDPOINT_URL", "AWS_DISABLE_HOST_PREFIX_INJECTION"})
# MiniStack's own script in the process reads these. NODE_PATH: where layers' packages are.
_OF_THE_WORKER = frozenset({"_LAMBDA_FUNCTION_ARN", "_LAMBDA_TIMEOUT", "_LAMBDA_LAYERS_DIRS", "NODE_PATH"})


def environment(config: Mapping[str, Any], built: Mapping[str, str], home: str) -> dict[str, str]:
    """`config`: the function's configuration. `built`: what MiniStack made: the server's environment, the function's
    and Lambda's in one. `home`: a folder of the process's own; Lambda sets no HOME, but without one Python would find
    the user's, with the settings for AWS and the packages that are there."""
    own = {name: value for name, value in ((config.get("Environment") or {}).get("Variables") or {}).items()
           if name not in RESERVED}
    kept = RESERVED | _TO_THE_GATEWAY | _OF_THE_WORKER
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', '')}"
    return {
        "HOME": home, "LANG": "en_US.UTF-8", "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin", "TZ": ":UTC",
        **{name: value for name, value in built.items() if name in kept},
        "_HANDLER": str(config.get("Handler", "")),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": group,
        **own,
    }
