/** The GAN section: samples, the latent vector of an image, moving along attributes, mixing two. */

import { createCurve, showBars } from "./chart.js";
import { make, figureOf, figureSteps } from "./dom.js";
import { createDrawingCanvas } from "./drawing_canvas.js";
import { DIGITS } from "./examples.js";
import { figure, inWords, rounded } from "./format.js";

// A point is { latent, image }, its latent in w.
const pointsOf = ({ images, latents, w = latents }) => images.map((image, index) => ({ image, latent: w[index] }));

export default function ganSection({ part, show, paced, action, later, remember, valuesOf, chooser, pathTo }) {
  const drawing = createDrawingCanvas(part, redraw, { examples: DIGITS, remember });
  const discriminated = { "your drawing": null, "as it was": null, "as it is moved": null };
  let start = null; // the point from which the sliders move
  let moved = null; // and where they lead
  let sliders = [];
  let isFromMoved = false;
  let model = ""; // whose all of this is
  let [sampled, joined] = ["", ""]; // the settings that are shown

  const sample = paced(async ({ ask }) => {
    const settings = settingsOf(part.form);
    const { model: _, ...values } = valuesOf(part.form);
    show({ truncation: values.truncation.toFixed(2) });
    const answer = await ask(pathTo("v1/gan/sample"), { n: 24, ...values, ...(values.digit && { digit: Number(values.digit) }) });
    const points = pointsOf(answer);
    show({ samples: points.map((point, index) => make("button",
      { type: "button", ariaLabel: `A ${answer.digits[index]}, sample ${index + 1}: edit it`, onclick: ({ currentTarget }) => choose(point, currentTarget) },
      make("img.pixels", { src: point.image, alt: "" }))) });
    sampled = settings;
    if (!start) choose(points[0], part.samples.firstChild);
  });

  /** `button`: the sample that it is, if it is one of those shown. */
  function choose(point, button) {
    edit.stop(); // it moves from the one before
    start = point;
    for (const each of part.samples.children) each.ariaPressed = each === button;
    for (const { slider } of sliders) slider.value = 0;
    showMoved(point);
  }

  function showMoved(point) {
    moved = point;
    show({ edited: [figureOf(start.image, 112, "as it was"), figureOf(moved.image, 112, "as it is moved")] });
    discriminate();
  }

  const findDirections = action(async ({ askQuietly }) => {
    const { directions } = await askQuietly(pathTo("v1/gan/directions"), null);
    show({ sliders: [] });
    sliders = directions.map(({ name, rho }) => {
      const slider = make("input", { type: "range", min: -3, max: 3, step: 0.25, value: 0, oninput: () => edit() });
      part.sliders.append(make("label", `${inWords(name)} (rank correlation ρ = ${rho.toFixed(2)})`, slider));
      return { name, slider };
    });
  });

  /** Moves along one direction after the other. */
  const edit = paced(async ({ ask }) => {
    let point = start;
    for (const { name: direction, slider } of sliders) {
      const strength = Number(slider.value); // standard deviations
      if (strength) [point] = pointsOf(await ask(pathTo("v1/gan/edit"), { latent: rounded(point.latent), direction, strength }));
    }
    showMoved(point);
  }, { terminal: "edit" });

  const discriminate = paced(async ({ askQuietly }) => {
    const { predictions } = await askQuietly(pathTo("v1/gan/discriminate"), { images: [start.image, moved.image] });
    showDiscriminated({ "as it was": predictions[0], "as it is moved": predictions[1] });
  });

  const discriminateDrawing = paced(async ({ ask }) => {
    const { predictions } = await ask(pathTo("v1/gan/discriminate"), await drawing.toImage());
    showDiscriminated({ "your drawing": predictions[0] });
  }, { terminal: "discriminate" });

  function showDiscriminated(found) {
    const rows = Object.entries(Object.assign(discriminated, found)).filter(([, prediction]) => prediction);
    showBars(part.discriminated, rows.map(([name, prediction]) => [name, prediction.probability_real]));
  }

  const project = action(async (service) => {
    const { guess, loss, steps } = valuesOf(part.search);
    const losses = loss === "both" ? ["perceptual", "pixel"] : [loss];
    const image = await drawing.toImage();
    const figures = losses.map(() => []);
    const ends = await Promise.all(losses.map((name, index) => descend(service, { guess, loss: name, steps }, image, (shown) => {
      figures[index] = shown;
      show({ found: figures.flat() });
    })));
    show({ live: ends.map(({ words }, index) => `Found by the ${losses[index]} loss: ${words}.`).join(" ") });
    choose(ends[0].point);
  }, { terminal: "project", whileRunning: (isRunning) => {
    part.find.disabled = isRunning || drawing.isEmpty;
    part.halt.disabled = !isRunning;
  } });

  /** One gradient descent, shown step by step; its point, and the difference that is left. */
  async function descend({ events }, { guess, loss, steps }, image, showFigures) {
    const losses = [];
    let end = null;
    for await (const event of await events(pathTo("v1/gan/project", { steps, loss, start: guess, stream: true }), image)) {
      const [point] = event.latents ? pointsOf(event) : [];
      const words = point ? `PSNR ${event.psnr[0].toFixed(1)} dB` : `step ${event.step} of ${steps}`;
      if (!point) losses.push(event.loss);
      showFigures([figureOf(event.image ?? point.image, 112, "found", `${loss} loss`, words), createCurve(`${loss} loss`, { alone: losses })]);
      if (point) end = { point, words };
    }
    return end;
  }

  /** The way between two points, and the two mixed: the coarse of one with the fine of the other. */
  const join = action(async ({ ask, askQuietly }) => {
    const settings = settingsOf(part.between);
    const { first, firstDigit, second, secondDigit, space, path } = valuesOf(part.between);
    const from = isFromMoved ? rounded(moved.latent) : { random_seed: first, digit: Number(firstDigit) };
    const to = { random_seed: second, digit: Number(secondDigit) };
    const mix = (coarse, fine) => askQuietly(pathTo("v1/gan/mix"), { coarse, fine });
    const way = ask(pathTo("v1/gan/interpolate"), { from, to, steps: 9, path, space: isFromMoved ? "w" : space });
    const [{ images }, one, other] = await Promise.all([way, mix(from, to), mix(to, from)]);
    show({
      way: figureSteps(images, 88),
      mixed: [figureOf(one.images[0], 112, "coarse of the first", "fine of the second"),
        figureOf(other.images[0], 112, "coarse of the second", "fine of the first")],
    });
    joined = settings;
  }, { terminal: "way" });

  const replay = action(async (service) => {
    const { showReplay } = await later(() => import("./gan_replay.js"));
    await showReplay(part, service, model);
  });

  /** Another drawing: what was found is of the one before. */
  function redraw() {
    project.stop();
    show({ found: [] });
    change();
  }

  function change() {
    part.find.disabled = drawing.isEmpty;
    if (!drawing.isEmpty) return discriminateDrawing();
    discriminateDrawing.stop();
    showDiscriminated({ "your drawing": null });
  }

  part.form.oninput = ({ target }) => target !== chooser && sample();
  part.form.onchange = ({ target }) => (target === chooser ? restart() : sample());
  part.between.onchange = ({ target }) => {
    isFromMoved &&= target !== part.between && !target.name.startsWith("first");
    join();
  };
  part.mine.onclick = () => {
    isFromMoved = Boolean(moved);
    join();
  };
  part.find.onclick = () => project();
  part.halt.onclick = project.stop;
  /** Another model: nothing of the one before is its. */
  function restart() {
    for (const each of [edit, discriminate, project]) each.stop();
    start = moved = null;
    isFromMoved = false;
    model = chooser.value;
    sliders = [];
    show({ sliders });
    change();
    sample();
    findDirections();
    join();
    replay();
  }

  return (state) => {
    drawing.restore(state);
    if (!start || chooser.value !== model) return restart();
    change();
    // What the address changed, and what did not arrive before the section was left.
    if (sampled !== settingsOf(part.form)) sample();
    if (joined !== settingsOf(part.between)) join();
    if (!sliders.length) findDirections();
    if (part.replay.hidden) replay();
  };
}

const settingsOf = (form) => new URLSearchParams(new FormData(form)).toString();
