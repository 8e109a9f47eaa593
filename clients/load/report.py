"""Figures from a tally, and the lines in which people read them."""

from collections.abc import Iterable

from clients.load.closed_loop import Tally
from clients.load.measurement import percentile
from clients.load.streams import StreamTally

BUSY_DRIVER = 0.8  # share of one core from which on the driver, one thread, is likely the limit


def progress_line(name: str, tally: Tally) -> str:
    """One line about a run under way."""
    latencies = sorted(tally.latencies_s)
    p50 = f"p50 {percentile(latencies, 0.5) * 1000:.2f} ms" if latencies else "no right answer yet"
    rate = len(latencies) / tally.elapsed_s if tally.elapsed_s else 0.0
    return (
        f"{name}: {tally.elapsed_s:4.0f} s  {rate:8,.0f} right answers/s  {p50}"
        f"  {_not_200(tally):,} refused  {tally.errors.total():,} errors"
    )


def report_lines(name: str, connections: int, tally: Tally) -> list[str]:
    """The whole report of one scenario."""
    return [
        f"{name}, {connections} connections, {tally.elapsed_s:.1f} s",
        f"  right answers/s  {len(tally.latencies_s) / tally.elapsed_s:,.0f}",
        f"  latency          {_percentiles(tally.latencies_s)}",
        f"  answers          {_counts(tally.statuses)}",
        f"  errors           {_counts(tally.errors)}",
        f"  mean batch size  {_mean_batch_size(tally)}",
        *_driver_lines(tally),
    ]


def stream_lines(tally: StreamTally) -> list[str]:
    """What only streams have, after their report."""
    rates = sorted(tally.rates)
    each = f"{percentile(rates, 0.5):,.0f} ({rates[0]:,.0f} to {rates[-1]:,.0f})" if rates else "-"
    return [
        f"  characters/s     {tally.characters / tally.elapsed_s:,.0f} of all, {each} of each",
        f"  first characters {_percentiles(tally.first_s)}",
        f"  gaps             {_percentiles(tally.gaps_s)}",
    ]


def _percentiles(seconds: Iterable[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "no right answer"
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return "  ".join(f"{key} {percentile(ordered, q) * 1000:.2f} ms" for key, q in shares.items())


def _counts(counter: "dict[int, int] | dict[str, int]") -> str:
    return ", ".join(f"{key}: {count:,}" for key, count in sorted(counter.items())) or "none"


def _mean_batch_size(tally: Tally) -> str:
    answers = tally.batch_sizes.total()
    if not answers:
        return "unknown (no X-Batch-Size)"
    return f"{sum(size * count for size, count in tally.batch_sizes.items()) / answers:.1f}"


def _driver_lines(tally: Tally) -> list[str]:
    share = tally.cpu_s / tally.elapsed_s
    if share < BUSY_DRIVER:
        return []
    return [
        f"  The driver itself used {share:.0%} of a core: it, not the service, may be the limit."
    ]


def _not_200(tally: Tally) -> int:
    return tally.statuses.total() - tally.statuses[200]
