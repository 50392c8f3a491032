"""The child process that serves one GGUF file over the OpenAI protocol on a loopback port.

Run as `python -m loresmith.embedded.model_server --model FILE`; the caller holds the write end of
its stdin. One JSON line `{"base_url": …}` on stdout says that it is ready to answer. It ends when
stdin reaches end of file, which is what a dead parent looks like, and on SIGTERM.
"""

import argparse
import importlib
import json
import os
import sys
import threading
from typing import Any

API_KEY_VARIABLE = "EMBEDDED_MODEL_API_KEY"
"""Environment variable with the key that requests must carry; an argument would be seen in `ps`."""

CACHE_RAM_MIB = 64
"""llama.cpp would keep up to 8 GiB of old prompts; the slots' own cache is what we profit from."""


def main() -> None:
    """Load the model, announce the port, then serve until the parent is gone."""
    options = _parse_options()
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp may print on stdout; that stream carries the announcement only
    os.nice(options.nice)
    threading.Thread(target=_exit_at_end_of_stdin, daemon=True).start()
    server = _serve(options, api_key=os.environ.pop(API_KEY_VARIABLE, ""))
    announce.write(json.dumps({"base_url": f"{server.listening_address}/v1"}) + "\n")
    announce.close()
    threading.Event().wait()


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="loresmith.embedded.model_server")
    parser.add_argument("--model", required=True, help="path of a GGUF file")
    parser.add_argument("--slots", type=int, default=3, help="requests decoded at the same time")
    parser.add_argument("--context", type=int, default=2048, help="tokens of one slot")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nice", type=int, default=5, help="added to the niceness")
    return parser.parse_args()


def _exit_at_end_of_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _serve(options: argparse.Namespace, *, api_key: str) -> Any:
    xllamacpp: Any = importlib.import_module("xllamacpp")  # has no type stubs
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.api_keys = [api_key] if api_key else []
    params.port = 0  # the server binds and tells which one it got: nobody else can take it between
    params.ui = False
    params.endpoint_slots = False  # would show one caller's prompt to another
    params.fit_params = False
    params.cache_ram_mib = CACHE_RAM_MIB
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        sys.exit(f"cannot serve {options.model!r}: {error}")


if __name__ == "__main__":
    main()
