/** The GAN room: samples, the latent vector of a picture, moving along attributes, mixing two. */

import { createCurve, showBars } from "./chart.js";
import { make, pictured, valuesOf } from "./dom.js";
import { createPad } from "./pad.js";
import { figure, inWords, rounded } from "./words.js";

const SHOWN = 24; // samples
const STEPS = 9;
const STRONGEST = 3; // standard deviations along a direction

export default function ganRoom({ part, paced, action }) {
  const pad = createPad(part, change);
  const opinions = {}; // by what is judged: the probability that it is real
  let point = null; // { latent, image }: where the sliders begin
  let moved = null; // and where they lead
  let sliders = [];
  let isFromMoved = false;

  const sample = paced(async ({ ask }) => {
    const values = valuesOf(part.form);
    if (!values) return;
    part.truncation.textContent = values.truncation.toFixed(2);
    const request = { n: SHOWN, ...values, ...(values.digit && { digit: Number(values.digit) }) };
    const { images, digits, w } = await ask("v1/gan/sample", request, "images");
    part.samples.replaceChildren(...images.map((image, index) => make("button",
      { type: "button", ariaLabel: `A ${digits[index]}, sample ${index + 1}: edit it`, onclick: () => choose({ latent: w[index], image }) },
      make("img.pixels", { src: image, alt: "" }))));
    if (!point) choose({ latent: w[0], image: images[0] });
  });

  function choose(chosen) {
    point = chosen;
    for (const { slider } of sliders) slider.value = 0;
    showMoved(point);
  }

  function showMoved(to) {
    moved = to;
    part.edited.replaceChildren(pictured(point.image, 112, "as it was"), pictured(moved.image, 112, "as it is moved"));
    judge();
  }

  const findDirections = action(async ({ askQuietly }) => {
    const { directions } = await askQuietly("v1/gan/directions", null, "directions");
    sliders = directions.map(({ name, rho }) => {
      const slider = make("input", { type: "range", min: -STRONGEST, max: STRONGEST, step: 0.25, value: 0, oninput: () => edit() });
      part.sliders.append(make("label", `${inWords(name)} (follows it with ρ = ${figure(rho)})`, slider));
      return { name, slider };
    });
  });

  /** Moves along one direction after the other. */
  const edit = paced(async ({ ask }) => {
    let to = point;
    for (const { name: direction, slider } of sliders) {
      const strength = Number(slider.value);
      if (!strength) continue;
      const { latents, images } = await ask("v1/gan/edit", { latent: rounded(to.latent), direction, strength }, "images");
      to = { latent: latents[0], image: images[0] };
    }
    showMoved(to);
  });

  const judge = paced(async ({ askQuietly }) => {
    const images = [point.image, moved.image];
    const { predictions } = await askQuietly("v1/gan/discriminate", { images }, "predictions");
    showOpinions({ "as it was": predictions[0], "as it is moved": predictions[1] });
  });

  const judgeDrawing = paced(async ({ ask }) => {
    const { predictions } = await ask("v1/gan/discriminate", await pad.toPicture(), "predictions");
    showOpinions({ "your drawing": predictions[0] });
  });

  function showOpinions(found) {
    Object.assign(opinions, found);
    const judged = Object.keys(opinions).filter((name) => opinions[name]);
    showBars(part.opinions, judged, judged.map((name) => opinions[name].probability_real));
  }

  const project = action(async ({ events }) => {
    const { guess, loss, steps } = valuesOf(part.search);
    const losses = [];
    const path = `v1/gan/project?steps=${steps}&loss=${loss}&start=${guess}&stream=true`;
    for await (const event of await events(path, await pad.toPicture())) {
      if (event.latents) finish(event);
      else follow(event, losses, steps);
    }
  }, (isRunning) => {
    part.find.disabled = isRunning || pad.isEmpty;
    part.halt.disabled = !isRunning;
  });

  function follow({ step, loss, image }, losses, steps) {
    losses.push(loss);
    part.live.textContent = "";
    part.found.replaceChildren(pictured(image, 112, "found", `step ${step} of ${steps}`), createCurve("loss", { alone: losses }));
  }

  function finish({ latents: [latent], images: [image], psnr: [psnr] }) {
    const words = `${figure(psnr)} dB from your drawing`;
    part.found.firstChild?.replaceWith(pictured(image, 112, "found", words));
    part.live.textContent = `Found: ${words}.`;
    choose({ latent, image });
  }

  /** The way between two points, and the two mixed: the coarse of one with the fine of the other. */
  const join = action(async ({ ask, askQuietly }) => {
    const values = valuesOf(part.between);
    if (!values) return;
    const { first, firstDigit, second, secondDigit, space, path } = values;
    const from = isFromMoved ? rounded(moved.latent) : { random_seed: first, digit: Number(firstDigit) };
    const to = { random_seed: second, digit: Number(secondDigit) };
    const mix = (coarse, fine) => askQuietly("v1/gan/mix", { coarse, fine }, "images");
    const way = ask("v1/gan/interpolate", { from, to, steps: STEPS, path, space: isFromMoved ? "w" : space }, "images");
    const [{ images }, ...mixed] = await Promise.all([way, mix(from, to), mix(to, from)]);
    part.way.replaceChildren(...images.map((image, step) => pictured(image, 88, `${step + 1} of ${STEPS}`)));
    part.mixed.replaceChildren(...mixed.map(({ images: [image] }, index) =>
      pictured(image, 112, `coarse of the ${index ? "second" : "first"}`, `fine of the ${index ? "first" : "second"}`)));
  });

  function change() {
    part.find.disabled = pad.isEmpty;
    if (!pad.isEmpty) return judgeDrawing();
    judgeDrawing.stop();
    showOpinions({ "your drawing": null });
  }

  part.form.oninput = part.form.onchange = () => sample();
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
  return {
    start() {
      if (pad.isEmpty) pad.showSample();
      change();
      sample();
      if (!sliders.length) findDirections();
      join();
    },
  };
}
