"""`vitrine serve` (`python -m service`): settings from the environment → create_app → uvicorn."""

import argparse
import os
import sys
from functools import partial

from service.settings import PREFIX, Settings, SettingsError, from_environ


def main(arguments: list[str], prog: str = "python -m service") -> int:
    """Serve until a signal; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve the models below VITRINE_MODELS over HTTP. Settings are environment variables:",
        epilog=settings_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    try:
        settings = from_environ(os.environ)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _serve(settings)


def settings_table() -> str:
    """One line a setting: variable, default, meaning."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = field.default if field.default not in ((), "") else "none"
        lines.append(f"  {PREFIX + name.upper():<29} {default!s:<10} {field.description}")
    return "\n".join(lines)


def _serve(settings: Settings) -> int:
    from service import logs, startup
    from service.app import create_app
    from service.asgi.server import make_server
    from service.asgi.state import Lifecycle

    logs.configure(settings.log_level)
    lifecycle = Lifecycle()
    app = create_app(settings, lifecycle=lifecycle)
    server = make_server(app, settings, lifecycle)
    socket = server.config.bind_socket()
    url = startup.address(settings.host, socket.getsockname()[1], settings.root_path)
    print(f"Starting on {url} with the models of {settings.models}", flush=True)
    startup.announce(url, partial(print, flush=True))
    server.run(sockets=[socket])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
