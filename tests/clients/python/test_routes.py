"""Every route of the client, by both clients, against the real app around engines one can compute."""

import inspect
import io

import numpy as np
import pytest
from PIL import Image

from service.codecs import latents
from vitrine_client import (
    AsyncVitrine,
    Grid,
    ImageTooLarge,
    InvalidImage,
    InvalidValue,
    LatentSource,
    ModelNotFound,
    ModelVersion,
    NotFound,
    ProjectionAnswer,
    ProjectionStep,
    TextEnd,
    TooManyImages,
    UnsupportedImage,
    VersionNotFound,
    Vitrine,
)
from vitrine_client._transport.sync_async import Group


def lit(count):
    """A 28×28 image with so many lit pixels in its first rows: FakeEngine's digit."""
    pixels = np.zeros(784, np.uint8)
    pixels[:count] = 255
    return pixels.reshape(28, 28)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pixels_of(file):
    return np.asarray(Image.open(io.BytesIO(file)))


RED = np.full((20, 20, 3), (200, 10, 20), np.uint8)
NOISE = np.random.default_rng(1).integers(0, 256, (40, 40), np.uint8)
LIGHT = np.full((28, 28), 51, np.uint8)  # a fifth


@pytest.mark.parametrize("kind", ["path", "name", "bytes", "pillow", "array"])
def test_an_image_comes_in_every_form_a_caller_has_it(ask, tmp_path, kind):
    path = tmp_path / "seven.png"
    path.write_bytes(png(lit(7)))
    image = Image.fromarray(lit(7))
    forms = {
        "path": path,
        "name": str(path),
        "bytes": path.read_bytes(),
        "pillow": image,
        "array": lit(7),
    }

    answer = ask(lambda vitrine: vitrine.digits.classify(forms[kind]))

    assert [prediction.digit for prediction in answer.predictions] == [7]


def test_an_array_of_several_images_is_answered_in_order(ask):
    answer = ask(lambda vitrine: vitrine.digits.classify(np.stack([lit(3), lit(8), lit(1)])))

    assert [prediction.digit for prediction in answer.predictions] == [3, 8, 1]


def test_digits_come_with_the_image_that_the_model_saw(ask):
    answer = ask(lambda vitrine: vitrine.digits.classify(255 - lit(90), return_input=True))

    seen = answer.predictions[0].input
    assert "inverted" in seen.steps
    assert pixels_of(seen.image).shape == (28, 28)


def test_activations_are_images_or_values(ask):
    answer = ask(lambda vitrine: vitrine.digits.activations(lit(4)))

    maps, logits = answer.layers
    assert (maps.name, maps.shape, maps.values) == ("conv1", (28, 28, 2), None)
    assert pixels_of(maps.image).ndim == 2
    assert (logits.image, logits.values.index(1.0)) == (None, 4)


def test_a_version_may_be_chosen(ask):
    newest = ask(lambda vitrine: vitrine.digits.classify(lit(7)))
    first = ask(lambda vitrine: vitrine.digits.classify(lit(7), version=1))

    assert (newest.model, first.model) == (ModelVersion("digits", 2), ModelVersion("digits", 1))
    with pytest.raises(VersionNotFound):
        ask(lambda vitrine: vitrine.digits.classify(lit(7), version=9))
    with pytest.raises(VersionNotFound):
        ask(lambda vitrine: vitrine.digits.activations(lit(7), version_label="canary"))


def test_photos_have_labels_and_features(ask):
    labels = ask(lambda vitrine: vitrine.images.label(RED, top=2, return_input=True))
    features = ask(lambda vitrine: vitrine.images.features([RED, RED], top=1))

    assert labels.predictions[0][0].class_description == "red"
    assert len(labels.predictions[0]) == 2
    assert pixels_of(labels.inputs[0].image).shape == (16, 16, 3)
    assert features.features[1] == pytest.approx((200, 10, 20))
    assert features.predictions[1][0].class_name == "n01"


def test_clothes_are_classified_by_either_head_and_by_both(ask):
    dense = ask(lambda vitrine: vitrine.fashion.classify(lit(3)))
    svm = ask(lambda vitrine: vitrine.fashion.classify(lit(3), head="svm", return_input=True))
    named = ask(lambda vitrine: vitrine.fashion.classify(lit(3), model="fashion-svm"))
    both = ask(lambda vitrine: vitrine.fashion.classify_both([lit(3), lit(4)], return_input=True))

    assert (dense.predictions[0].head, dense.predictions[0].label) == ("dense", "Dress")
    assert (svm.predictions[0].head, svm.predictions[0].label) == ("svm", "Coat")
    assert svm.predictions[0].input.image
    assert named.predictions[0].head is None
    assert [pair.dense.label_index for pair in both.predictions] == [3, 4]
    assert [pair.svm.label_index for pair in both.predictions] == [4, 5]
    assert not both.predictions[0].agree
    assert both.predictions[0].input.image


