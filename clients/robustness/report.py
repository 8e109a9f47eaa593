"""Answers → the report (JSON) and its printed table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from clients.robustness import measures, out_of_distribution
from clients.robustness.cases import MODES, Case
from clients.robustness.predict import Answers

Report: TypeAlias = dict[str, Any]
SURE = 0.9995  # accuracy for which coverage is reported
CONFIDENT = 0.9  # the probability above which a wrong answer misleads
_WIDTH = 100  # of running text
_NOTE = (
    "Measured over HTTP. The corruptions are re-implementations of MNIST-C's, not comparable to "
    "published numbers to the last digit. A refused image counts as wrong. Letters of one font "
    "resemble each other, so their intervals are too narrow."
)


class Measured(NamedTuple):
    """A case and the service's answers."""

    case: Case
    answers: Answers


def report_of(measured: Sequence[Measured], model: str) -> Report:
    """Everything that was measured; the first cases must be the clean ones."""
    groups = {group: [m for m in measured if m.case.group == group] for group in _groups(measured)}
    clean = groups["clean"][-1]  # as served by default
    drawings = {m.case.name: _accuracy(m) for m in groups["drawings"]}
    for share in drawings.values():
        share["points_from_clean"] = round(100 * (share["value"] - _accuracy(clean)["value"]), 3)
    return {
        "note": _NOTE,
        "model": model,
        "images": len(clean.case.source),
        "clean": {m.case.normalize: _accuracy(m) for m in groups["clean"]},
        "calibration": calibration(clean),
        "corruptions": {
            mode: corruption_accuracies(
                [m for m in groups["corruptions"] if m.case.normalize == mode]
            )
            for mode in MODES
        },
        "uci_digits": {m.case.name: _accuracy(m) for m in groups["UCI digits"]},
        "drawings": drawings,
        "photographs": photograph_accuracies(groups["photographs"]),
        "outliers": {_full_name(m.case): outlier_scores(m, clean) for m in groups["outliers"]},
        "letters_that_look_like_digits": "".join(sorted(out_of_distribution.LOOK_LIKE_DIGITS)),
        "fonts": [Path(font).stem for font in out_of_distribution.fonts()],
    }


def corruption_accuracies(measured: Sequence[Measured]) -> dict[str, Any]:
    """The mean over the corruptions, then each."""
    mean = measures.mean_share(np.stack([_is_right(m) for m in measured]))
    refused = sum(int(m.answers.is_refused.sum()) for m in measured)
    return {
        "mean": {**mean, "refused": refused},
        **{m.case.name: _accuracy(m) for m in measured},
    }


def photograph_accuracies(measured: Sequence[Measured]) -> dict[str, Any]:
    """Of all together, then of each scene: right, refused, flagged, and wrong all the same.

    `misleading` is the share that is wrong with more than 90 %, flagged or not.
    """
    return {
        "all": _photographs(measured),
        **{m.case.name: _photographs([m]) for m in measured},
    }


def _photographs(measured: Sequence[Measured]) -> dict[str, Any]:
    is_right = np.concatenate([_is_right(m) for m in measured])
    is_outlier = np.concatenate([m.answers.is_outlier for m in measured])
    confidence = np.concatenate([m.answers.probabilities.max(axis=1) for m in measured])
    misleads = ~is_right & (confidence > CONFIDENT)  # never of a refusal, whose confidence is NaN
    return {
        **measures.proportion(int(is_right.sum()), len(is_right)),
        "refused": int(np.isnan(confidence).sum()),
        "called_outlier": int(is_outlier.sum()),
        "misleading": measures.proportion(int(misleads.sum()), len(is_right)),
        "misleading_and_no_outlier": int((misleads & ~is_outlier).sum()),
    }


def calibration(clean: Measured) -> dict[str, Any]:
    """How far the probabilities of the clean test digits, as served, can be believed."""
    assert clean.case.labels is not None
    is_answered = ~clean.answers.is_refused
    labels = clean.case.labels[is_answered]
    probabilities = clean.answers.probabilities[is_answered]
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    values = {
        "expected_calibration_error": measures.calibration_error(confidence, is_right),
        "equal_mass_calibration_error": measures.equal_mass_calibration_error(confidence, is_right),
        "negative_log_likelihood": measures.negative_log_likelihood(probabilities, labels),
        "brier_score": measures.brier_score(probabilities, labels),
    }
    covered = round(measures.coverage_at(SURE, confidence, is_right) * len(labels))
    return {
        "count": len(labels),
        **{name: round(value, 6) for name, value in values.items()},
        f"coverage_at_{SURE}": measures.proportion(covered, len(labels)),
    }


