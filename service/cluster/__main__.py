"""`vitrine cluster`: serve the models folder on a Ray cluster until a signal."""

import argparse
import logging
import os
import signal
import sys
import threading

from service.cluster.settings import CLUSTER, ClusterSettings, split_environ
from service.settings import SettingsError, from_environ, settings_table


def main(arguments: list[str], prog: str = "python -m service.cluster") -> int:
    """Start Ray Serve, deploy the fronts, wait; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve the models below VITRINE_MODELS on a Ray cluster: the one at RAY_ADDRESS, "
        "or one of this machine's own. The settings of `vitrine serve` hold too.",
        epilog=settings_table(ClusterSettings, CLUSTER),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    try:
        cluster, rest = split_environ(os.environ)
        settings = from_environ(rest)
        if settings.tls_cert:
            raise SettingsError(
                "VITRINE_TLS_CERT must be unset for a cluster, whose proxy is Ray's: put TLS in front of it"
            )
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

    # Ray's own proxy in Python costs 2 ms a request; a cluster that exists has this where it started.
    os.environ.setdefault("RAY_SERVE_ENABLE_HA_PROXY", "1")
    os.environ.setdefault("RAY_worker_niceness", "0")  # 15 otherwise: this is no background job
    import ray
    from ray import serve
    from ray.serve.config import HTTPOptions
    from ray.serve.schema import LoggingConfig

    from service.cluster.front import front_application

    ray.init(
        os.environ.get("RAY_ADDRESS", "local"),  # without it Ray looks for one that ran here last
        include_dashboard=False,
        logging_level=logging.WARNING,
        log_to_driver=False,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # in place of Ray's, which would not shut down
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        serve.start(
            proxy_location=PROXIES[cluster.proxies],
            http_options=HTTPOptions(host=settings.host, port=settings.port),
            logging_config=LoggingConfig(enable_access_log=False),
        )
        serve.run(front_application(settings, cluster), name="vitrine", route_prefix="/")
        print(f"http://{settings.host}:{settings.port} on {len(ray.nodes())} node(s)", flush=True)
        threading.Event().wait()
    finally:
        serve.shutdown()
    return 0


PROXIES = {"every": "EveryNode", "head": "HeadOnly"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
