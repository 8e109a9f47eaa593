/**
 * Stand-ins for models that the tested service lacks: answers in the shapes of the HTTP contract.
 *
 * A section is tried with the real model where the service has it. What is drawn here is no network's work;
 * it only has to change when the request does, so that a test sees that the page asked.
 */

const LABELS = [["n02123045", "tabby"], ["n02124075", "Egyptian_cat"], ["n02127052", "lynx"], ["n02123159", "tiger_cat"], ["n04589890", "window_screen"]];
const DIRECTIONS = Object.entries({ thickness: 0.97, slant: 0.95, width: 0.93 }).map(([name, rho]) => ({ name, rho, sigma: 1 }));

const listed = (id, task) => ({ id, object: "model", owned_by: "vitrine", task, versions: [1], ready: true });
const latent = (value) => Array.from({ length: 128 }, (_, index) => (value + index) / 100);
const imageOf = (value, width = 3) => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><title>${value}</title><rect width="28" height="28"/><path d="M${6 + Math.abs(value % 12)} 6v16" stroke="#fff" stroke-width="${width}"/></svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
};
const withImages = (values) => ({ model: { name: "gan", version: 1 }, images: values.map((value) => imageOf(value)), latents: values.map(latent) });

const PHOTOS = {
  "/v1/images/label": () => ({ model: { name: "labels", version: 1 }, predictions: [LABELS.map(([class_name, class_description], index) =>
    ({ class_name, class_description, score: 0.6 / 2 ** index }))] }),
};

const CLOTHES = {
  "/v1/fashion/classify": () => {
    const of = (head, scores) => ({ head, label: "Bag", label_index: 8, scores });
    const scores = Array.from({ length: 10 }, (_, index) => (index === 8 ? 0.91 : 0.01));
    return { model: { name: "fashion-dense", version: 1 }, predictions: [
      { dense: of("dense", scores), svm: of("svm", scores.map((score) => 3 * score - 2)), agree: true }] };
  },
};

const GAN = {
  "/v1/gan/sample": ({ n, random_seed: seed, digit }) => {
    const values = Array.from({ length: n }, (_, index) => seed + index);
    return { ...withImages(values), random_seed: seed, digits: values.map(() => digit ?? 3), w: values.map(latent) };
  },
  "/v1/gan/directions": () => ({ model: { name: "gan", version: 1 }, directions: DIRECTIONS }),
  "/v1/gan/edit": ({ direction, strength }) => ({ ...withImages([strength * 4]),
    images: [direction === "thickness" ? imageOf(9, 3 + strength) : imageOf(strength * 4)] }),
  "/v1/gan/discriminate": (body) => ({ model: { name: "gan", version: 1 },
    predictions: (body?.images ?? [0]).map((_, index) => ({ probability_real: 0.4 + index / 10 })) }),
  "/v1/gan/mix": () => withImages([5]),
  "/v1/models/gan/card": () => ({ model: { name: "gan", version: 1 }, pictures: { samples_by_training_time: imageOf(1) },
    history: { d_loss: [0.9, 1.2], g_loss: [1.9, 0.8], encoder_loss: [3, 2, 1] } }),
  "/v1/gan/interpolate": ({ steps }) => withImages(Array.from({ length: steps }, (_, index) => index)),
};

function projection(steps) {
  const events = Array.from({ length: 5 }, (_, index) => ({ index: 0, step: (index + 1) * steps / 5, loss: 1 / (index + 1), image: imageOf(index) }));
  const end = { ...withImages([9]), losses: [0.1], psnr: [21.3] };
  return [...events, end].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") + "data: [DONE]\n\n";
}

/** Answers in the place of the service where it has no model of its own. */
export async function standIn(page, base) {
  const known = (await (await fetch(`${base}v1/models`)).json()).data;
  const answers = {};
  for (const [names, task, given] of [
    [["labels"], "classify_image", PHOTOS],
    [["fashion-dense", "fashion-svm"], "classify_image", CLOTHES],
    [["gan"], "generate_image", GAN],
  ]) {
    const missing = names.filter((name) => !known.some(({ id }) => id === name));
    if (!missing.length) continue;
    Object.assign(answers, given);
    known.push(...missing.map((name) => listed(name, task)));
  }
  await page.route(`${base}v1/models`, (route) => route.fulfill({ json: { object: "list", data: known, models: [] } }));
  for (const [path, answer] of Object.entries(answers)) {
    await page.route((url) => url.pathname.endsWith(path), (route) => route.fulfill({
      json: answer(isJson(route.request()) ? route.request().postDataJSON() : null),
      headers: { "Server-Timing": "decode;dur=0.4, queue;dur=0.1, infer;dur=3.2, encode;dur=0.2" },
    }));
  }
  if ("/v1/gan/sample" in answers) {
    await page.route((url) => url.pathname.endsWith("/v1/gan/project"), (route) => route.fulfill({
      contentType: "text/event-stream", body: projection(Number(new URL(route.request().url()).searchParams.get("steps"))) }));
  }
}

const isJson = (request) => request.headers()["content-type"] === "application/json";