def outlier_scores(outliers: Measured, clean: Measured) -> dict[str, Any]:
    """How well the outlier score tells these images from the clean digits.

    Score and flag count answers; refusals, which reject an outlier too, are counted apart.
    """
    refused, total = int(outliers.answers.is_refused.sum()), len(outliers.answers.is_refused)
    figures: dict[str, Any] = {"refused": measures.proportion(refused, total)}
    if refused == total:
        return figures
    inside = clean.answers.scores[~clean.answers.is_refused]
    outside = outliers.answers.scores[~outliers.answers.is_refused]
    called = int(outliers.answers.is_outlier.sum())
    return {
        **figures,
        "auroc": round(measures.auroc(inside, outside), 6),
        "accepted_at_95": measures.accepted_at_95(inside, outside),
        "called_outlier": measures.proportion(called, total - refused),
    }


def merge_into_card(report: Report, card: Path) -> None:
    """Put the report under `robustness` into a model card, which keeps its form."""
    content = json.loads(card.read_text(encoding="utf-8"))
    text = json.dumps(content | {"robustness": report}, indent=1, ensure_ascii=False)
    card.write_text(text + "\n", encoding="utf-8", newline="\n")


def render(report: Report) -> list[str]:
    """The report as lines for a terminal, 110 columns."""
    lines = [
        f"{report['model']}, {report['images']:,} test digits",
        "",
        *wrap(report["note"], _WIDTH),
        "",
    ]
    lines += _shares("MNIST test", report["clean"])
    lines += _calibration_lines(report["calibration"])
    for mode, accuracies in report["corruptions"].items():
        lines += _shares(f"corruptions, normalize={mode}", accuracies)
    lines += _shares("UCI digits", report["uci_digits"])
    lines += _shares("drawings", report["drawings"])
    lines += _photograph_lines(report["photographs"])
    lines += _outlier_lines(report["outliers"])
    return lines + wrap("fonts: " + ", ".join(report["fonts"]), _WIDTH)


def _shares(title: str, shares: Mapping[str, Any]) -> list[str]:
    lines = [f"{title:<42} {'right':>8}  {'95 % interval':<17} {'count':>8} {'refused':>8}"]
    for name, share in shares.items():
        points = share.get("points_from_clean")
        tail = "" if points is None else f"  {points:+.2f} points"
        lines.append(
            f"  {name:<40} {_share(share)} {share['count']:>8,} {share['refused']:>8,}{tail}"
        )
    return [*lines, ""]


def _calibration_lines(figures: Mapping[str, Any]) -> list[str]:
    lines = [f"calibration, as served ({figures['count']:,} digits)"]
    for name, value in figures.items():
        if isinstance(value, dict):
            lines.append(f"  {name:<40} {_share(value)}")
        elif name != "count":
            lines.append(f"  {name:<40} {value:>8.4f}")
    return [*lines, ""]


def _photograph_lines(scenes: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'photographs':<30} {'right':>8}  {'95 % interval':<16} refused  flagged  wrong with over 90 %"
    ]
    for name, scene in scenes.items():
        misleading = scene["misleading"]
        wrong = f"{round(misleading['value'] * misleading['count'])} ({misleading['value']:.2%})"
        counts = f"{scene['refused']:>7,} {scene['called_outlier']:>8,}"
        unflagged = f"{scene['misleading_and_no_outlier']} of them not flagged"
        lines.append(f"  {name:<28} {_share(scene)} {counts}  {wrong}, {unflagged}")
    return [*lines, ""]


def _outlier_lines(cases: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'outliers':<30} {'AUROC':>7}  {'accepted at 95 %':<27} {'called outlier':<27} refused"
    ]
    for name, case in cases.items():
        share, count = case["refused"]["value"], case["refused"]["count"]
        refused = f"{round(share * count):,} of {count:,}"
        if "auroc" in case:
            shares = f"{_share(case['accepted_at_95'])}  {_share(case['called_outlier'])}"
            lines.append(f"  {name:<28} {case['auroc']:>7.4f} {shares}  {refused}")
        else:
            lines.append(f"  {name:<28} {'-':>7} {'':<55}  {refused}")
    return [*lines, ""]


def _share(share: Mapping[str, Any]) -> str:
    low, high = share["interval_95"]
    return f"{share['value']:>8.2%}  {f'{low:.2%}-{high:.2%}':<16}"


def _accuracy(measured: Measured) -> dict[str, Any]:
    is_right = _is_right(measured)
    share = measures.proportion(int(is_right.sum()), len(is_right))
    return {**share, "refused": int(measured.answers.is_refused.sum())}


def _is_right(measured: Measured) -> Any:
    assert measured.case.labels is not None
    return measured.answers.is_right(measured.case.labels)


def _full_name(case: Case) -> str:
    return case.name if case.normalize == "auto" else f"{case.name}, normalize=off"


def _groups(measured: Iterable[Measured]) -> list[str]:
    return list(dict.fromkeys(m.case.group for m in measured))