def test_texts_are_the_same_whole_and_streamed(ask):
    options = {"length": 40, "random_seed": 5, "diversity": [0.2, 1.0], "logprobs": 2}

    whole = ask(lambda vitrine: vitrine.text.generate("To be", **options))
    events = ask(lambda vitrine: vitrine.text.stream("To be", **options))

    for index, generation in enumerate(whole.generations):
        own = [event for event in events if event.index == index]
        assert isinstance(own[-1], TextEnd)
        assert "".join(event.text for event in own[:-1]) == generation.text
        assert own[-1].continuation == generation.continuation
        assert own[0].logprobs[0] == generation.logprobs[0]


def test_what_was_replaced_in_a_seed_is_told(ask):
    answer = ask(lambda vitrine: vitrine.text.generate("7é", length=3, unknown="replace"))
    events = ask(lambda vitrine: vitrine.text.stream("7é", length=3, unknown="replace"))
    scored = ask(lambda vitrine: vitrine.text.score("a7", unknown="replace"))

    assert set(answer.replaced) == set(events[-1].replaced) == {"7", "é"}
    assert scored.replaced == ("7",)


def test_a_vae_encodes_decodes_and_reconstructs(ask):
    encoded = ask(lambda vitrine: vitrine.vae.encode([LIGHT, LIGHT], return_input=True))
    decoded = ask(lambda vitrine: vitrine.vae.decode(np.zeros((2, 2))))
    mean = ask(lambda vitrine: vitrine.vae.reconstruct(LIGHT, normalize="off"))
    drawn = ask(lambda vitrine: vitrine.vae.reconstruct(LIGHT, random_seed=3))

    assert encoded.encodings[1].z_mean == pytest.approx((0.2, 0.2))
    assert encoded.encodings[1].input.image
    assert pixels_of(decoded.images[1])[5, 5] == 128
    assert (mean.random_seed, drawn.random_seed) == (None, 3)
    assert mean.reconstructions[0].noise == (0, 0)
    assert drawn.reconstructions[0].noise == pytest.approx(latents.draw(3, 1, 2)[0])
    assert mean.reconstructions[0].anomaly_score == pytest.approx(42)


@pytest.mark.parametrize(
    "end", [4, np.int64(4), [0.5, 0.5], np.array([0.5, 0.5]), LIGHT, png(LIGHT)], ids=repr
)
def test_a_way_leads_between_seeds_vectors_and_images(ask, end):
    answer = ask(lambda vitrine: vitrine.vae.interpolate([0, 0], end, steps=3, path="slerp"))

    assert len(answer.images) == 3
    assert answer.latents[0] == (0, 0)


def test_samples_of_a_vae_are_the_same_by_number(ask):
    one = ask(lambda vitrine: vitrine.vae.sample(n=3, random_seed=7, scale=0.5, model="vae-2d"))
    drawn = ask(lambda vitrine: vitrine.vae.sample(n=1))

    assert one.model.name == "vae-2d"
    assert np.allclose(one.latents, 0.5 * latents.draw(7, 3, 2))
    assert drawn.random_seed is not None


def test_a_gan_draws_the_digit_that_was_named(ask):
    answer = ask(lambda vitrine: vitrine.gan.sample(n=2, digit=4, random_seed=7, truncation=0.5))

    assert answer.digits == (4, 4)
    assert np.allclose(answer.z, latents.draw(7, 2, 2))
    assert np.allclose(np.array(answer.w)[:, :2], np.array(answer.z) / 2)
    assert pixels_of(answer.images[0])[5, 5] == 40


def test_a_way_leads_through_w_or_through_z(ask):
    three, four = LatentSource(random_seed=1, digit=3), LatentSource(random_seed=2, digit=4)
    through_w = ask(lambda vitrine: vitrine.gan.interpolate(three, four, steps=3))
    through_z = ask(
        lambda vitrine: vitrine.gan.interpolate(
            LatentSource(z=[0, 0], digit=3, truncation=1),
            LatentSource(z=[1, 1], truncation=1),
            space="z",
        )
    )

    assert [w[2] for w in through_w.latents] == [3, 3.5, 4]
    assert through_z.z[-1] == (1, 1)
    assert len(through_z.images) == 9


