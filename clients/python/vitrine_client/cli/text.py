"""`generate` and `score`: continue a prompt, and score a string."""

import argparse
import io
import math
import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import closing

from vitrine_client.cli.command import CHOICE, argument, command
from vitrine_client.cli.options import choice, print_body, tell
from vitrine_client.cli.terminal import bar, printable
from vitrine_client.client import Vitrine
from vitrine_client.errors import VitrineError
from vitrine_client.text import Sampling, TextChunk, TextEnd, TextEvent

LEAST_LIKELY = -8.0  # log-probability of a full bar


@command(
    "continue a prompt, character by character",
    argument("seed", help='the prompt; "": no prompt; -: standard input'),
    *CHOICE,
    argument(
        "--diversity",
        action="append",
        type=float,
        metavar="D",
        help="0: always the likeliest character; 1: the model's probabilities; "
        "may be repeated, for several texts (default 0.5)",
    ),
    argument("--length", type=int, help="characters to generate (default 400)"),
    argument("--random-seed", type=int, help="the same seed gives the same text (default: random)"),
    argument("--top-k", type=int, help="sample from the K likeliest characters"),
    argument(
        "--top-p",
        type=float,
        help="sample from the likeliest characters with a total probability of P",
    ),
    argument("--stop", action="append", metavar="TEXT", help="stop before this string"),
    argument(
        "--replace-unknown",
        action="store_true",
        help="replace characters outside the vocabulary by spaces",
    ),
    argument("--stream", action="store_true", help="print the text while it is generated"),
)
def generate(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Print the text; with several diversities, each below a heading."""
    seed, sampling = _text(options.seed), _sampling(options)
    if options.stream:
        with closing(vitrine.text.stream(seed, **sampling, **choice(options))) as events:
            _print_stream(events, options)
        return
    answer = vitrine.text.generate(seed, **sampling, **choice(options))
    if options.json:
        print_body(answer)
        return
    for index, generation in enumerate(answer.generations):
        _print_heading(index, options)
        print(_shown(generation.text))
    _tell_random_seed(answer.random_seed, options)


@command(
    "compute the likelihood of a string under a text model",
    argument("text", help="-: standard input"),
    *CHOICE,
)
def score(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Print the mean, and one line per character with a bar for its surprisal."""
    answer = vitrine.text.score(_text(options.text), **choice(options))
    if options.json:
        print_body(answer)
        return
    print(
        f"{answer.nats_per_character:.4f} nats, {answer.bits_per_character:.4f} bits per character"
        f" ({answer.model})"
    )
    for each in answer.characters:
        share = each.logprob / LEAST_LIKELY
        print(f"{each.character!r:<6} {math.exp(each.logprob):8.3%}  {bar(share)}".rstrip())


def _sampling(options: argparse.Namespace) -> Sampling:
    """The sampling options from the command line; others have the service's defaults."""
    sampling: Sampling = {}
    for name in ("length", "random_seed", "top_k", "top_p", "stop"):
        value = getattr(options, name)
        if value is not None:
            sampling[name] = value
    if options.diversity:
        sampling["diversity"] = _one_or_all(options.diversity)
    if options.replace_unknown:
        sampling["unknown"] = "replace"
    return sampling


def _one_or_all(values: list[float]) -> float | list[float]:
    return values[0] if len(values) == 1 else values


def _print_stream(events: Iterable[TextEvent], options: argparse.Namespace) -> None:
    if options.json:
        for event in events:
            print(event.body, flush=True)
        return
    _print_heading(0, options)
    try:
        for event in in_order(events):
            _print_event(event, options)
    except (VitrineError, KeyboardInterrupt):
        print()  # after what was written so far
        raise


def _print_event(event: TextEvent, options: argparse.Namespace) -> None:
    if isinstance(event, TextChunk):
        print(_shown(event.text), end="", flush=True)
        return
    print()
    if event.index + 1 < len(options.diversity or (0,)):
        _print_heading(event.index + 1, options)
    else:
        _tell_random_seed(event.random_seed, options)


def in_order(events: Iterable[TextEvent]) -> Iterator[TextEvent]:
    """Order the mixed events of several texts: those of the first as they arrive, then the next."""
    current, waiting = 0, defaultdict[int, deque[TextEvent]](deque)
    for event in events:
        waiting[event.index].append(event)
        while waiting[current]:
            first = waiting[current].popleft()
            yield first
            current += isinstance(first, TextEnd)


def _print_heading(index: int, options: argparse.Namespace) -> None:
    if len(options.diversity or ()) > 1:
        print(f"{chr(10) if index else ''}[diversity {options.diversity[index]:g}]")


def _tell_random_seed(random_seed: int, options: argparse.Namespace) -> None:
    """Print the random seed that reproduces the text, if none was given."""
    if options.random_seed is None:
        tell(f"(random seed {random_seed})")


def _shown(text: str) -> str:
    return printable(text, keep="\n\t")


def _text(argument: str) -> str:
    """The argument, or the content of standard input."""
    if argument != "-":
        return argument
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # the service refuses invalid text
    return sys.stdin.read()
