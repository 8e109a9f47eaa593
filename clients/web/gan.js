/** The GAN room: samples, the latent vector of a picture, moving along attributes, mixing two. */

import { createCurve, showBars } from "./chart.js";
import { make, pictured } from "./dom.js";
import { createPad } from "./pad.js";
import { figure, inWords, rounded } from "./words.js";

const SHOWN = 24; // samples
const STEPS = 9;
const STRONGEST = 3; // standard deviations along a direction

export default function ganRoom({ part, show, paced, action, valuesOf }) {
  const pad = createPad(part, change);
  const opinions = {}; // by what is judged: the probability that it is real
  let point = null; // { latent, image }: where the sliders begin
  let moved = null; // and where they lead
  let sliders = [];
  let isFromMoved = false;

  const sample = paced(async ({ ask }) => {
    const values = valuesOf(part.form);
    show({ truncation: values.truncation.toFixed(2) });
    const request = { n: SHOWN, ...values, ...(values.digit && { digit: Number(values.digit) }) };
    const { images, digits, w } = await ask("v1/gan/sample", request);
    show({ samples: images.map((image, index) => make("button",
      { type: "button", ariaLabel: `A ${digits[index]}, sample ${index + 1}: edit it`, onclick: () => choose({ latent: w[index], image }) },
      make("img.pixels", { src: image, alt: "" }))) });
    if (!point) choose({ latent: w[0], image: images[0] });
  });

  function choose(chosen) {
    point = chosen;
    for (const { slider } of sliders) slider.value = 0;
    showMoved(point);
  }

  function showMoved(to) {
    moved = to;
    show({ edited: [pictured(point.image, 112, "as it was"), pictured(moved.image, 112, "as it is moved")] });
    judge();
  }

  const findDirections = action(async ({ askQuietly }) => {
    const { directions } = await askQuietly("v1/gan/directions", null);
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
      const { latents, images } = await ask("v1/gan/edit", { latent: rounded(to.latent), direction, strength });
      to = { latent: latents[0], image: images[0] };
    }
    showMoved(to);
  });

  const judge = paced(async ({ askQuietly }) => {
    const { predictions } = await askQuietly("v1/gan/discriminate", { images: [point.image, moved.image] });
    showOpinions({ "as it was": predictions[0], "as it is moved": predictions[1] });
  });

  const judgeDrawing = paced(async ({ ask }) => {
    const { predictions } = await ask("v1/gan/discriminate", await pad.toPicture());
    showOpinions({ "your drawing": predictions[0] });
  });

  function showOpinions(found) {
    const rows = Object.entries(Object.assign(opinions, found)).filter(([, opinion]) => opinion);
    showBars(part.opinions, rows.map(([name, opinion]) => [name, opinion.probability_real]));
  }

  const project = action(async ({ events }) => {
    const { guess, loss, steps } = valuesOf(part.search);
    const path = `v1/gan/project?steps=${steps}&loss=${loss}&start=${guess}&stream=true`;
    const losses = [];
    const showFound = (image, words) =>
      show({ found: [pictured(image, 112, "found", words), createCurve("loss", { alone: losses })], live: "" });
    for await (const { step, loss: now, image, latents, images, psnr } of await events(path, await pad.toPicture())) {
      if (!latents) {
        losses.push(now);
        showFound(image, `step ${step} of ${steps}`);
        continue;
      }
      const words = `${figure(psnr[0])} dB from your drawing`;
      showFound(images[0], words);
      show({ live: `Found: ${words}.` });
      choose({ latent: latents[0], image: images[0] });
    }
  }, (isRunning) => {
    part.find.disabled = isRunning || pad.isEmpty;
    part.halt.disabled = !isRunning;
  });

  /** The way between two points, and the two mixed: the coarse of one with the fine of the other. */
  const join = action(async ({ ask, askQuietly }) => {
    const { first, firstDigit, second, secondDigit, space, path } = valuesOf(part.between);
    const from = isFromMoved ? rounded(moved.latent) : { random_seed: first, digit: Number(firstDigit) };
    const to = { random_seed: second, digit: Number(secondDigit) };
    const mix = (coarse, fine) => askQuietly("v1/gan/mix", { coarse, fine });
    const way = ask("v1/gan/interpolate", { from, to, steps: STEPS, path, space: isFromMoved ? "w" : space });
    const [{ images }, ...mixed] = await Promise.all([way, mix(from, to), mix(to, from)]);
    show({
      way: images.map((image, step) => pictured(image, 88, `${step + 1} of ${STEPS}`)),
      mixed: mixed.map(({ images: [image] }, index) =>
        pictured(image, 112, `coarse of the ${index ? "second" : "first"}`, `fine of the ${index ? "first" : "second"}`)),
    });
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
  return () => {
    if (pad.isEmpty) pad.showSample();
    change();
    sample();
    if (!sliders.length) findDirections();
    join();
  };
}
