"""MiniStack's script that runs a Python function, with errors said as Lambda's runtime says them, the handler's time,
and the end of each invocation's log marked, so that nobody waits for a line that does not come.

Source of the errors' kinds: awslambdaric, the runtime interface client that Lambda's Python images contain.
"""

from __future__ import annotations

END_OF_LOG = "\x1e"  # and the request's id: a line on stderr that no function writes by chance

_DESCRIBE = '''
def _described(error, kind=None, message=None):
    """Lambda's error object. The frames are the function's: not this script's, not the import system's; what the
    runtime itself found wrong has none."""
    frames = [] if kind else [each for each in traceback.extract_tb(error.__traceback__)
                              if each.filename != __file__ and "importlib" not in each.filename]
    return json.dumps({"errorMessage": str(error) if message is None else message,
                       "errorType": kind or type(error).__name__, "stackTrace": traceback.format_list(frames)})

def _described_import(error, module):
    if isinstance(error, ImportError):
        return _described(error, "Runtime.ImportModuleError", f"Unable to import module '{module}': {error}")
    if isinstance(error, SyntaxError):
        return _described(error, "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}")
    return _described(error)

def _end_of_log(request):
    sys.stderr.flush()
    os.write(2, ("\\x1e" + request + "\\n").encode())

def run():
'''

_REPLACED = (
    ("\ndef run():\n", _DESCRIBE),
    ("        handler_fn = getattr(mod, handler_name)\n",
     "        handler_fn = getattr(mod, handler_name, None)\n"
     "        if handler_fn is None:\n"
     "            _real_stdout.write(json.dumps({'status': 'error', 'error': json.dumps({'errorMessage':\n"
     "                f\"Handler '{handler_name}' missing on module '{module_name}'\", 'errorType':\n"
     "                'Runtime.HandlerNotFound', 'stackTrace': []})}) + '\\n')\n"
     "            _real_stdout.flush()\n"
     "            return\n"),
    ('        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")\n',
     '        _told = _described_import(e, module_name)\n'
     '        _real_stdout.write(json.dumps({"status": "error", "error": _told}) + "\\n")\n'),
    ('            result = handler_fn(event, context)\n',
     '            _began = time.perf_counter()\n'
     '            try:\n'
     '                result = handler_fn(event, context)\n'
     '            finally:\n'
     '                _spent = (time.perf_counter() - _began) * 1000\n'),
    ('            _real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\\n")\n',
     '            try:\n'
     '                _answer = json.dumps({"status": "ok", "result": result, "milliseconds": _spent})\n'
     '            except (TypeError, ValueError) as e:\n'
     '                _answer = json.dumps({"status": "error", "milliseconds": _spent, "error": _described(\n'
     '                    e, "Runtime.MarshalError", f"Unable to marshal response: {e}")})\n'
     '            _end_of_log(context.aws_request_id)\n'
     '            _real_stdout.write(_answer + "\\n")\n'),
    ('            _real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
     ' + "\\n")\n',
     '            _end_of_log(context.aws_request_id)\n'
     '            _real_stdout.write(json.dumps({"status": "error", "milliseconds": _spent, "error": _described(e)})'
     ' + "\\n")\n'),
)


def amended(script: str) -> str:
    """Raises RuntimeError when MiniStack's script is not the one that this was written for."""
    for before, after in _REPLACED:
        if script.count(before) != 1:
            raise RuntimeError(f"MiniStack's script for Python functions changed: not exactly once in it: {before!r}")
        script = script.replace(before, after)
    return script
