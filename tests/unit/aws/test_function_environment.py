"""What a deployed function's process finds in its environment."""

from __future__ import annotations

import pytest

from rehearsal.aws.emulators.environment_variables import RESERVED, environment

pytestmark = pytest.mark.unit

SERVER = {"PATH": "/home/user/bin", "HOME": "/home/user", "PYTHONPATH": "/project", "MOTO_PORT": "1", "SECRET": "s",
          "AWS_PROFILE": "user", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "us-east-1",
          "AWS_LAMBDA_FUNCTION_NAME": "f", "_LAMBDA_TIMEOUT": "3"}
CONFIG = {"FunctionName": "f", "Handler": "main.handle", "Runtime": "python3.13",
          "Environment": {"Variables": {"MINE": "1", "AWS_REGION": "elsewhere", "TZ": "Europe/Berlin"}}}


def test_nothing_of_the_server_is_in_it_but_what_lambda_documents_and_the_gateways_address() -> None:
    found = environment(CONFIG, SERVER | {"MINE": "1", "TZ": "Europe/Berlin"}, "/tmp/own")
    assert found == {
        "HOME": "/tmp/own", "LANG": "en_US.UTF-8", "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": "Europe/Berlin", "MINE": "1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "f", "_LAMBDA_TIMEOUT": "3", "_HANDLER": "main.handle",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f"}


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_function_sets_no_reserved_name(name: str) -> None:
    config = {**CONFIG, "Environment": {"Variables": {name: "forged"}}}
    assert environment(config, {name: "lambda's"}, "/tmp/own").get(name) != "forged"


def test_a_log_group_of_its_own_is_named() -> None:
    config = {**CONFIG, "LoggingConfig": {"LogGroup": "/shared"}}
    assert environment(config, {}, "/tmp/own")["AWS_LAMBDA_LOG_GROUP_NAME"] == "/shared"