def test_images_are_mixed_and_edited(ask):
    mixed = ask(lambda vitrine: vitrine.gan.mix([1, 2, 3], LatentSource(random_seed=1, digit=7)))
    edited = ask(lambda vitrine: vitrine.gan.edit([0, 0, 5], "grey", [-1, 0, 1]))
    of_image = ask(lambda vitrine: vitrine.gan.edit(LIGHT, "grey", 2, normalize="off"))

    assert mixed.latents == ((1, 2, 7),)
    assert [w[2] for w in edited.latents] == [3, 5, 7]
    assert of_image.latents[0][2] == pytest.approx(4.2)


def test_directions_are_told_with_how_well_they_were_measured(ask):
    [direction] = ask(lambda vitrine: vitrine.gan.directions()).directions

    assert (direction.name, direction.sigma, direction.rho) == ("grey", 2.0, 1.0)
    assert direction.per_sigma is None


def test_the_discriminator_says_how_real_images_are(ask):
    answer = ask(lambda vitrine: vitrine.gan.discriminate([LIGHT, lit(0)], return_input=True))

    assert [row.probability_real for row in answer.predictions] == pytest.approx([0.2, 0])
    assert answer.predictions[0].input.image


def drawing():
    pixels = np.full((60, 60), 255, np.uint8)
    pixels[10:50, 20:30] = 0
    return pixels


def test_a_projection_is_the_same_whole_and_streamed(ask):
    options = {"steps": 12, "loss": "pixel", "start": "mean"}
    whole = ask(lambda vitrine: vitrine.gan.project([drawing()] * 2, **options, return_input=True))
    events = ask(lambda vitrine: vitrine.gan.stream_projection([drawing()] * 2, **options))

    *steps, last = events
    assert all(isinstance(step, ProjectionStep) for step in steps)
    assert [step.step for step in steps if step.index == 1] == [0, 5, 10, 12]
    assert isinstance(last, ProjectionAnswer)
    assert (last.latents, last.losses, last.psnr) == (whole.latents, whole.losses, whole.psnr)
    assert last.images[0] == steps[-2].image
    assert len(whole.inputs) == 2


GRIDS = {
    "vae.sample": lambda vitrine: vitrine.vae.sample_grid(n=4, random_seed=7),
    "vae.decode": lambda vitrine: vitrine.vae.decode_grid([[0, 0]]),
    "vae.reconstruct": lambda vitrine: vitrine.vae.reconstruct_grid(LIGHT),
    "vae.interpolate": lambda vitrine: vitrine.vae.interpolate_grid(1, 2),
    "gan.sample": lambda vitrine: vitrine.gan.sample_grid(n=4, random_seed=7),
    "gan.interpolate": lambda vitrine: vitrine.gan.interpolate_grid(1, 2),
    "gan.mix": lambda vitrine: vitrine.gan.mix_grid(1, 2),
    "gan.edit": lambda vitrine: vitrine.gan.edit_grid(1, "grey", [0, 1]),
    "gan.project": lambda vitrine: vitrine.gan.project_grid(drawing(), steps=1),
    "sample.png": lambda vitrine: vitrine.vae.sample_png(n=4, random_seed=7),
    "manifold.png": lambda vitrine: vitrine.vae.manifold_png(size=3, model="vae-2d"),
    "gan sample.png": lambda vitrine: vitrine.gan.sample_png(n=4, random_seed=7, digit=2),
}


@pytest.mark.parametrize("name", GRIDS)
def test_many_images_come_as_one(ask, name):
    grid = ask(GRIDS[name])

    assert isinstance(grid, Grid)
    assert pixels_of(grid.png).shape >= (28, 28)
    assert grid.model.version == 1
    assert grid.random_seed == (7 if "sample" in name else None)
    assert grid._repr_png_() == grid.png


def test_the_address_of_an_image_gives_it_to_everybody(ask, served):
    grid = ask(lambda vitrine: vitrine.gan.sample_png(n=2, random_seed=3, version=1))

    assert grid.url == f"{served.url}/v1/gan/sample.png?n=2&random_seed=3&version=1"


