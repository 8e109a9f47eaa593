"""The two clients over one core: `Vitrine` is synchronous, `AsyncVitrine` asynchronous."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Generic, Self

import httpx

from vitrine_client._transport.connection import DEFAULT_TIMEOUT, Timeout, connect
from vitrine_client._transport.core import Core
from vitrine_client._transport.io import Wire, async_wire, blocking_wire
from vitrine_client._transport.retries import DEFAULT_RETRIES, Retries
from vitrine_client._transport.sync_async import Async, Mode, Sync, run
from vitrine_client.digits import Digits
from vitrine_client.fashion import Fashion
from vitrine_client.gan import Gan
from vitrine_client.images import Images
from vitrine_client.models import HealthChecks, Models
from vitrine_client.text import Text
from vitrine_client.vae import Vae


class Tasks(Generic[Mode]):
    """The service's routes, grouped by URL: `/v1/digits/classify` is `digits.classify`."""

    def __init__(self, wire: Wire, retries: Retries, mode: Mode) -> None:
        self._core = core = Core(wire, retries)
        self.url = str(wire.http.base_url.copy_with(userinfo=b""))  # without credentials
        self.digits: Digits[Mode] = Digits(core, mode)
        self.text: Text[Mode] = Text(core, mode)
        self.images: Images[Mode] = Images(core, mode)
        self.fashion: Fashion[Mode] = Fashion(core, mode)
        self.vae: Vae[Mode] = Vae(core, mode)
        self.gan: Gan[Mode] = Gan(core, mode)
        self.models: Models[Mode] = Models(core, mode)
        self.health: HealthChecks[Mode] = HealthChecks(core, mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


class Vitrine(Tasks[Sync]):
    """A synchronous client of a Vitrine service. Works in notebooks and from any thread.

    Args:
        url: The service's address, including a path prefix; default: `VITRINE_URL`.
        key: The API key; default: `VITRINE_API_KEY`.
        timeout: The timeouts.
        retries: The retry policy for 429 and 503.
        transport: Replaces the network, in tests.
        sleep: Waits between attempts.

    Raises:
        InvalidSetting: The address, the key or a proxy in the environment cannot be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        http = connect(httpx.Client, url, key, timeout, transport)
        super().__init__(blocking_wire(http, sleep), retries, Sync())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; closing twice does no harm."""
        run(self._core.close())


class AsyncVitrine(Tasks[Async]):
    """As `Vitrine`, but its methods are coroutines, and its streams are asynchronous generators."""

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        http = connect(httpx.AsyncClient, url, key, timeout, transport)
        super().__init__(async_wire(http, sleep), retries, Async())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; closing twice does no harm."""
        await self._core.close()
