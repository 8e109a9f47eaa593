"""`python -m clients.robustness`: accuracy and outlier detection of a digit model on realistic inputs.

Sends clean, corrupted, redrawn and out-of-distribution images to a running service and prints a table: see
docs/robustness.md. FOLDER contains t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, gzipped or not.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from clients.robustness.cases import Case, all_cases
from clients.robustness.contact_sheet import save_contact_sheet
from clients.robustness.datasets import idx_images, mnist_test, uci_digits
from clients.robustness.predict import ask
from clients.robustness.report import Measured, Report, merge_into_card, render, report_of
from vitrine_client import AsyncVitrine, VitrineError


def main(arguments: list[str], prog: str = "python -m clients.robustness") -> int:
    """Measure and print, or only draw the sheet; return the exit status."""
    options = _parser(prog).parse_args(arguments)
    try:
        cases = _cases(options.data_dir, options.fashion_dir, options.images)
        if options.sheet:
            save_contact_sheet(cases, options.sheet)
            return 0
        report = asyncio.run(measure(cases, options.url, options.model))
        print("\n".join(render(report)))
        if options.fashion_dir is None:
            print("Fashion-MNIST was skipped: --fashion-dir was not given")
        _save(report, options.json, options.card)
    except (VitrineError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


async def measure(cases: Sequence[Case], url: str | None, model: str | None) -> Report:
    """Measure every case, with a progress line."""
    async with AsyncVitrine(url) as vitrine:
        first = await vitrine.digits.classify(cases[0].images(0, 1), model=model)
        total, begun = sum(len(case.source) for case in cases), time.monotonic()
        measured, done = [], 0
        for case in cases:
            show = _progress(case, done, total, begun)
            measured.append(Measured(case, await ask(vitrine, case, model, show)))
            done += len(case.source)
    print(file=sys.stderr)
    return {**report_of(measured, str(first.model)), "seconds": round(time.monotonic() - begun)}


def _cases(data_dir: Path, fashion_dir: Path | None, images: int) -> list[Case]:
    fashion = None if fashion_dir is None else idx_images(fashion_dir)[:images]
    return all_cases(mnist_test(data_dir).first(images), uci_digits().first(images), fashion)


def _save(report: Report, file: Path | None, card: Path | None) -> None:
    if file:
        text = json.dumps(report, indent=1, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")
    if card:
        merge_into_card(report, card)


def _progress(case: Case, done: int, total: int, begun: float) -> Callable[[int], None]:
    """One line that changes; where it cannot, as in a file, one for each case."""
    end = done + len(case.source)

    def show(count: int) -> None:
        nonlocal done
        done += count
        line = f"{done:,} of {total:,} images, {time.monotonic() - begun:.0f} s: {case.group}, "
        if sys.stderr.isatty():
            print(f"\r{line + case.name:<98.98}", end="", file=sys.stderr, flush=True)
        elif done == end:
            print(line + case.name, file=sys.stderr, flush=True)

    return show


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--fashion-dir", type=Path, metavar="FOLDER", help="Fashion-MNIST's files")
    parser.add_argument("--url", help="default: VITRINE_URL, else http://127.0.0.1:8000")
    parser.add_argument("--model", help="default: the route's own")
    parser.add_argument("--images", type=_count, default=10_000, help="of each set, at most")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the report to this file"
    )
    parser.add_argument(
        "--card", type=_existing, metavar="FILE", help="card.json to add the results to"
    )
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="only draw examples of every case, without a service",
    )
    return parser


def _existing(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"must be a file, got {text!r}")
    return Path(text)


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