def test_models_are_listed_with_their_cards(ask):
    listed = ask(lambda vitrine: vitrine.models.list())
    status = ask(lambda vitrine: vitrine.models.status("digits"))
    card = ask(lambda vitrine: vitrine.models.card("digits", version=1))

    assert {"digits", "gan", "labels", "text", "vae"} <= set(listed.models)
    digits = next(model for model in listed.data if model.id == "digits")
    assert (digits.task, digits.versions, digits.ready) == ("classify_digit", (1, 2), True)
    assert [(each.version, each.state) for each in status.model_version_status] == [
        ("2", "AVAILABLE"),
        ("1", "AVAILABLE"),
    ]
    assert card.model == ModelVersion("digits", 1)
    assert card.contents["summary"] == "counts lit pixels"
    assert "serving_default" in card.signatures


def test_the_service_is_live_and_ready(ask):
    assert ask(lambda vitrine: vitrine.health.live()).live
    assert ask(lambda vitrine: vitrine.health.ready()).ready


@pytest.mark.parametrize(
    ("what", "expected", "message"),
    [
        (lambda v: v.digits.classify(lit(7), model="nobody"), ModelNotFound, "nobody"),
        (
            lambda v: v.digits.classify(lit(7), model="gan"),
            ModelNotFound,
            "one of task classify_digit",
        ),
        (lambda v: v.models.card("a/b?c"), NotFound, "a"),
        (lambda v: v.digits.classify(b"no image"), UnsupportedImage, "PNG"),
        (lambda v: v.digits.classify(png(NOISE)[:500]), InvalidImage, "truncated"),
        (lambda v: v.digits.classify([lit(7)] * 65), TooManyImages, "at most 64"),
        (lambda v: v.digits.classify(np.zeros((5100, 5000), "uint8")), ImageTooLarge, "pixels"),
        (lambda v: v.digits.activations([lit(1)] * 2), TooManyImages, "exactly one"),
        (lambda v: v.images.label(RED, top=5000), InvalidValue, "top"),
        (lambda v: v.vae.sample(n=0), InvalidValue, "n must be"),
        (lambda v: v.vae.decode([[0.0]]), InvalidValue, "2 values"),
        (lambda v: v.vae.manifold_png(size=1), InvalidValue, "size"),
        (lambda v: v.gan.edit(1, "beauty", 1), InvalidValue, "grey"),
        (lambda v: v.gan.interpolate(1, 2, steps=1), InvalidValue, "steps"),
        (lambda v: v.gan.project(np.zeros((28, 28), "uint8")), InvalidImage, "blank"),
        (lambda v: v.gan.stream_projection(lit(90), steps=10**9), InvalidValue, "steps"),
        (lambda v: v.text.stream("é"), InvalidValue, "é"),
        (lambda v: v.fashion.classify_both(lit(1), version=1), InvalidValue, "version"),
    ],
)
def test_what_the_service_refuses_is_the_error_that_mirrors_it(ask, what, expected, message):
    with pytest.raises(expected, match=message):
        ask(what)


def routes():
    with Vitrine() as vitrine:
        groups = [value for value in vars(vitrine).values() if isinstance(value, Group)]
    return [
        (type(group), name)
        for group in groups
        for name in dir(group)
        if not name.startswith("_") and callable(getattr(group, name)) and name != "mode"
    ]


@pytest.mark.parametrize(("group", "name"), routes(), ids=str)
def test_help_says_what_comes_back(group, name):
    method = getattr(group, name)

    assert method.__doc__
    assert method.__name__ == name
    assert "Call[" not in str(inspect.signature(method))
    assert "Stream[" not in str(inspect.signature(method))


def test_both_faces_have_the_same_groups():
    with Vitrine() as vitrine:
        assert {name for name in vars(vitrine) if not name.startswith("_")} == {
            name for name in vars(AsyncVitrine()) if not name.startswith("_")
        }


def test_images_that_cannot_be_used_are_reported_by_their_places(ask, png_file):
    answer = ask(
        lambda vitrine: vitrine.digits.classify(
            [b"nothing", png_file, b"\x89PNG", png_file], normalize="off", on_error="report"
        )
    )

    assert len(answer.predictions) == 2
    assert {place: type(error) for place, error in answer.failures.items()} == {
        0: UnsupportedImage,
        2: InvalidImage,
    }
    assert [getattr(one, "code", "") for one in answer.each(answer.predictions)] == [
        "unsupported_image", "", "invalid_image", "",
    ]  # fmt: skip


def test_features_of_the_images_that_can_be_used_come_in_order(ask, png_file):
    answer = ask(lambda vitrine: vitrine.images.features([b"x", png_file], on_error="report"))

    assert len(answer.features) == 1
    assert list(answer.failures) == [0]
