/** The VAE section: two maps to walk on, a drawing that lands on them, and the way from one digit to another. */

import { make, numbersOf, figureOf, figureSteps, useTemplate } from "./dom.js";
import { createLatentMap } from "./latent_map.js";
import { createDrawingCanvas } from "./drawing_canvas.js";
import { DIGITS } from "./examples.js";
import { rounded } from "./format.js";
import { createTerminal } from "./terminal.js";

const SIZE = 20; // images across a map
const MAPS = {
  "vae-2d": ["A variational autoencoder", "It was trained to fill the plane: between two digits is a digit."],
  "ae-2d": ["A plain autoencoder", "Nothing in its loss fills the plane, so some places decode to no digit."],
};
const PLAIN = "ae-2d"; // has no distribution that could say how unlikely a place is

export default function vaeSection({ part, show, paced, action, later, remember, valuesOf, named, chooser, terminals, site }) {
  const drawing = createDrawingCanvas(part, change, { examples: DIGITS, remember });
  const walks = {}; // by model
  let models = [];
  let mine = null; // where the drawing is in the deep space
  let isFromMine = false;
  const deep = () => chooser.value;

  /** One map, and what the decoder makes of the place that one points at. */
  function createWalk(model) {
    const [title, about] = MAPS[model];
    const host = make("section.card", { ariaLabel: title });
    const place = useTemplate(host, "map");
    place.title.textContent = title;
    place.about.textContent = about;
    place.map.ariaLabel = `The latent space of ${model}. Arrow keys walk.`;
    part.maps.append(host);

    terminals[model] = createTerminal(place.request, false);
    const decode = paced(async ({ ask }, z) => {
      const { model: by, images } = await ask(`v1/vae/decode?model=${model}`, { latents: [rounded(z)] });
      [place.image.src] = images;
      place.caption.textContent = `decoded by ${by.name}/${by.version}`;
      remember({ z: rounded(z).join() });
    }, { terminal: model });
    const map = createLatentMap(place.map, SIZE, walk);
    function walk(z) {
      map.walkTo(z);
      place.place.textContent = `z = (${z.map((value) => value.toFixed(2).replace("-", "−")).join(", ")})`;
      decode(z);
    }
    const colour = action(async ({ askQuietly }) => {
      const { legendOf, paintDigits, readDigits } = await later(() => import("./digit_colours.js"));
      const digits = await readDigits(map.image, SIZE, askQuietly);
      map.image.after(paintDigits(digits, SIZE));
      place.colours.replaceChildren(...legendOf(digits));
      place.colours.hidden = false;
    });
    place.colouring.hidden = !named("classify_digit").length;
    place.colour.onchange = () => {
      place.map.querySelector(".colours")?.remove();
      place.colours.hidden = true;
      if (place.colour.checked) colour();
      else colour.stop();
    };
    const loadMap = action(async ({ image }) => {
      map.image.src = URL.createObjectURL(await image(`v1/vae/manifold.png?model=${model}&size=${SIZE}`));
      await map.image.decode();
      place.colour.disabled = false;
    }, { terminal: model });
    place.colour.disabled = true; // until there is something to colour
    /** What did not arrive before the section was left. */
    function load() {
      if (!map.image.src) loadMap();
      if (place.colour.checked && place.colours.hidden) colour();
    }
    return { walk, load, land: map.land };
  }

  const reconstruct = paced(async ({ ask, askQuietly }) => {
    const image = await drawing.toImage();
    const answers = await Promise.all(models.map((model, index) =>
      (index ? askQuietly : ask)(`v1/vae/reconstruct?return=input&model=${model}`, image)));
    const rows = answers.map(({ model: { name }, reconstructions: [row] }) => ({ ...row, name }));
    for (const { name, z } of rows) walks[name]?.land(z);
    mine = rows.find(({ name }) => name === deep())?.z;
    part.mine.disabled = !mine;
    show({
      returned: [figureOf(rows[0].input.image, 128, "what went in"), ...rows.map(({ image, name, reconstruction_loss: loss, kl }) =>
        figureOf(image, 128, name, `${loss.toFixed(0)} nats to draw it`, ...(name === PLAIN ? [] : [`${kl.toFixed(1)} to say where it is`])))],
      live: rows.map((row) => `${row.name}: anomaly score ${row.anomaly_score.toFixed(0)}.`).join(" "),
    });
  });

  function forgetMine() {
    mine = null;
    isFromMine = false;
    part.mine.disabled = true;
  }

  function change() {
    if (!drawing.isEmpty) return reconstruct();
    reconstruct.stop();
    forgetMine();
    show({ returned: [] });
    for (const { land } of Object.values(walks)) land(null);
  }

  const interpolate = action(async ({ ask }) => {
    if (!deep()) return;
    const values = valuesOf(part.form);
    const from = isFromMine ? rounded(mine) : { random_seed: values.from };
    const request = { from, to: { random_seed: values.to }, steps: 9, path: values.path };
    const { images } = await ask(`v1/vae/interpolate?model=${deep()}`, request);
    show({ way: figureSteps(images, 104) });
  }, { terminal: "way" });

  const sweep = action(async () => {
    const { showSweep } = await later(() => import("./beta_sweep.js"));
    await showSweep(part, site.vitrine);
  });

  part.form.onchange = ({ target }) => {
    isFromMine &&= ["to", "path"].includes(target.name);
    interpolate();
  };
  chooser.onchange = () => {
    models = [...new Set([deep(), ...models.filter((model) => MAPS[model])])];
    forgetMine(); // it is of the model before
    change();
    interpolate();
  };
  part.mine.onclick = () => {
    isFromMine = true;
    interpolate();
  };
  return (state) => {
    const served = named("autoencode_image");
    models = [...new Set([deep(), ...Object.keys(MAPS)])].filter((model) => served.includes(model));
    const z = numbersOf(state.get("z"));
    for (const model of models.filter((each) => MAPS[each])) {
      walks[model] ??= createWalk(model);
      walks[model].load();
      walks[model].walk(z.length === 2 ? z : [0, 0]);
    }
    drawing.restore(state);
    if (!drawing.isEmpty) reconstruct();
    interpolate();
    sweep();
  };
}
