"""A network that comes trained → a release: a card, and no weights but those it was built with."""

from pathlib import Path
from typing import Any

from training.export import card, release
from training.export.release import Release


def prepare(job: Any, config: Any, folder: Path) -> Release:
    """Build the network, measure it, and write its card to `folder`."""
    model = job.build_model(config)
    measured = job.evaluate(model, None)
    fitted = {"history": {}, "seconds": 0.0}
    made = card.make_card(job, config, job.pretraining(config), model, measured, fitted)
    return release.write_card(folder, made | {"provenance": job.provenance(config)})
